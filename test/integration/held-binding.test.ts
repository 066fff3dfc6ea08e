/** What an approval is bound to and how often it counts, with two workers and many requests at once. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { approval } from '../builders/approval.ts';
import { type HeldStreams, heldQuestion, startHeldStreams } from '../environment/held-streams.ts';
import { waitUntil } from '../environment/wait.ts';

let held: HeldStreams;
before(async () => {
  held = await startHeldStreams({ workers: 2, approvals: { holdMaxMs: 20_000 } });
});
after(() => held[Symbol.asyncDispose]());

const plain = { stream: false };

type Told = { status: number; text: string };

async function told(body: string, options?: Parameters<HeldStreams['begin']>[1]): Promise<Told> {
  const response = await held.begin(body, options);
  return { status: response.status, text: await response.text() };
}

/** A turn of an agent: the model called a tool, and here is what that gave. */
function toolTurn(marker: string, { input = {}, block = {}, result = {} } = {}): string {
  const messages = [
    { role: 'user', content: [{ type: 'text', text: 'write to ada@example.com', ...block }] },
    { role: 'assistant', content: [{ type: 'tool_use', id: 'toolu_1', name: 'send', input: { to: 'ada', ...input } }] },
    { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'toolu_1', content: `${marker}: sent`, ...result }] },
  ];
  return JSON.stringify({ model: 'claude-opus-5-5', max_tokens: 64, stream: false, messages });
}

const ephemeral = { cache_control: { type: 'ephemeral' } };

test('marks for prompt caching may move; one byte of what a tool was given, or a mark within it, is another request', async () => {
  const left = new AbortController();
  const first = told(toolTurn('marks'), { signal: left.signal }).catch(() => null);
  const ticket = await held.ticketOf('marks');
  left.abort();
  await first;
  const moved = told(toolTurn('marks', { block: ephemeral, result: ephemeral }));
  const changed = [
    toolTurn('marks', { input: { to: 'adb' } }),
    toolTurn('marks', { input: ephemeral }),
    toolTurn('marks', { block: { cache_control: { type: 'ephemeral', ttl: '2h' } } }),
  ].map((body) => told(body));
  await waitUntil('each has its ticket', () => held.ticketsOf('marks').length === 4);
  held.approve(ticket);
  assert.equal((await moved).status, 200);
  assert.deepEqual(held.arrivals('marks'), [toolTurn('marks', { block: ephemeral, result: ephemeral })]);
  for (const each of held.ticketsOf('marks')) {
    if (each.ticket !== ticket) held.tickets.decide(each.ticket, { ...denied, by: approval().by }, Date.now());
  }
  for (const { status } of await Promise.all(changed)) assert.equal(status, 403);
  assert.equal(held.arrivals('marks').length, 1);
});

const denied = { kind: 'deny' as const, reason: 'that is another one' };

test('a body with a key twice is refused at once: nobody is asked about what two readers would read differently', async () => {
  const body = heldQuestion('twice', plain);
  for (const twice of [
    body.replace('"model":', '"max_tokens":1,"model":'),
    body.replace('"messages":', '"m\\u0065ssages":[{"role":"user","content":"harmless"}],"messages":'),
    body.replace('"role":"user"', '"role":"assistant","role":"user"'),
  ]) {
    const { status, text } = await told(twice);
    assert.equal(status, 400, text);
  }
  assert.deepEqual([held.ticketsOf('twice'), held.arrivals('twice')], [[], []]);
});

test('the same bytes to another connection, by another person or with another query are requests of their own', async () => {
  const left = new AbortController();
  const body = heldQuestion('elsewhere', plain);
  const waiting = [told(body, { signal: left.signal }), told(body, { subject: 'bob', signal: left.signal })];
  const authorization = `Bearer ${await held.gateway.token('alice')}`;
  const headers = { authorization, 'content-type': 'application/json', 'anthropic-version': '2023-06-01' };
  const ways = [
    ['/sandbox/v1/messages', {}],
    ['/v1/messages?beta=true', {}],
    ['/v1/messages', { 'anthropic-beta': 'context-1m-2025-08-07' }],
    ['/v1/messages', { 'anthropic-version': '2026-10-21' }],
  ] as const;
  for (const [path, more] of ways) {
    const init = { method: 'POST', body, headers: { ...headers, ...more }, signal: left.signal };
    waiting.push(held.gateway.fetch(`${held.gateway.url}${path}`, init as never) as never);
  }
  await waitUntil('each has its ticket', () => held.ticketsOf('elsewhere').length === 2 + ways.length);
  left.abort();
  await Promise.allSettled(waiting);
});

test('of 50 requests of a session at once as many pass as the approval says, each once, and the others are held', async () => {
  const session = { metadata: { user_id: JSON.stringify({ session_id: 'bounded-session' }) } };
  const left = new AbortController();
  const body = (at: number) => heldQuestion(`bounded-${at}-`, { ...plain, ...session });
  const opening = told(body(0), { signal: left.signal }).catch(() => null);
  const ticket = await held.ticketOf('bounded-0-');
  left.abort();
  await opening;
  const uses = 20;
  const scope = approval('grace', { scope: 'session', uses });
  assert.equal(held.tickets.decide(ticket, scope, Date.now()).kind, 'recorded');
  const rest = new AbortController();
  const answers = Array.from({ length: 50 }, (_, at) => told(body(at + 1), { signal: rest.signal }).catch(() => null));
  await waitUntil('the others are held', () => held.ticketsOf('bounded-').length === 1 + 50 - uses, 60_000);
  rest.abort();
  const passed = (await Promise.all(answers)).filter((answer) => answer?.status === 200);
  assert.equal(passed.length, uses);
  assert.equal(new Set(held.arrivals('bounded-')).size, uses);
  assert.equal(held.arrivals('bounded-').length, uses);
  assert.equal(held.tickets.read(ticket, Date.now())?.state.kind, 'used');
});
