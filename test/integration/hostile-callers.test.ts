import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { messagesBody } from '../builders/messages-body.ts';
import { unrecorded } from '../environment/arrivals.ts';
import type { TestGateway } from '../environment/gateway.ts';
import { startTestGateway } from '../environment/gateway.ts';
import type { RawConnection } from '../environment/raw-bytes.ts';
import { connectRaw, dataFrame, frame, headersFrame, http2Preface } from '../environment/raw-bytes.ts';

let gateway: TestGateway;
let token: string;
before(async () => {
  gateway = await startTestGateway();
  token = await gateway.token();
});
after(() => gateway.stop());

const body = messagesBody('of a hostile caller');
const smuggled = (marker: string) => {
  const inner = messagesBody(`smuggled ${marker}`);
  return `POST /v1/messages HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${inner.length}\r\n\r\n${inner}`;
};
const chunked = (...pieces: string[]) =>
  [...pieces, ''].map((piece) => `${piece.length.toString(16)}\r\n${piece}\r\n`).join('');

type Request = { line?: string; headers?: readonly string[]; body?: string; end?: string };

/** A request as text; nothing is added but host and token. */
function text({ line = 'POST /v1/messages HTTP/1.1', headers = [], body: sent = '', end = '\r\n' }: Request): string {
  const usual = ['host: gateway.example', 'content-type: application/json', `authorization: Bearer ${token}`];
  return `${[line, ...usual, ...headers].join(end)}${end}${end}${sent}`;
}

const length = (value: string | number) => `content-length: ${value}`;
const encoding = (value: string) => `transfer-encoding: ${value}`;
const plain = () => text({ headers: [length(body.length)], body });

