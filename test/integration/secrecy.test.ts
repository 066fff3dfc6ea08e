import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { messagesBody } from '../builders/messages-body.ts';
import { filesUnder, formsOf, sightings, tablesOf } from '../environment/byte-scan.ts';
import { skilltape } from '../environment/command.ts';
import type { TestGateway } from '../environment/gateway.ts';
import { startTestGateway, upstreamKey } from '../environment/gateway.ts';
import type { HeaderPairs, HttpsAnswer } from '../environment/https-call.ts';
import { httpsCall, pairs } from '../environment/https-call.ts';
import { operationsOf } from '../environment/operations-call.ts';

/** Envoy's secrets, skilltape's keys and the certificates: the only files that may hold something secret in the clear. */
const keyFiles = /^(sds\/|data\/keys\/|gateway\.key$|ca\.pem$)/;

const letters = (count: number) =>
  randomBytes(count * 2)
    .toString('base64')
    .replace(/[^A-Za-z0-9]/g, '')
    .slice(0, count);
const secret = () => `sk-ant-api03-${letters(93)}AA`;

/** One secret for each place in which a caller or an upstream may put one; what is found tells where it leaked. */
const planted = Object.fromEntries(
  [
    ...['prompt', 'system', 'tool argument', 'tool argument key', 'tool result', 'tool name', 'tool description'],
    ...['document title', 'file name', 'model', 'user agent', 'beta header', 'metadata', 'stop sequence'],
    ...['answer text', 'answer tool input', 'upstream error', 'stream error', 'content encoding', 'malformed body'],
    ...['unknown field', 'content type', 'message role', 'session header', 'looked for', 'looked up', 'reason'],
  ].map((place) => [place, secret()]),
);
const headers = {
  cookie: `session=${letters(40)}`,
  'proxy-authorization': `Basic ${letters(40)}`,
  'x-team-token': letters(40),
  'x-amz-security-token': letters(60),
  'x-custom': `Bearer ${letters(40)}`,
};
/** An ordinary word: the masked copy may have it, the sealed record and the logs not. */
const ordinary = `Zwiebelkuchen${letters(12)}`;

let gateway: TestGateway;
let alice: string;
let bob: string;
const exchanges: string[] = [];

before(async () => {
  gateway = await startTestGateway({ settings: { log: { level: 'trace' } }, keepBodies: true });
  alice = await gateway.token('alice');
  bob = await gateway.token('bob');
});
after(() => gateway.stop());

async function call(body: string, more: HeaderPairs = [], path = '/v1/messages'): Promise<HttpsAnswer> {
  const own = new Set(more.map(([name]) => name));
  const usual = [
    ['content-type', 'application/json'],
    ['anthropic-version', '2023-06-01'],
    ['authorization', `Bearer ${alice}`],
  ] as const;
  const answer = await httpsCall(gateway, {
    headers: [...usual.filter(([name]) => !own.has(name)), ...more],
    body,
    path,
  });
  if (answer.exchangeId !== '') exchanges.push(answer.exchangeId);
  return answer;
}

function of(place: string): string {
  const value = planted[place];
  assert.ok(value, place);
  return value;
}

function frame(data: { type: string } & Record<string, unknown>): string {
  return `event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`;
}

/** A stream whose blocks hold the value cut in two, each block at another offset. */
function splitStream(start: object, deltas: (first: string, second: string) => object[], value: string): string {
  const blocks = Array.from({ length: value.length - 1 }, (_, at) => [
    frame({ type: 'content_block_start', index: at, content_block: start }),
    ...deltas(value.slice(0, at + 1), value.slice(at + 1)).map((delta) =>
      frame({ type: 'content_block_delta', index: at, delta }),
    ),
    frame({ type: 'content_block_stop', index: at }),
  ]);
  const message = {
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model: 'claude-opus-5-5',
    content: [],
    stop_reason: null,
    usage: { input_tokens: 1, output_tokens: 1 },
  };
  return [
    frame({ type: 'message_start', message }),
    ...blocks.flat(),
    frame({
      type: 'message_delta',
      delta: { stop_reason: 'end_turn', stop_sequence: null },
      usage: { output_tokens: 1 },
    }),
    frame({ type: 'message_stop' }),
  ].join('');
}

