import assert from 'node:assert/strict';
import { test } from 'node:test';
import { brotliCompressSync, gzipSync, zstdCompressSync } from 'node:zlib';
import type { Action, Frame } from '../../../extproc/exchange/frame.ts';
import type { HeaderList } from '../../../extproc/exchange/headers.ts';
import type { ExchangeLimits } from '../../../extproc/exchange/ports.ts';
import { encoders, storedBlock } from '../../builders/encoders.ts';
import { question, requestBody, requestHeaders } from './frames.ts';
import type { Rig } from './rig.ts';
import { createRig, deny, play } from './rig.ts';

const MiB = 1024 * 1024;
const roomy = { heldBodyPerCallerMaxBytes: 512 * MiB, requestBodyMaxBytes: 16 * MiB, heldBodyMaxBytes: 32 * MiB };

function bytesOf(text: string | Uint8Array): Extract<Frame, { kind: 'request_body' }> {
  return { kind: 'request_body', body: Buffer.from(text), endOfStream: false };
}

function framesOf(headers: HeaderList, chunks: readonly Uint8Array[]): Frame[] {
  return [requestHeaders({ headers }), ...chunks.map(bytesOf), requestBody('', true)];
}

/** Sends one body and gives what became of it. */
async function sent(
  body: Uint8Array,
  encoding: string | readonly string[],
  options: { limits?: Partial<ExchangeLimits>; headers?: Parameters<typeof requestHeaders>[0] } = {},
): Promise<{ rig: Rig; action: Action | undefined }> {
  const rig = createRig({ ...roomy, ...options.limits });
  const lines = [encoding].flat().map((value) => ['content-encoding', value] as const);
  const given = options.headers?.headers ?? [];
  const head = requestHeaders({ ...options.headers, headers: [...given, ...lines] });
  const actions = await play(rig.open(), [head, bytesOf(body), requestBody('', true)]);
  return { rig, action: actions.find(({ kind }) => kind !== 'wait') };
}

async function refusalOf(...args: Parameters<typeof sent>) {
  const { rig, action } = await sent(...args);
  assert.ok(action?.kind === 'local_reply', `not refused: ${action?.kind}`);
  const { error } = JSON.parse(action.reply.body);
  const [finished] = rig.log.finished;
  assert.equal(finished?.outcome, 'refused');
  return {
    status: action.reply.status,
    code: error.details?.error_code as string | undefined,
    message: error.message as string,
    recorded: Buffer.concat(rig.log.ofKind('request_body').map(({ bytes }) => bytes)),
    detail: finished?.detail ?? '',
  };
}

async function releasedBytes(action: Action | undefined): Promise<Buffer> {
  assert.ok(action?.kind === 'release', `not released: ${action?.kind}`);
  return Buffer.concat(await Array.fromAsync(action.body));
}

for (const { name, header, encode } of encoders) {
  const encoded = encode(Buffer.from(question));

  test(`a request in ${name} is judged by what it says and goes up as it came, at any border of its chunks`, async () => {
    for (let border = 0; border <= encoded.length; border += 1) {
      const { log, judge, open } = createRig();
      const chunks = [encoded.subarray(0, border), encoded.subarray(border)];
      const actions = await play(open(), framesOf([['content-encoding', header]], chunks));
      assert.deepEqual(await releasedBytes(actions.at(-1)), encoded, `border ${border}`);
      assert.deepEqual(Buffer.concat(log.ofKind('request_body').map(({ bytes }) => bytes)), encoded);
      const [input] = judge.requestInputs;
      assert.deepEqual(input?.body, {
        ...{ bytes: encoded.length, decoded_bytes: question.length, codings: [header.replace('x-', '')] },
        ...{ status: 'parsed', fault: '' },
      });
      assert.equal(input?.claude?.model, 'claude-opus-5-5');
    }
    const { open } = createRig();
    const single = [...encoded].map((byte) => Buffer.of(byte));
    const actions = await play(open(), framesOf([['content-encoding', header]], single));
    assert.deepEqual(await releasedBytes(actions.at(-1)), encoded);
  });

  test(`a request in ${name} that is cut, or has more behind its end, is refused with what came on record`, async () => {
    for (const body of [encoded.subarray(0, -1), Buffer.concat([encoded, Buffer.of(0)])]) {
      const { status, code, detail, recorded } = await refusalOf(body, header);
      assert.deepEqual([status, code], [400, 'request_body_encoding_invalid']);
      assert.match(detail, /^encoding_invalid /);
      assert.deepEqual(recorded, body);
    }
  });
}

