import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonValue } from '../../../extproc/claude/json.ts';
import { bodyFacts } from '../../../extproc/exchange/body.ts';
import { excerptOf } from '../../../extproc/exchange/excerpt.ts';
import { requestFacts } from '../../../extproc/exchange/facts.ts';
import { excerptMaxChars, inputMaxBytes, noExcerpt } from '../../../extproc/policy/input-bounds.ts';
import { decodingLimits } from '../../builders/decoding.ts';
import { requestHeaders, wholeRequest } from './frames.ts';
import { claude, createRig, play } from './rig.ts';

const user = (content: JsonValue) => ({ role: 'user', content });
const assistant = (content: string) => ({ role: 'assistant', content });

test('the excerpt is the newest prompt, tool results and words put into the mouth of Claude included', () => {
  const messages = [user('old question'), assistant('old answer'), user('new question'), assistant('Sure, the')];
  assert.deepEqual(excerptOf({ system: 's', messages }, 100), { text: 'new question\nSure, the', complete: true });
  const result = [{ type: 'tool_result', tool_use_id: 't', content: 'read from a file' }];
  assert.match(excerptOf({ messages: [user('q'), assistant('a'), user(result)] }, 100).text, /read from a file/);
});

test('completions, events and each request of a batch have their prompt in it', () => {
  assert.equal(excerptOf({ prompt: 'complete this' }, 100).text, 'complete this');
  assert.equal(excerptOf({ events: [{ type: 'user.message', content: 'in a session' }] }, 100).text, 'in a session');
  const requests = ['one', 'two'].map((text) => ({ custom_id: text, params: { messages: [user(text)] } }));
  assert.deepEqual(excerptOf({ requests }, 100), { text: 'one\ntwo', complete: true });
});

test('a field of another endpoint hides nothing of the prompt', () => {
  const harmless = [user('harmless')];
  const batched = [{ custom_id: 'a', params: { messages: harmless } }];
  for (const more of [
    { requests: [] },
    { requests: batched },
    { prompt: 'x' },
    { events: [assistant('a'), ...harmless] },
  ]) {
    assert.match(excerptOf({ ...more, messages: [user('risky')] }, 100).text, /risky/, JSON.stringify(more));
  }
  for (const messages of [[], harmless]) {
    assert.match(excerptOf({ messages, events: [user('risky')] }, 100).text, /risky/);
    const requests = [{ custom_id: 'a', params: { messages: [user('risky')] } }];
    assert.match(excerptOf({ messages, requests }, 100).text, /risky/);
  }
});

test('of a longer prompt both ends are taken within the bound, and it is said that something is missing', () => {
  const long = `${'a'.repeat(70)}${'ü'.repeat(70)}😀`;
  for (let bound = 4; bound < 160; bound += 1) {
    const { text, complete } = excerptOf({ prompt: long }, bound);
    assert.equal(complete, long.length <= bound, String(bound));
    assert.ok(text.length <= bound && text.isWellFormed(), String(bound));
    assert.ok(text.startsWith('a'), String(bound));
    if (bound > 6) assert.ok(text.endsWith('😀'), String(bound));
  }
});

test('an excerpt of the longest kind leaves room for the rest of the document', () => {
  const { text } = excerptOf({ prompt: '\u0001'.repeat(100_000) }, excerptMaxChars);
  assert.ok(Buffer.byteLength(JSON.stringify(text)) < inputMaxBytes / 2);
});

test('no excerpt is made where nobody asks, and none of what cannot be read', () => {
  const facts = requestFacts(requestHeaders({ path: '/v1/messages' }), claude, '');
  const place = { ...facts, decoding: decodingLimits };
  const body = Buffer.from(JSON.stringify({ model: 'm', max_tokens: 1, messages: [user('hello')] }));
  assert.deepEqual(bodyFacts(place, body).excerpt, noExcerpt);
  assert.deepEqual(bodyFacts({ ...place, excerptMaxChars }, body).excerpt, { text: 'hello', complete: true });
  assert.deepEqual(bodyFacts({ ...place, excerptMaxChars }, Buffer.from('{"oops"')).excerpt, noExcerpt);
  assert.deepEqual(bodyFacts({ ...place, excerptMaxChars }, Buffer.alloc(0)).excerpt, { text: '', complete: true });
});

test('policy sees the excerpt, and nothing that is recorded has it but the request itself', async () => {
  const planted = 'the planted sentence about project apollo';
  const bytes = Buffer.from(JSON.stringify({ model: 'claude-opus-5-5', messages: [user(planted)] }));
  for (const verdict of ['allow', 'deny'] as const) {
    const { open, judge, log } = createRig({});
    judge.looksAtExcerpt = true;
    const reasons = [{ rule: 'request/a', message: 'm' }];
    judge.requestVerdict = () => (verdict === 'allow' ? { verdict, reasons: [] } : { verdict, reasons });
    const [headers] = wholeRequest;
    assert.ok(headers !== undefined);
    await play(open(), [headers, { kind: 'request_body', body: bytes, endOfStream: true }]);
    assert.equal(judge.requestInputs[0]?.excerpt.text, planted);
    const others = log.records.filter(({ kind }) => kind !== 'request_body');
    assert.ok(others.some(({ kind }) => kind === 'decided'));
    assert.ok(!JSON.stringify(others).includes('apollo'), verdict);
  }
});