async function sendEverything(): Promise<void> {
  const conversation = {
    system: [{ type: 'text', text: `Use ${of('system')} for the service.` }],
    tools: [
      {
        name: `t_${of('tool name')}`.slice(0, 128),
        description: `needs ${of('tool description')}`,
        input_schema: { type: 'object' },
      },
    ],
    metadata: { user_id: of('metadata') },
    stop_sequences: [of('stop sequence')],
    zz_unknown: { deep: [of('unknown field')] },
    messages: [
      {
        role: 'user',
        content: [
          { type: 'text', text: `${ordinary} ${of('prompt')}` },
          {
            type: 'document',
            title: of('document title'),
            source: { type: 'text', media_type: 'text/plain', data: 'x' },
          },
        ],
      },
      {
        role: 'assistant',
        content: [
          {
            type: 'tool_use',
            id: 'toolu_1',
            name: 'open',
            input: { path: `/home/a/${of('file name')}.txt`, key: of('tool argument'), [of('tool argument key')]: 1 },
          },
        ],
      },
      {
        role: 'user',
        content: [{ type: 'tool_result', tool_use_id: 'toolu_1', content: `env: API_KEY=${of('tool result')}` }],
      },
    ],
  };
  const client: HeaderPairs = [
    ...Object.entries(headers),
    ['user-agent', `tool/1 ${of('user agent')}`],
    ['anthropic-beta', `${of('beta header')},x`],
    ['x-claude-code-session-id', of('session header')],
  ];
  assert.equal((await call(messagesBody('', conversation), client)).status, 200);
  assert.equal(
    (
      await call(messagesBody(ordinary), [
        ['authorization', `Bearer ${bob}`],
        ['x-api-key', alice],
      ])
    ).status,
    401,
  );
  assert.equal(
    (await call(messagesBody(ordinary), [], `/v1/messages?access_token=${bob}&api_key=${of('prompt')}`)).status,
    401,
  );
  assert.equal((await call(messagesBody('Hi'), [], `/v1/messages?beta=true&api_key=${of('prompt')}`)).status, 200);
  await call(messagesBody(ordinary, { model: of('model') }));
  await call(messagesBody(ordinary), [['content-encoding', of('content encoding')]]);
  await call(messagesBody(ordinary), [['content-type', of('content type')]]);
  await call(`{"model":"claude-opus-5-5","key":"${of('malformed body')}" oops`);
  await call(messagesBody('', { messages: [{ role: of('message role'), content: 'x' }] }));
  gateway.fake.script({
    answer: { kind: 'error', status: 400, message: `the key ${of('upstream error')} is not valid` },
  });
  await call(messagesBody('Hi'));
}

async function answerWithSecrets(): Promise<void> {
  const text = splitStream(
    { type: 'text', text: '' },
    (...cut) => cut.map((part) => ({ type: 'text_delta', text: part })),
    of('answer text'),
  );
  const input = splitStream(
    { type: 'tool_use', id: 'toolu_1', name: 'open', input: {} },
    (first, second) =>
      [`{"arg":"${first}`, `${second}"}`].map((part) => ({ type: 'input_json_delta', partial_json: part })),
    of('answer tool input'),
  );
  const error = frame({ type: 'error', error: { type: 'api_error', message: `failed with ${of('stream error')}` } });
  for (const body of [text, input, error]) {
    const type = { 'content-type': 'text/event-stream' };
    gateway.fake.script({ answer: { kind: 'raw', status: 200, headers: type, body }, bytesPerWrite: 7 * 64 });
    assert.equal((await call(messagesBody('Hi', { stream: true }))).status, 200);
  }
}

/** What people look for is written down too, and what they are shown goes to a terminal. */
async function look(): Promise<Map<string, Buffer>> {
  const config = ['--config', gateway.configFile];
  const commands = [
    ['search', of('looked for')],
    ['search', '--why', of('reason')],
    ['show', of('looked up')],
    ['search', '--json', '--limit', '1000'],
    ...exchanges.slice(0, 3).flatMap((id) => [
      ['show', id],
      ['show', '--json', id],
    ]),
    ['dump'],
    ['looks', '--json'],
  ];
  const shown = new Map<string, Buffer>();
  for (const command of commands) {
    const { stdout, stderr } = await skilltape([...config, ...command]);
    // An id that nobody has is said back to the person who typed it.
    if (command.includes(of('looked up'))) continue;
    shown.set(`skilltape ${command.slice(0, 1)} …`.concat(String(shown.size)), Buffer.from(stdout + stderr));
  }
  return shown;
}

/** What the listener for health and figures says, by path; also to whoever asks for a path of their own. */
async function operationsAnswers(): Promise<Map<string, Buffer>> {
  const { ask } = operationsOf(gateway);
  const paths = ['/metrics', '/readyz', '/healthz', `/${of('looked for')}`];
  const answers = await Promise.all(paths.map(async (path) => [path, Buffer.from((await ask(path)).body)] as const));
  assert.ok(answers[0]?.[1].includes('skilltape_exchanges_total{outcome="complete",connection="claude"}'));
  return new Map(answers.map(([path, body], at) => [at < 3 ? path : 'a path that is not there', body]));
}

const callers = () => ({
  'the token of alice': alice,
  'its signature': alice.split('.')[2] ?? alice,
  'the token of bob': bob,
  'its signature too': bob.split('.')[2] ?? bob,
});