test('a body in several codings is judged too, in several lines of the header as in one', async () => {
  const body = brotliCompressSync(gzipSync(question));
  for (const header of ['gzip, br', ['gzip', 'br'], [' GZIP ', ' , Br'], ['', 'gzip,', 'br']]) {
    const { action, rig } = await sent(body, header);
    assert.deepEqual(await releasedBytes(action), body);
    assert.deepEqual(rig.judge.requestInputs[0]?.body.codings, ['gzip', 'br']);
  }
});

test('identity, or an empty header, is no coding; a request without a body has none to decode', async () => {
  for (const header of ['identity', 'Identity', '', ',']) {
    assert.equal((await sent(Buffer.from(question), header)).action?.kind, 'release', header);
  }
  const get = { headers: { method: 'GET', path: '/v1/models' } };
  assert.equal((await sent(new Uint8Array(), 'gzip', get)).action?.kind, 'release');
});

test('an unknown or doubtful content-encoding is refused before the body, by name and with the remedy', async () => {
  const doubtful = ['compress', 'gzip;q=1', ['identity', 'gzip'], ['gzip', 'identity'], 'gzip,gzip,gzip,gzip'];
  for (const header of doubtful) {
    const { status, code, message } = await refusalOf(gzipSync(question), header);
    assert.deepEqual([status, code], [400, 'request_body_encoding_unsupported']);
    assert.ok(message.includes([header].flat().join(', ')), message);
    assert.match(message, /send it without one, or in at most 3 of gzip, deflate, br, zstd/);
  }
});

test('what policy denies is denied in any coding', async () => {
  const rig = createRig(roomy);
  rig.judge.requestVerdict = () => deny;
  const frames = framesOf([['content-encoding', 'zstd']], [zstdCompressSync(question)]);
  const action = (await play(rig.open(), frames)).at(-1);
  assert.equal(action?.kind, 'local_reply');
  assert.deepEqual(
    rig.log.ofKind('decided').map(({ decided }) => decided.verdict),
    ['deny'],
  );
});

test('a bomb is refused as too large after decoding, and its bytes are on record', async () => {
  const zeros = Buffer.alloc(8 * MiB);
  const small = { decodedBodyMaxBytes: 2 * MiB, decodedRatioMax: 100_000 };
  for (const { name, header, encode } of encoders) {
    const bomb = encode(zeros);
    const byRatio = await refusalOf(bomb, header);
    assert.deepEqual([byRatio.status, byRatio.code], [413, 'request_body_too_large_after_decoding'], name);
    assert.match(byRatio.detail, /^decoded_ratio_too_high 100 times/);
    assert.deepEqual(byRatio.recorded, bomb);
    const bySize = await refusalOf(bomb, `${header}`, { limits: small });
    if (bomb.length > 100) assert.match(bySize.detail, /^decoded_body_too_large 2097152 bytes$/, name);
    assert.equal(bySize.status, 413);
  }
  const nested = gzipSync(gzipSync(gzipSync(Buffer.alloc(64 * MiB))));
  assert.equal((await refusalOf(nested, 'gzip, gzip, gzip')).status, 413);
});

