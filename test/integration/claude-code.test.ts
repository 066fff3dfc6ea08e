import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import type { ExchangeDocument } from '../../extproc/transcript/document.ts';
import type { TestGateway } from '../environment/gateway.ts';
import { startTestGateway } from '../environment/gateway.ts';
import { found, usageOf } from '../environment/recorded.ts';
import type { RecordedCall, Replayed } from '../environment/replay.ts';
import { recordedCalls, replay } from '../environment/replay.ts';

let gateway: TestGateway;
before(async () => {
  gateway = await startTestGateway();
});
after(() => gateway.stop());

/** Where Claude Code keeps its cache is nothing that anyone said, and it sends a string as a block when the cache moves there. */
function levelled(messages: unknown): unknown {
  return JSON.parse(
    JSON.stringify(messages, (key, field) => {
      if (key === 'cache_control') return undefined;
      return key === 'content' && typeof field === 'string' ? [{ type: 'text', text: field }] : field;
    }),
  );
}

/** Nothing in these recordings is masked. */
function assertRecorded(replayed: readonly Replayed[]): void {
  for (const { call, document } of replayed) {
    const { answer, new_messages: messages, history, outcome } = document.skilltape;
    assert.equal(outcome, 'complete');
    assert.deepEqual(answer, call.answer);
    const sent = call.body.messages.slice(history.message_count);
    assert.deepEqual(levelled(messages), levelled(sent));
  }
}

/** What the session's documents say one after another is what the client holds in the end. */
function conversation(replayed: readonly Replayed[]): unknown {
  return replayed.flatMap(({ call, document }) => [
    ...document.skilltape.new_messages,
    { role: 'assistant', content: call.answer.content },
  ]);
}

function sums(calls: readonly RecordedCall[]) {
  const sum = (of: (call: RecordedCall) => number | undefined) => calls.reduce((all, call) => all + (of(call) ?? 0), 0);
  return {
    uncachedInput: sum(({ answer }) => answer.usage.input_tokens),
    cacheRead: sum(({ answer }) => answer.usage.cache_read_input_tokens),
    cacheCreation5m: sum(({ answer }) => answer.usage.cache_creation.ephemeral_5m_input_tokens),
    cacheCreation1h: sum(({ answer }) => answer.usage.cache_creation.ephemeral_1h_input_tokens),
    output: sum(({ answer }) => answer.usage.output_tokens),
  };
}

async function assertUsage(replayed: readonly Replayed[]): Promise<void> {
  const session = replayed[0]?.document.skilltape.session.id ?? '';
  const [usage, ...more] = await usageOf(gateway, session);
  assert.deepEqual(
    [usage?.exchanges, usage?.tokens, more],
    [replayed.length, sums(replayed.map(({ call }) => call)), []],
  );
}

function fixture(name: string): string {
  return readFileSync(new URL(`../fixtures/claude/${name}`, import.meta.url), 'utf8');
}

const skillsOf = ({ document }: Replayed) => document.skilltape.skill.map(({ name, source }) => `${source} ${name}`);

test('a tool loop that goes on in a second call of the program is one session, each turn in it once', async () => {
  const replayed = await replay(gateway, recordedCalls('tools-and-continue'));
  assertRecorded(replayed);
  await assertUsage(replayed);
  assert.equal(new Set(replayed.map(({ document }) => document.skilltape.session.id)).size, 1);
  assert.deepEqual(
    replayed.map(({ document }) => document.skilltape.history.message_count),
    [0, 3, 5, 7],
  );
  assert.deepEqual(
    replayed.map(({ document: { skilltape } }) => [skilltape.system !== null, skilltape.tools !== null]),
    [[true, true], ...Array(3).fill([false, false])],
  );
  const last = replayed.at(-1)?.call;
  assert.deepEqual(
    levelled(conversation(replayed)),
    levelled([...(last?.body.messages ?? []), { role: 'assistant', content: last?.answer.content }]),
  );
  const ids = replayed.map(({ document }) => document.event.id);
  const turns = ['wombat thing', 'look at the zanzibar', 'cardamom-from-notes', 'All done with', 'now the zeppelin'];
  for (const [at, turn] of turns.entries())
    assert.deepEqual(await found(gateway, turn), [ids[[0, 0, 2, 2, 3][at] ?? 0]], turn);
});

test('a skill is in use where Claude calls it and where its text comes, not where Claude Code lists it', async () => {
  const replayed = await replay(gateway, recordedCalls('skill'));
  assertRecorded(replayed);
  assert.deepEqual(replayed.map(skillsOf), [['skill_tool quarterly-report'], ['skill_text quarterly-report']]);
  const ids = replayed.map(({ document }) => document.event.id);
  assert.deepEqual(await found(gateway, 'marmalade ledger', { skill: 'quarterly-report' }), [ids[1]]);
  assert.deepEqual(await found(gateway, 'obelisk', { skill: 'other-skill' }), []);
  assert.equal(replayed[0]?.document.skilltape.system, null, 'the system prompt is the one of the session before');
});