/** Requests over HTTP/1.1, in the pieces in which they are written. */
const overHttp1: Record<string, () => string[]> = {
  'a plain request': () => [plain()],
  'two requests at once': () => [plain() + plain()],
  'an upgrade to a websocket': () => [
    text({ headers: [length(body.length), 'connection: upgrade', 'upgrade: websocket'], body }),
  ],
  'an upgrade by GET': () => [
    text({
      line: 'GET /v1/models HTTP/1.1',
      headers: ['connection: Upgrade', 'upgrade: websocket', 'sec-websocket-key: eA=='],
    }),
  ],
  'an upgrade to h2c': () => [
    text({
      headers: [length(body.length), 'connection: Upgrade, HTTP2-Settings', 'upgrade: h2c', 'http2-settings: AAMAAABk'],
      body,
    }),
  ],
  'CONNECT to another host': () => [text({ line: 'CONNECT evil.example:443 HTTP/1.1' }) + plain()],
  'CONNECT with a path': () => [text({ line: 'CONNECT /v1/messages HTTP/1.1', headers: [length(body.length)], body })],
  TRACE: () => [text({ line: 'TRACE /v1/messages HTTP/1.1' })],
  'PUT to a known path': () => [text({ line: 'PUT /v1/messages HTTP/1.1', headers: [length(body.length)], body })],
  'a method of its own': () => [text({ line: 'BREW /v1/messages HTTP/1.1', headers: [length(body.length)], body })],
  'expect: 100-continue': () => [text({ headers: [length(body.length), 'expect: 100-continue'] }), body],
  'expect: 100-continue without a body to come': () => [
    text({ headers: [length(body.length), 'expect: 100-continue'] }),
  ],
  'another expectation': () => [text({ headers: [length(body.length), 'expect: 200-ok'], body })],
  'a length and chunks, where the chunks end first': () => [
    text({ headers: [length(1000), encoding('chunked')], body: chunked(body) + smuggled('cl.te') }),
  ],
  'a length that ends first, and chunks': () => [
    text({ headers: [encoding('chunked'), length(4)], body: chunked(smuggled('te.cl')) }),
  ],
  'chunks announced in another spelling': () => [
    text({ headers: [encoding('Chunked'), length(0)], body: chunked(body) + smuggled('spelling') }),
  ],
  'chunks announced with a blank before the colon': () => [
    text({ headers: ['transfer-encoding : chunked', length(body.length)], body: body + smuggled('blank') }),
  ],
  'chunks announced behind a tab': () => [
    text({ headers: ['transfer-encoding:\tchunked', length(5)], body: chunked(body) + smuggled('tab') }),
  ],
  'two encodings': () => [text({ headers: [encoding('chunked, identity')], body: chunked(body) + smuggled('two') })],
  'an encoding twice': () => [
    text({ headers: [encoding('identity'), encoding('chunked')], body: chunked(body) + smuggled('twice') }),
  ],
  'an unknown encoding': () => [text({ headers: [encoding('xchunked'), length(body.length)], body })],
  'a gzip encoding': () => [text({ headers: [encoding('gzip, chunked')], body: chunked(body) })],
  'a folded header': () => [
    text({ headers: ['x-folded: a\r\n transfer-encoding: chunked', length(body.length)], body }),
  ],
  'a folded encoding': () => [text({ headers: ['transfer-encoding:\r\n chunked', length(5)], body: chunked(body) })],
  'two lengths that differ': () => [
    text({ headers: [length(body.length), length(5)], body: body + smuggled('lengths') }),
  ],
  'two lengths that agree': () => [text({ headers: [length(body.length), length(body.length)], body })],
  'lengths as a list': () => [text({ headers: [length(`${body.length}, ${body.length}`)], body })],
  'a signed length': () => [text({ headers: [length(`+${body.length}`)], body })],
  'a negative length': () => [text({ headers: [length(-1)], body: smuggled('negative') })],
  'a length in hex': () => [text({ headers: [length('0x10')], body: body + smuggled('hex') })],
  'a length beyond 64 bits': () => [text({ headers: [length('18446744073709551617')], body: smuggled('beyond') })],
  'bare line feeds': () => [text({ headers: [length(body.length)], body, end: '\n' })],
  'a bare carriage return in a header': () => [
    text({ headers: [`x-a: b\rtransfer-encoding: chunked`, length(body.length)], body: body + smuggled('cr') }),
  ],
  'a zero byte in a header': () => [text({ headers: ['x-a: b\0c', length(body.length)], body })],
  'a header without a name': () => [text({ headers: [': b', length(body.length)], body })],
  'no host': () => [plain().replace('host: gateway.example\r\n', '')],
  'two hosts': () => [text({ headers: ['host: evil.example', length(body.length)], body })],
  'HTTP/1.0': () => [text({ line: 'POST /v1/messages HTTP/1.0', headers: [length(body.length)], body })],
  'HTTP/0.9': () => ['GET /v1/models\r\n\r\n'],
  'HTTP/2.0 as a version': () => [text({ line: 'POST /v1/messages HTTP/2.0', headers: [length(body.length)], body })],
  'a target with another host': () => [
    text({ line: 'POST https://evil.example/v1/messages HTTP/1.1', headers: [length(body.length)], body }),
  ],
  'a target over plain http': () => [
    text({ line: 'POST http://gateway.example/v1/messages HTTP/1.1', headers: [length(body.length)], body }),
  ],
  'a target of another scheme': () => [
    text({ line: 'POST ftp://gateway.example/v1/messages HTTP/1.1', headers: [length(body.length)], body }),
  ],
  'OPTIONS of everything': () => [text({ line: 'OPTIONS * HTTP/1.1' })],
  trailers: () => [
    text({ headers: [encoding('chunked'), 'trailer: x-end'], body: `${chunked(body).slice(0, -2)}x-end: 1\r\n\r\n` }),
  ],
  'trailers that name a length and a token': () => [
    text({
      headers: [encoding('chunked')],
      body: `${chunked(body).slice(0, -2)}content-length: 3\r\nauthorization: Bearer x\r\n\r\n`,
    }),
  ],
  'many small chunks': () => [text({ headers: [encoding('chunked')], body: chunked(...body) })],
  'a chunk extension': () => [
    text({ headers: [encoding('chunked')], body: `${body.length.toString(16)};a="\r\n"\r\n${body}\r\n0\r\n\r\n` }),
  ],
  'a chunk with leading zeros': () => [
    text({ headers: [encoding('chunked')], body: `0000000000${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n` }),
  ],
  'a chunk of immense size': () => [
    text({ headers: [encoding('chunked')], body: `ffffffffffffffff\r\n${body}\r\n0\r\n\r\n` }),
  ],
  'a chunk of a negative size': () => [text({ headers: [encoding('chunked')], body: `-1\r\n${body}\r\n0\r\n\r\n` })],
  'a chunk shorter than it says': () => [
    text({ headers: [encoding('chunked')], body: `${(body.length + 5).toString(16)}\r\n${body}\r\n0\r\n\r\n` }),
  ],
  'bytes behind the last chunk': () => [
    text({ headers: [encoding('chunked')], body: chunked(body) + smuggled('behind') }),
  ],
  'bytes behind the length': () => [text({ headers: [length(body.length)], body: body + smuggled('after') })],
  'a body where none is meant': () => [
    text({ line: 'GET /v1/models HTTP/1.1', headers: [length(body.length)], body: body }),
  ],
  'half of a body': () => [text({ headers: [length(body.length * 2)], body })],
  'one byte at a time': () => [...plain()],
  'a header too long': () => [text({ headers: [`x-long: ${'a'.repeat(100_000)}`, length(body.length)], body })],
  'too many headers': () => [
    text({ headers: [...Array.from({ length: 300 }, (_, at) => `x-${at}: 1`), length(body.length)], body }),
  ],
};

