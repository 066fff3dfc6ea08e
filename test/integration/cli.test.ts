import assert from 'node:assert/strict';
import { userInfo } from 'node:os';
import { after, before, test } from 'node:test';
import type { ExchangeDocument } from '../../extproc/transcript/document.ts';
import { messagesBody } from '../builders/messages-body.ts';
import type { CommandResult } from '../environment/command.ts';
import { skilltape } from '../environment/command.ts';
import type { TestGateway } from '../environment/gateway.ts';
import { startTestGateway } from '../environment/gateway.ts';

let gateway: TestGateway;
const ids: Record<'castle' | 'bridge' | 'sandbox' | 'denied', string> = {
  castle: '',
  bridge: '',
  sandbox: '',
  denied: '',
};
let session = '';

before(async () => {
  gateway = await startTestGateway();
  const ask = async (subject: string, text: string, path?: string, more: Record<string, unknown> = {}) => {
    const headers = {
      authorization: `Bearer ${await gateway.token(subject)}`,
      'x-claude-code-session-id': 'a-session',
    };
    const { exchangeId } = await gateway.post(messagesBody(text, more), headers, path);
    await gateway.document(exchangeId);
    return exchangeId;
  };
  ids.castle = await ask('alice', 'Who built the castle of Passau? Write to jane.doe@example.com.');
  ids.bridge = await ask('alice', 'The castle bridge over the Inn');
  ids.sandbox = await ask('bob', 'Inn castle, not in this order', '/sandbox/v1/messages');
  ids.denied = await ask('bob', 'A castle in a model that is denied', undefined, { model: 'claude-mythos-1' });
  session = (await gateway.document(ids.castle)).skilltape.session.id;
});
after(() => gateway.stop());

const run = (...args: string[]): Promise<CommandResult> => skilltape(['--config', gateway.configFile, ...args]);

/** The ids that a search finds, newest first. */
async function found(...args: string[]): Promise<string[]> {
  const { stdout, stderr, status } = await run('search', '--json', ...args);
  assert.ok(status === 0 || (status === 1 && stdout === ''), stderr);
  return documents(stdout).map(({ event }) => event.id);
}

function documents(stdout: string): ExchangeDocument[] {
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
}

const searches: [name: string, args: () => string[], expected: () => string[]][] = [
  ['words that all occur', () => ['castle', 'inn'], () => [ids.sandbox, ids.bridge]],
  ['a phrase', () => ['"castle bridge"'], () => [ids.bridge]],
  ['a prefix', () => ['pass*'], () => [ids.castle]],
  ['a word of the answer', () => ['polite* thank*'], () => []],
  ['a user by e-mail address', () => ['--user', 'BOB@example.com'], () => [ids.denied, ids.sandbox]],
  ['a user by id, with words', () => ['--user', 'alice', 'bridge'], () => [ids.bridge]],
  ['a user by name', () => ['--user', 'Bob Brown', '--outcome', 'denied'], () => [ids.denied]],
  ['a connection', () => ['--connection', 'sandbox'], () => [ids.sandbox]],
  ['a session', () => ['--session', session], () => [ids.bridge, ids.castle]],
  [
    'a time range that holds everything',
    () => ['--from', '-1h', '--to', '2999-01-01'],
    () => [ids.denied, ids.sandbox, ids.bridge, ids.castle],
  ],
  ['a time range in the past', () => ['--from', '2020-01-01', '--to', '2020-12-31'], () => []],
  ['a value that was masked', () => ['jane.doe@example.com'], () => []],
  ['query operators as words', () => ['castle', 'OR', 'bridge) --'], () => []],
];

for (const [name, args, expected] of searches) {
  test(`search by ${name}`, async () => {
    assert.deepEqual(await found(...args()), expected());
  });
}

test('search goes on where a page ended', async () => {
  const first = await run('search', '--json', '--limit', '3', 'castle');
  const before = /--before (\S+)/.exec(first.stderr)?.[1] ?? '';
  const pages = [
    ...documents(first.stdout).map(({ event }) => event.id),
    ...(await found('--limit', '3', '--before', before, 'castle')),
  ];
  assert.deepEqual(pages, [ids.denied, ids.sandbox, ids.bridge, ids.castle]);
});

test('search without --json prints a line that a person can read, with the id to show', async () => {
  const { status, stdout } = await run('search', 'bridge');
  assert.equal(status, 0);
  assert.match(stdout, /alice/i);
  assert.ok(stdout.includes(ids.bridge));
});