test('a decoded body is held to everything that a plain one is held to', async () => {
  const entries = Array.from({ length: 1_000_000 }, (_, at) => `"k${at}":${at}`).join();
  const blocks = '{"type":"text","text":"x"},'.repeat(1_000_000);
  const faults: [body: string | Uint8Array, fault: RegExp][] = [
    ['{"model":"a","model":"b","messages":[]}', /duplicate key/],
    [Buffer.from([0x22, 0xff, 0xfe, 0x22]), /invalid utf8/],
    [`\ufeff${question}`, /byte order mark/],
    [`${'['.repeat(100_000)}`, /nested deeper/],
    ['model=a', /invalid json/],
    [`{${entries}}`, /too many values/],
    [`{"model":"a","messages":[{"role":"user","content":[${blocks}{}]}]}`, /too many values/],
    [gzipSync(question), /invalid utf8/],
  ];
  for (const { header, encode } of encoders.filter(({ name }) => ['gzip', 'zstd'].includes(name))) {
    for (const [body, fault] of faults) {
      const limits = { decodedRatioMax: 100_000 };
      const refused = await refusalOf(encode(Buffer.from(body)), header, { limits });
      assert.equal(refused.status, 400);
      assert.match(refused.detail, fault);
      assert.match(refused.detail, /^body_malformed /);
    }
  }
});

test('a bomb of brackets within a small body is refused at its depth', async () => {
  const deep = Buffer.from(`{"model":"m","messages":${'['.repeat(50 * MiB)}`);
  const refused = await refusalOf(gzipSync(deep), 'gzip', { limits: { decodedRatioMax: 100_000 } });
  assert.match(refused.detail, /nested deeper than 200/);
});

const boundary = 'form-4711';
function form(name: string, content: string): string {
  const part = `--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="${name}"\r\n`;
  return `${part}Content-Type: text/plain\r\n\r\n${content}\r\n--${boundary}--\r\n`;
}

async function uploaded(body: Uint8Array, encoding: string) {
  const rig = createRig(roomy);
  const head = requestHeaders({ path: '/v1/files', headers: [['content-encoding', encoding]] });
  const type = ['content-type', `multipart/form-data; boundary=${boundary}`] as const;
  const headers = head.headers.map((line) => (line[0] === 'content-type' ? type : line));
  const actions = await play(rig.open(), [{ ...head, headers }, bytesOf(body), requestBody('', true)]);
  return { rig, action: actions.at(-1) };
}

test('an upload in any coding is judged by the files in it', async () => {
  for (const { name, header, encode } of encoders) {
    const body = encode(Buffer.from(form('notes.md', 'text '.repeat(200))));
    const { rig, action } = await uploaded(body, header);
    assert.deepEqual(await releasedBytes(action), body, name);
    assert.deepEqual(rig.judge.requestInputs[0]?.upload?.extensions, ['md']);
  }
});

test('an upload whose bytes hold another one, for an upstream that does not decode, is refused', async () => {
  // A stored block keeps what is in it as it is; multipart readers pass over what stands before a boundary.
  const hidden = storedBlock(Buffer.from(`\r\n${form('tool.exe', 'MZ')}`), { last: true });
  const { rig, action } = await uploaded(hidden, 'deflate');
  assert.ok(action?.kind === 'local_reply');
  assert.match(rig.log.finished[0]?.detail ?? '', /^encoding_invalid it can also be read without decoding/);
});

test('a body that is JSON before it is decoded is refused: an upstream that does not decode would read that', async () => {
  // No encoder writes one; that it is looked for is shown by a coding whose bytes are text already.
  const { detail } = await refusalOf(Buffer.from(question), 'deflate');
  assert.match(detail, /^encoding_invalid it can also be read without decoding its deflate/);
  for (const text of [`\ufeff${question}`, ` \r\n${question}`]) {
    assert.match((await refusalOf(Buffer.from(text), 'br')).detail, /without decoding/);
  }
  const latin1 = Buffer.from(question.replace('Hi', 'H\u00ef'), 'latin1');
  assert.match((await refusalOf(latin1, 'zstd')).detail, /without decoding/);
});