const paths = [
  ...['/v1/%6dessages', '/v1/messages%2f', '/v1%2fmessages', '/v1/%2e%2e/v1/messages', '/v1/../v1/messages'],
  ...[
    '//v1/messages',
    '/v1//messages',
    '/v1/./messages',
    '/../../v1/messages',
    '/v1/messages%00',
    '/v1/messages%0d%0a',
  ],
  ...['/v1/messages;x=/../', '/v1/messages#part', '/v1/messages?a=/../b', '/v1/messages/..%2fmodels', '/v1\\messages'],
  ...[
    '/V1/MESSAGES',
    '/v1/messages/',
    '/v1/messages%252f..',
    '/sandbox/../v1/messages',
    '/sandbox/%2e%2e/v1/messages',
    '*',
  ],
];
for (const path of paths) {
  overHttp1[`the path ${path}`] = () => [text({ line: `POST ${path} HTTP/1.1`, headers: [length(body.length)], body })];
}

type Fields = readonly (readonly [string, string])[];
const pseudo: Fields = [
  [':method', 'POST'],
  [':scheme', 'https'],
  [':authority', 'gateway.example'],
  [':path', '/v1/messages'],
];
const regular = (): Fields => [
  ['content-type', 'application/json'],
  ['authorization', `Bearer ${token}`],
];

/** Requests over HTTP/2 by their headers; the body follows. */
const overHttp2: Record<string, () => Fields> = {
  'a plain request': () => [...pseudo, ...regular()],
  'two paths': () => [...pseudo, [':path', '/v1/models'], ...regular()],
  'two methods': () => [...pseudo, [':method', 'GET'], ...regular()],
  'two authorities': () => [...pseudo, [':authority', 'evil.example'], ...regular()],
  'a path behind other headers': () => [...pseudo.slice(0, 3), ...regular(), [':path', '/v1/messages']],
  'an unknown pseudo header': () => [...pseudo, [':evil', '1'], ...regular()],
  'no path': () => [...pseudo.slice(0, 3), ...regular()],
  'an empty path': () => [...pseudo.slice(0, 3), [':path', ''], ...regular()],
  'no authority': () => [...pseudo.filter(([name]) => name !== ':authority'), ...regular()],
  'a host beside the authority': () => [...pseudo, ...regular(), ['host', 'evil.example']],
  'the scheme http': () => [
    ...pseudo.map(([name, is]) => [name, name === ':scheme' ? 'http' : is] as const),
    ...regular(),
  ],
  CONNECT: () => [[':method', 'CONNECT'], [':authority', 'evil.example:443'], ...regular()],
  'an extended CONNECT': () => [[':method', 'CONNECT'], [':protocol', 'websocket'], ...pseudo.slice(1), ...regular()],
  'a name in capitals': () => [...pseudo, ...regular(), ['X-Upper', '1']],
  'transfer-encoding': () => [...pseudo, ...regular(), ['transfer-encoding', 'chunked']],
  connection: () => [...pseudo, ...regular(), ['connection', 'keep-alive']],
  upgrade: () => [...pseudo, ...regular(), ['upgrade', 'h2c'], ['connection', 'upgrade']],
  'a length that is too short': () => [...pseudo, ...regular(), ['content-length', '5']],
  'a length that is too long': () => [...pseudo, ...regular(), ['content-length', String(body.length + 100)]],
  'a line break in a value': () => [...pseudo, ...regular(), ['x-a', `b\r\ntransfer-encoding: chunked`]],
  'a line break in the path': () => [
    ...pseudo.slice(0, 3),
    [':path', `/v1/models HTTP/1.1\r\nhost: x\r\n\r\nPOST /v1/messages`],
    ...regular(),
  ],
  'a blank in the method': () => [[':method', 'GET /v1/models HTTP/1.1'], ...pseudo.slice(1), ...regular()],
  'a zero byte in a name': () => [...pseudo, ...regular(), ['x-\0a', '1']],
  'a name with a colon': () => [...pseudo, ...regular(), ['x:a', '1']],
  expect: () => [...pseudo, ...regular(), ['expect', '100-continue']],
  'te: gzip': () => [...pseudo, ...regular(), ['te', 'gzip']],
};

