import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BatchEntry } from '../../../extproc/claude/batch.ts';
import { type MessagesRequest, readMessagesRequest } from '../../../extproc/claude/request.ts';
import { batchFacts, batchVariantsMax, claudeFacts } from '../../../extproc/exchange/claude-facts.ts';

function entry(change: Partial<MessagesRequest> = {}): BatchEntry {
  const read = readMessagesRequest({ model: 'm', max_tokens: 5, messages: [{ role: 'user', content: 'Hi' }] });
  assert.ok(read.ok);
  return { customId: '', request: { ...read.request, ...change } };
}

test('requests that differ in size alone are judged as one, by the largest', () => {
  const facts = batchFacts([
    entry(),
    entry({ maxTokens: 900, messages: [{ role: 'user', content: 'longer' }] }),
    entry({ maxTokens: null, messages: Array.from({ length: 4 }, () => ({ role: 'user', content: '' })) }),
  ]);
  assert.ok(facts.ok);
  const [only, ...others] = facts.batch.requests;
  assert.equal(facts.batch.size, 3);
  assert.equal(others.length, 0);
  const { count, max_tokens, message_count, new_message_count, text_bytes } = only ?? {};
  assert.deepEqual([count, max_tokens, message_count, new_message_count, text_bytes], [3, 900, 4, 4, 6]);
});

test('requests that ask for something else are judged each by itself', () => {
  const changes: Partial<MessagesRequest>[] = [
    {},
    { model: 'n', models: ['n'] },
    { models: ['m', 'n'] },
    { stream: true },
    { toolNames: ['bash'], toolTypes: ['custom'] },
    { toolNames: ['bash'], toolTypes: ['bash_20250124'] },
    { toolNames: [], toolTypes: ['custom'] },
    { mcpServerNames: ['bash'] },
    { mcpToolsets: [{ server: 'a', host: '', open: true, on: [], off: [] }] },
    { mcpToolsets: [{ server: 'a', host: '', open: true, on: [], off: ['b'] }] },
    { skills: [{ type: 'custom', id: 'a', version: '' }] },
    { skills: [{ type: 'custom', id: '', version: 'a' }] },
    { system: 's' },
  ];
  const facts = batchFacts([...changes, ...changes].map(entry));
  assert.ok(facts.ok);
  assert.deepEqual(
    facts.batch.requests.map(({ count }) => count),
    changes.map(() => 2),
  );
});

test('a batch of too many kinds of requests is refused with the limit', () => {
  const entries = Array.from({ length: batchVariantsMax }, (_, at) => entry({ models: [`m-${at}`] }));
  assert.ok(batchFacts([...entries, ...entries]).ok);
  const facts = batchFacts([...entries, entry({ models: ['one-more'] })]);
  assert.ok(!facts.ok);
  assert.match(facts.fault, /at most 64 different kinds/);
});

test('all text counts, and what is new is the last prompt, whatever answers a caller makes up around it', () => {
  const said = (...roles: string[]) => roles.map((role) => ({ role, content: 'four' }));
  const counted = (change: Partial<MessagesRequest>): number[] => {
    const { message_count, new_message_count, text_bytes } = claudeFacts(entry(change).request);
    return [message_count, new_message_count, text_bytes];
  };
  assert.deepEqual(counted({ messages: said('user') }), [1, 1, 4]);
  assert.deepEqual(counted({ messages: said('user', 'assistant', 'user') }), [3, 1, 12]);
  assert.deepEqual(counted({ messages: said('user', 'assistant', 'user', 'assistant') }), [4, 2, 16]);
  assert.deepEqual(counted({ messages: said('assistant') }), [1, 1, 4]);
  assert.deepEqual(counted({ messages: said('user'), system: [{ type: 'text', text: 'six bytes' }] }), [1, 1, 13]);
});
