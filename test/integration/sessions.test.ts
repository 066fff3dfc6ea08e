import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { brotliCompressSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { readJournal } from '../environment/journal-view.ts';
import type { CallOptions, ScriptedAnswer, ScriptedGateway } from '../environment/scripted-upstream.ts';
import { startScriptedGateway } from '../environment/scripted-upstream.ts';
import { waitUntil } from '../environment/wait.ts';

let gateway: ScriptedGateway;
/** What the upstream answers next. */
let next: ScriptedAnswer = {};
before(async () => {
  const connection = { identityProviders: ['idp'] };
  const connections = { claude: connection, other: connection };
  gateway = await startScriptedGateway({ connections, sharedWorkspace: true, answer: () => next });
});
after(() => gateway.stop());

const question = { model: 'claude-opus-5-5', max_tokens: 64, messages: [{ role: 'user', content: 'Go on' }] };
const codeTool = { type: 'code_execution_20260521', name: 'code_execution' };

function message(id: string, container: string | null): Record<string, unknown> {
  const usage = { input_tokens: 1, output_tokens: 1 };
  const holds = container === null ? null : { id: container, expires_at: '2026-01-01T00:00:00Z', skills: [] };
  return { id, type: 'message', role: 'assistant', content: [], stop_reason: 'end_turn', usage, container: holds };
}

type Encodable = { headers?: Record<string, string>; body: string | Buffer[] };
type Sent = (id: string, container: string | null) => Encodable;

const whole: Sent = (id, container) => ({ body: JSON.stringify(message(id, container)) });
const streamed: Sent = (id, container) => ({
  headers: { 'content-type': 'text/event-stream' },
  body: [
    { type: 'message_start', message: message(id, null) },
    { type: 'message_delta', delta: { container: message(id, container).container }, usage: { output_tokens: 1 } },
    { type: 'message_stop' },
  ].map((event) => Buffer.from(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`)),
});
const encodedBy =
  (encoding: string, encode: (bytes: Uint8Array) => Buffer, inner: Sent): Sent =>
  (id, container) => {
    const { headers, body } = inner(id, container);
    const bytes = encode(Buffer.concat(typeof body === 'string' ? [Buffer.from(body)] : body));
    return { headers: { ...headers, 'content-encoding': encoding }, body: [bytes.subarray(0, 20), bytes.subarray(20)] };
  };

const forms: Record<string, Sent> = {
  'a JSON answer': whole,
  'a stream': streamed,
  'a JSON answer in gzip': encodedBy('gzip', gzipSync, whole),
  'a stream in gzip': encodedBy('gzip', gzipSync, streamed),
  'a stream in br': encodedBy('br', brotliCompressSync, streamed),
  'a stream in zstd': encodedBy('zstd', zstdCompressSync, streamed),
};

/** The session of one message request with these fields beside the question. */
async function sessionOf(answer: ScriptedAnswer, fields: Record<string, unknown>, more: CallOptions & Path = {}) {
  next = answer;
  const { path = '/v1/messages', ...options } = more;
  const answered = await gateway.call(path, { ...options, body: { ...question, ...fields } });
  assert.equal(answered.status, 200, answered.body.toString());
  const session = answered.header('x-skilltape-session') ?? '';
  return { session, exchange: answered.exchangeId };
}
type Path = { path?: string };

let number = 0;
function fresh(kind: string): string {
  number += 1;
  return `${kind}_${number}`;
}

for (const [form, sent] of Object.entries(forms)) {
  test(`the container of ${form} carries the session on, for that person and connection alone`, async () => {
    const container = fresh('container');
    const first = await sessionOf(sent(fresh('msg'), container), { tools: [codeTool] });
    assert.equal(first.session, first.exchange);
    const again = () => sent(fresh('msg'), container);
    const second = await sessionOf(again(), { container });
    const third = await sessionOf(again(), { container: { id: container, skills: [] } });
    assert.deepEqual([second.session, third.session], [first.session, first.session]);
    const bob = await sessionOf(again(), { container }, { person: 'bob' });
    const elsewhere = await sessionOf(again(), { container }, { path: '/other/v1/messages' });
    assert.equal(new Set([first.session, bob.session, elsewhere.session]).size, 3);
  });

  test(`the messages of a thread are one session by ${form}, for that person and connection alone`, async () => {
    const ids = [fresh('msg'), fresh('msg'), fresh('msg')] as const;
    const first = await sessionOf(sent(ids[0], null), { thread: { type: 'create' } });
    const go = (id: string) => ({ thread: { type: 'continue', previous_message_id: id } });
    const second = await sessionOf(sent(ids[1], null), go(ids[0]));
    const third = await sessionOf(sent(ids[2], null), go(ids[1]));
    assert.equal(first.session, first.exchange);
    assert.deepEqual([second.session, third.session], [first.session, first.session]);
    const bob = await sessionOf(sent(fresh('msg'), null), go(ids[1]), { person: 'bob' });
    const elsewhere = await sessionOf(sent(fresh('msg'), null), go(ids[1]), { path: '/other/v1/messages' });
    assert.equal(new Set([first.session, bob.session, elsewhere.session]).size, 3);
  });
}

test("two people who send the same session id have two sessions, and a person's requests share theirs", async () => {
  const id = '00000000-0000-4000-8000-000000000000';
  const header = { headers: [['x-claude-code-session-id', id]] as const };
  const old = { metadata: { user_id: `user_${'0a'.repeat(32)}_account__session_${id}` } };
  const now = { metadata: { user_id: JSON.stringify({ device_id: 'd', account_uuid: '', session_id: id }) } };
  const answer = whole(fresh('msg'), null);
  const byHeader = await sessionOf(answer, now, header);
  assert.match(byHeader.session, /^s-[0-9a-f]{32}$/);
  assert.equal((await sessionOf(answer, {}, header)).session, byHeader.session);
  assert.notEqual((await sessionOf(answer, now, { ...header, person: 'bob' })).session, byHeader.session);
  const byUser = await sessionOf(answer, now);
  assert.equal((await sessionOf(answer, old)).session, byUser.session);
  assert.notEqual((await sessionOf(answer, now, { person: 'bob' })).session, byUser.session);
});

test('a managed session is one session per person, and its event stream that ends is complete', async () => {
  const path = '/v1/sessions/sess_1/events/stream';
  const event = 'event: agent.message\ndata: {"type":"agent.message"}\n\n';
  next = { headers: { 'content-type': 'text/event-stream' }, body: [Buffer.from(event), Buffer.from(event)] };
  const stream = await gateway.call(path);
  assert.equal(stream.body.toString(), event + event);
  const last = await waitUntil('the end in the record', async () => {
    const entry = (await readJournal(gateway.dataDirectory)).find(({ id }) => id === stream.exchangeId);
    const record = entry?.records.at(-1);
    return record?.kind === 'finished' ? record : undefined;
  });
  assert.equal(last.finished.outcome, 'complete');
  const session = stream.header('x-skilltape-session');
  assert.match(session ?? '', /^s-/);
  assert.equal((await gateway.call('/v1/sessions/sess_1/threads')).header('x-skilltape-session'), session);
  assert.notEqual((await gateway.call(path, { person: 'bob' })).header('x-skilltape-session'), session);
});