/** Nothing is under way any more: a request that was sent after all others is answered. */
async function fence(): Promise<void> {
  const answer = await gateway.post(messagesBody('the fence'), { authorization: `Bearer ${token}` });
  assert.equal(answer.status, 200);
}

async function assertRecorded(
  name: string,
  act: (connection: RawConnection) => Promise<void>,
  protocol: 'http/1.1' | 'h2',
) {
  const before = gateway.fake.requestCount();
  const connection = await connectRaw(gateway, protocol);
  await act(connection);
  await connection.quiet();
  connection.destroy();
  await fence();
  const arrivals = gateway.fake.requests.slice(before);
  assert.deepEqual(await unrecorded(gateway, arrivals), [], name);
  return arrivals.length - 1;
}

test('whatever a caller sends over HTTP/1.1, nothing reaches the upstream without a record of exactly its bytes', async (t) => {
  const passed: string[] = [];
  for (const [name, pieces] of Object.entries(overHttp1)) {
    const count = await assertRecorded(name, async (connection) => connection.write(...pieces()), 'http/1.1');
    if (count > 0) passed.push(`${count} of ${name}`);
  }
  t.diagnostic(`went upstream: ${passed.join(', ')}`);
  assert.ok(passed.includes('1 of a plain request') && passed.includes('2 of two requests at once'));
});

test('a request whose caller closes its side behind it, or in the middle of it, is recorded or does not go up', async () => {
  const whole = await assertRecorded(
    'closed behind',
    async (connection) => {
      connection.write(plain());
      connection.halfClose();
    },
    'http/1.1',
  );
  const half = await assertRecorded(
    'closed in the middle',
    async (connection) => {
      connection.write(text({ headers: [length(body.length * 2)], body }));
      connection.halfClose();
    },
    'http/1.1',
  );
  assert.ok(whole <= 1);
  assert.equal(half, 0);
});

test('whatever a caller sends over HTTP/2, nothing reaches the upstream without a record of exactly its bytes', async (t) => {
  const passed: string[] = [];
  for (const [name, fields] of Object.entries(overHttp2)) {
    const frames = [http2Preface, headersFrame(1, fields(), false), dataFrame(1, body, true)];
    const count = await assertRecorded(name, async (connection) => connection.write(...frames), 'h2');
    if (count > 0) passed.push(`${count} of ${name}`);
  }
  t.diagnostic(`went upstream: ${passed.join(', ')}`);
  assert.ok(passed.includes('1 of a plain request'));
});

test('over HTTP/2, empty data, trailers and streams reset at every place are recorded or do not go up', async () => {
  const start = (stream: number, end = false) => headersFrame(stream, [...pseudo, ...regular()], end);
  const reset = (stream: number) => frame(3, 0, stream, Buffer.from([0, 0, 0, 8]));
  const scenes: Record<string, Buffer[]> = {
    'data of no bytes': [
      start(1),
      ...Array.from({ length: 50 }, () => dataFrame(1, '', false)),
      dataFrame(1, body, true),
    ],
    trailers: [start(1), dataFrame(1, body, false), headersFrame(1, [['x-end', '1']], true)],
    'trailers with a path': [start(1), dataFrame(1, body, false), headersFrame(1, [[':path', '/v1/models']], true)],
    'data behind the end': [start(1), dataFrame(1, body, true), dataFrame(1, body, true)],
    'no data at all': [start(1, true)],
    'a reset behind the headers': [start(1), reset(1)],
    'a reset in the body': [start(1), dataFrame(1, body.slice(0, 20), false), reset(1)],
    'a flood of resets': Array.from({ length: 200 }, (_, at) => [
      start(2 * at + 1),
      dataFrame(2 * at + 1, body, true),
      reset(2 * at + 1),
    ]).flat(),
  };
  for (const [name, frames] of Object.entries(scenes)) {
    await assertRecorded(name, async (connection) => connection.write(http2Preface, ...frames), 'h2');
  }
});