function assertNowhere(haystacks: ReadonlyMap<string, Buffer>): void {
  const bare = Object.entries(headers).map(
    ([name, value]) => [name, value.replace(/^(Basic |Bearer |session=)/, '')] as const,
  );
  const all = [
    ...Object.entries(planted),
    ...bare,
    ...Object.entries(callers()),
    ['the upstream key', upstreamKey] as const,
  ];
  const leaks = all.flatMap(([name, value]) =>
    sightings(value, haystacks).map((found) => `${name}: ${found.form} in ${found.place}`),
  );
  assert.deepEqual(leaks, []);
}

function databases(): Map<string, Buffer> {
  return new Map(['index.sqlite', 'looks.sqlite'].flatMap((file) => [...tablesOf(join(gateway.dataDirectory, file))]));
}

test('the scan finds a value in every form that it looks for', (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'skilltape-scan-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const value = `${secret()}"/+ü`;
  for (const [name, bytes] of formsOf(value))
    writeFileSync(join(directory, name), Buffer.concat([Buffer.from('before '), bytes, Buffer.from(' after')]));
  writeFileSync(join(directory, 'real base64'), Buffer.from(`{"x":"${value}"}`).toString('base64'));
  const found = new Set(sightings(value, filesUnder(directory, /^$/)).map(({ place }) => place));
  assert.deepEqual([...found].toSorted(), [...formsOf(value).keys(), 'real base64'].toSorted());
});

test('no credential and no planted secret is readable in any file or output of the gateway, running and stopped', async () => {
  await sendEverything();
  await answerWithSecrets();
  for (const id of exchanges) await gateway.document(id);
  const shown = await look();
  assertNowhere(shown);
  const answers = await operationsAnswers();
  assertNowhere(answers);
  // Not even who called, with whom or about what: whoever reaches the listener is asked for nothing.
  const people = ['alice', 'bob@', ordinary, 'claude-opus', ...exchanges];
  for (const [path, answer] of answers) for (const name of people) assert.ok(!answer.includes(name), `${path} ${name}`);
  assertNowhere(new Map([...filesUnder(gateway.directory, keyFiles), ...databases()]));
  // Envoy and the processor write the rest of their logs when they end.
  await gateway.envoy.child.stop();
  await gateway.processor.stop();
  const files = filesUnder(gateway.directory, keyFiles);
  assertNowhere(new Map([...files, ...databases()]));
  const expected = ['access.log', 'envoy.log', 'processor.log', 'data/index.sqlite', 'data/looks.sqlite'];
  for (const file of expected) assert.ok(files.has(file), file);
  assert.ok([...files.keys()].some((file) => file.startsWith('data/journal/')));
  assert.ok((files.get('access.log')?.toString().split('\n').length ?? 0) > exchanges.length);
});

test('the text of a prompt is in the masked copy, and in neither journal nor log', () => {
  const places = (haystacks: Map<string, Buffer>) => sightings(ordinary, haystacks).map(({ place }) => place);
  const files = filesUnder(gateway.directory, keyFiles);
  assert.deepEqual(
    [...new Set(places(files))].filter((file) => !file.startsWith('data/index.sqlite')),
    [],
  );
  assert.notDeepEqual(places(databases()), []);
});

test('the masked copy says how many secrets there were, and shows where', async () => {
  const [first] = exchanges;
  const { skilltape: record } = await gateway.document(first);
  assert.equal(record.masking.status, 'masked');
  const secrets = record.masking.findings.filter(({ type }) => type === 'SECRET');
  const total = secrets.reduce((sum, { count }) => sum + count, 0);
  assert.ok(total >= 7, JSON.stringify(record.masking));
  assert.deepEqual(
    secrets.map(({ place }) => place),
    ['file', 'messages', 'system', 'tool_result', 'tools'],
  );
  assert.match(JSON.stringify(record.new_messages), /\[SECRET:/);
});

test('the upstream saw the injected key in every request, and never a credential of the caller', () => {
  assert.ok(gateway.fake.requests.length >= 6);
  for (const { headers: raw, path } of gateway.fake.requests) {
    const list = pairs(raw);
    assert.deepEqual(
      list.filter(([name]) => name === 'x-api-key'),
      [['x-api-key', upstreamKey]],
    );
    for (const name of ['authorization', 'proxy-authorization', 'cookie'])
      assert.ok(!list.some(([other]) => other === name), name);
    const head = new Map([['head', Buffer.from(`${path}\n${raw.join('\n')}`)]]);
    for (const [name, value] of Object.entries(callers())) assert.deepEqual(sightings(value, head), [], name);
  }
});

test('what a caller plants in a body goes upstream as it is: only records are masked', () => {
  const bodies = gateway.fake.requests.map(({ body }) => body?.toString() ?? '');
  assert.ok(bodies[0]?.includes(of('prompt')));
  assert.ok(bodies[0]?.includes(of('tool argument key')));
});