test('search that finds nothing says so on standard error and ends with 1', async () => {
  const { status, stdout, stderr } = await run('search', 'zeppelin');
  assert.deepEqual([status, stdout], [1, '']);
  assert.match(stderr, /Nothing found/);
});

test('show prints the transcript of an exchange, masked', async () => {
  const { status, stdout } = await run('show', ids.castle);
  assert.equal(status, 0);
  assert.match(stdout, /Who built the castle of Passau\?/);
  assert.match(stdout, /I am only a fake/);
  assert.match(stdout, /\[EMAIL:/);
  assert.doesNotMatch(stdout, /jane\.doe/);
});

test('show of a denied exchange says which rule denied it', async () => {
  const { stdout } = await run('show', ids.denied);
  assert.match(stdout, /model_denied/);
});

test('show prints a session in the order of time', async () => {
  const { status, stdout } = await run('show', '--json', session);
  assert.equal(status, 0);
  assert.deepEqual(
    documents(stdout).map(({ event }) => event.id),
    [ids.castle, ids.bridge],
  );
  const text = (await run('show', session)).stdout;
  assert.ok(text.indexOf('Who built the castle') < text.indexOf('The castle bridge'));
});

test('show --json prints the document as it is in the index', async () => {
  const { stdout } = await run('show', '--json', ids.castle);
  assert.deepEqual(documents(stdout), [JSON.parse(JSON.stringify(await gateway.document(ids.castle)))]);
});

test('show of an unknown id ends with 1', async () => {
  const { status, stderr } = await run('show', '01900000-0000-7000-8000-000000000000');
  assert.equal(status, 1);
  assert.match(stderr, /No exchange and no session/);
});

test('dump lists the records of an exchange in their order, bodies by size alone', async () => {
  const { status, stdout } = await run('dump', ids.castle);
  assert.equal(status, 0);
  const records = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  // In how many pieces a body comes is Envoy's affair.
  const kinds = records.map(({ kind }) => kind).filter((kind, at, all) => kind !== all[at - 1]);
  assert.deepEqual(kinds, ['started', 'request_body', 'decided', 'answer_started', 'answer_body', 'finished']);
  assert.ok(records.every(({ exchange }) => exchange === ids.castle));
  assert.equal(
    records[1]?.bytes,
    Buffer.byteLength(messagesBody('Who built the castle of Passau? Write to jane.doe@example.com.')),
  );
  assert.doesNotMatch(stdout, /Passau|jane\.doe|only a fake/);
});

test('dump --check finds the journal whole while the processor writes it', async () => {
  const { status, stdout } = await run('dump', '--check');
  assert.equal(status, 0);
  assert.notEqual(JSON.parse(stdout).status, 'corrupt');
});

test('every look is listed: who, what, when, and why when they said so, newest first', async () => {
  await run('search', '--user', 'bob', '--why', 'ticket 4711', 'castle');
  await run('show', ids.bridge);
  await run('show', 'nothing-of-this-name');
  await run('dump', ids.sandbox);
  await run('dump', '--check');
  const { status, stdout } = await run('looks', '--json', '--limit', '6');
  assert.equal(status, 0);
  const looks = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  const { username, uid } = userInfo();
  assert.deepEqual(
    looks.map(({ what, subject, why }) => [what, subject, why]),
    [
      ['looks', 'the list of looks', undefined],
      ['dump', 'check', undefined],
      ['dump', ids.sandbox, undefined],
      ['show', 'nothing-of-this-name', undefined],
      ['show', ids.bridge, undefined],
      ['search', 'text: castle\nuser: bob', 'ticket 4711'],
    ],
  );
  assert.ok(looks.every(({ who }) => who.osUser === username && who.uid === uid));
  assert.ok(looks.every(({ time }) => Math.abs(Date.now() - Date.parse(time)) < 3_600_000));
  const { stdout: text } = await run('looks');
  assert.ok(text.includes(`${username} (uid ${uid}`));
  assert.match(text, /search {2}text: castle.*ticket 4711/);
});

test('a search that is refused as mistyped reads nothing', async () => {
  const { status, stdout, stderr } = await run('search', '--from', 'yesterday-ish');
  assert.deepEqual([status, stdout], [2, '']);
  assert.match(stderr, /is not a time/);
});