test('a skill that a person types is recognised with its text', async () => {
  const [replayed] = await replay(gateway, recordedCalls('typed-skill'));
  assert.ok(replayed);
  assertRecorded([replayed]);
  assert.deepEqual(skillsOf(replayed), ['command quarterly-report', 'skill_text quarterly-report']);
});

test('the call that asks for a title repeats the prompt and is noise, with its tokens counted', async () => {
  const replayed = await replay(gateway, recordedCalls('title'));
  assert.deepEqual(
    replayed.map(({ document }) => document.skilltape.noise),
    ['title', null],
  );
  assert.deepEqual(await found(gateway, 'of the marsupial'), [replayed[1]?.document.event.id]);
  await assertUsage(replayed);
});

test('the recorded bodies of a prompt and of the second step of a skill are read whole, with their skill and session', async () => {
  const authorization = `Bearer ${await gateway.token()}`;
  const recorded = JSON.parse(fixture('i_claude_p_headers.json')) as { headers: [string, string][] };
  const own = recorded.headers.filter(([name]) => /^(?:user-agent|x-claude|anthropic-|x-app|x-stainless)/i.test(name));
  const bodies = ['i_claude_p_request.trimmed.json', 'i2_claude_p_skill_turn2_request.trimmed.json'].map(fixture);
  const documents: ExchangeDocument[] = [];
  for (const body of bodies) {
    gateway.fake.script('[fake: answer text]');
    const sent = await gateway.post(body, { ...Object.fromEntries(own), authorization }, '/v1/messages?beta=true');
    documents.push(await gateway.document(sent.exchangeId));
  }
  for (const [at, { skilltape, user_agent: userAgent }] of documents.entries()) {
    assert.deepEqual(
      [skilltape.outcome, skilltape.decoded, skilltape.session.source],
      ['complete', true, 'claude_code_header'],
    );
    assert.equal(userAgent.original, 'claude-cli/2.1.330 (external, sdk-cli)');
    const { messages } = JSON.parse(bodies[at] ?? '');
    assert.deepEqual(levelled(skilltape.new_messages), levelled(messages.slice(skilltape.history.message_count)));
  }
  assert.deepEqual(
    documents.map(({ skilltape }) => skilltape.skill),
    [[], [{ name: 'quarterly-report', version: '', source: 'skill_text' }]],
  );
});

test('a conversation of 100 turns, resent whole each time, makes the index grow by its new text only', async () => {
  const headers = {
    'x-claude-code-session-id': '0e9f7d52-6b4c-4c3e-9d52-1f2f6a7c8b90',
    authorization: `Bearer ${await gateway.token()}`,
  };
  const system = 'You count the parsnips. '.repeat(200);
  const tools = [{ name: 'count', description: 'Counts parsnips. '.repeat(100), input_schema: { type: 'object' } }];
  const messages: { role: string; content: unknown }[] = [];
  const exchangeIds: string[] = [];
  let sentBytes = 0;
  for (let turn = 0; turn < 100; turn += 1) {
    messages.push({ role: 'user', content: `Question parsnip${turn} of a hundred. ${'x y '.repeat(50)}` });
    gateway.fake.script({ answer: { kind: 'text', text: `Answer turnip${turn} of a hundred. ${'u v '.repeat(50)}` } });
    const body = JSON.stringify({ model: 'claude-opus-5-5', max_tokens: 64, system, tools, messages });
    const { exchangeId, body: answer } = await gateway.post(body, headers);
    exchangeIds.push(exchangeId);
    sentBytes += body.length;
    messages.push({ role: 'assistant', content: JSON.parse(answer.toString()).content });
  }
  const documents = await Promise.all(exchangeIds.map((id) => gateway.document(id)));
  for (const [turn, { skilltape }] of documents.entries()) {
    assert.equal(skilltape.history.message_count, 2 * turn);
    assert.deepEqual(skilltape.new_messages, [messages[2 * turn]]);
    assert.deepEqual([skilltape.system !== null, skilltape.tools !== null], [turn === 0, turn === 0]);
  }
  for (const turn of [0, 1, 50, 98, 99]) {
    assert.deepEqual(await found(gateway, `parsnip${turn} of`), [exchangeIds[turn]]);
    assert.deepEqual(await found(gateway, `turnip${turn} of`), [exchangeIds[turn]]);
  }
  const sizes = documents.map((document) => JSON.stringify(document).length);
  assert.ok(Math.max(...sizes.slice(1)) < Math.min(...sizes.slice(1)) + 100, 'no later document is larger');
  const indexed = sizes.reduce((sum, size) => sum + size, 0);
  assert.ok(sentBytes > 6 * indexed, `${sentBytes} bytes sent, ${indexed} indexed`);
});
