import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Action } from '../../../extproc/exchange/frame.ts';
import { repliesOf, streamedReply } from '../../../extproc/wire/reply.ts';
import type { ProcessingResponse } from './independent.ts';
import { decodedReplies } from './independent.ts';

type Release = Extract<Action, { kind: 'release' }>;

/** As Envoy gets them. */
async function sent(action: Action): Promise<ProcessingResponse[]> {
  const pieces = await Array.fromAsync(repliesOf(action));
  return decodedReplies(Buffer.concat(pieces)).map((reply) => JSON.parse(JSON.stringify(reply)));
}

/** The part of the oneof that is set. */
function kinds(replies: readonly ProcessingResponse[]): unknown[] {
  return replies.map(({ response }) => response);
}

function release(texts: readonly string[], rest: Partial<Release> = {}): Release {
  const body = texts.map((text) => Buffer.from(text));
  return { kind: 'release', removeHeaders: [], body, hadBody: true, hadTrailers: false, accessLog: {}, ...rest };
}

/** The body as it goes upstream: text and end of each chunk. */
function chunksOf(replies: readonly ProcessingResponse[]): [string, boolean][] {
  return replies
    .filter(({ response }) => response === 'request_body')
    .map((reply) => {
      const streamed = commonOf(reply).body_mutation?.streamed_response;
      return [Buffer.from(streamed?.body?.data ?? []).toString(), streamed?.end_of_stream ?? false];
    });
}

type Common = {
  response: {
    header_mutation?: { set_headers?: object[]; remove_headers?: string[] };
    body_mutation?: { streamed_response: { body?: { data: number[] }; end_of_stream?: boolean } };
  };
};

function commonOf(reply: ProcessingResponse | undefined): Common['response'] {
  const kind = String(reply?.response);
  return (reply?.[kind] as Common | undefined)?.response ?? {};
}

test('waiting and cutting send nothing: a cut is the status of the stream', async () => {
  assert.deepEqual(await sent({ kind: 'wait' }), []);
  assert.deepEqual(await sent({ kind: 'cut', reason: 'x' }), []);
});

test('a release sends the headers without credentials first, then the chunks, the last one with the end', async () => {
  const accessLog = { exchange: 'e-1', verdict: 'allow' };
  const replies = await sent(release(['ab', 'c'], { removeHeaders: ['authorization', 'cookie'], accessLog }));
  assert.deepEqual(kinds(replies), ['request_headers', 'request_body', 'request_body']);
  assert.deepEqual(commonOf(replies[0]).header_mutation, { remove_headers: ['authorization', 'cookie'] });
  assert.match(JSON.stringify(replies[0]?.dynamic_metadata), /skilltape.*e-1.*allow/);
  assert.deepEqual(chunksOf(replies), [
    ['ab', false],
    ['c', true],
  ]);
});

test('the body goes upstream as the same bytes and ends once, unless trailers end it', async () => {
  const texts = fc.array(fc.string({ minLength: 1 }), { maxLength: 6 });
  await fc.assert(
    fc.asyncProperty(texts, fc.boolean(), async (chunks, hadTrailers) => {
      const replies = await sent(release(chunks, { hadTrailers }));
      const passed = chunksOf(replies);
      assert.equal(passed.map(([text]) => text).join(''), chunks.join(''));
      const ends = passed.map(([, end]) => end);
      assert.deepEqual(ends.slice(0, -1).includes(true), false, 'an end before the last chunk');
      assert.equal(ends.at(-1) ?? false, !hadTrailers);
      assert.equal(replies.at(-1)?.response, hadTrailers ? 'request_trailers' : 'request_body');
    }),
  );
});

test('a request without a body gets no body message, and one with an empty body gets its end', async () => {
  assert.deepEqual(kinds(await sent(release([], { hadBody: false }))), ['request_headers']);
  assert.deepEqual(chunksOf(await sent(release([]))), [['', true]]);
  assert.deepEqual(kinds(await sent(release([], { hadTrailers: true }))), ['request_headers', 'request_trailers']);
});

test('a large body is taken chunk by chunk, as the stream has room', async () => {
  const taken: number[] = [];
  function* body() {
    for (let chunk = 0; chunk < 5; chunk += 1) {
      taken.push(chunk);
      yield Buffer.of(chunk);
    }
  }
  for (const chunks of [body(), ReadableStream.from(body()).values()]) {
    taken.length = 0;
    const pieces = repliesOf({ ...release([]), body: chunks });
    const replies = Symbol.asyncIterator in pieces ? pieces[Symbol.asyncIterator]() : pieces[Symbol.iterator]();
    await replies.next();
    assert.deepEqual(taken, []);
    await replies.next();
    assert.deepEqual(taken.slice(0, 2), [0, 1], 'one chunk ahead, to know the last');
    assert.ok(taken.length < 5);
  }
});

test('a body that is read back from the log reaches Envoy as the same bytes', async () => {
  async function* stored() {
    yield* [Buffer.from('ab'), Buffer.alloc(20_000, 7), Buffer.from('c')];
  }
  const back = chunksOf(await sent({ ...release([]), body: stored() }));
  const memory = chunksOf(await sent(release(['ab', Buffer.alloc(20_000, 7).toString(), 'c'])));
  assert.deepEqual(back, memory);
  assert.equal(back.at(-1)?.[1], true);
});

test('a body that cannot be read back to its end is not ended as if it were whole', async () => {
  async function* broken() {
    yield Buffer.from('ab');
    throw new Error('the disk');
  }
  await assert.rejects(sent({ ...release([]), body: broken() }), /the disk/);
});

test('answers are let through in the form of their frame', async () => {
  assert.deepEqual(kinds(await sent({ kind: 'continue_response_body' })), ['response_body']);
  assert.deepEqual(kinds(await sent({ kind: 'continue_response_trailers' })), ['response_trailers']);
  const [reply] = await sent({ kind: 'continue_response_headers', setHeaders: { 'x-skilltape-exchange': 'e-1' } });
  const raw_value = { type: 'Buffer', data: [...Buffer.from('e-1')] };
  assert.deepEqual(commonOf(reply).header_mutation?.set_headers, [
    { header: { key: 'x-skilltape-exchange', raw_value }, append_action: 'OVERWRITE_IF_EXISTS_OR_ADD' },
  ]);
});

test('headers of an answer can be taken off', async () => {
  const [reply] = await sent({ kind: 'continue_response_headers', setHeaders: {}, removeHeaders: ['content-length'] });
  assert.deepEqual(commonOf(reply).header_mutation?.remove_headers, ['content-length']);
});

test('bytes go on in place of a chunk, none of them too, and a chunk without any stays', async () => {
  const body = Buffer.from([0, 255, 128]);
  const [whole] = await sent({ kind: 'continue_response_body', body });
  assert.deepEqual(commonOf(whole).body_mutation, { body: { type: 'Buffer', data: [...body] }, mutation: 'body' });
  const [none] = await sent({ kind: 'continue_response_body', body: new Uint8Array(0) });
  assert.deepEqual(commonOf(none).body_mutation, { clear_body: true, mutation: 'clear_body' });
  const [untouched] = await sent({ kind: 'continue_response_body' });
  assert.equal(commonOf(untouched).body_mutation, undefined);
});

test('our own answer has its status, headers, body and reason', async () => {
  const reply = { status: 413, headers: { 'content-type': 'application/json' }, body: '{"ä":1}', details: 'why' };
  const [message] = await sent({ kind: 'local_reply', reply, accessLog: { refusal: 'refused' } });
  const immediate = (message?.immediate_response ?? {}) as {
    status?: object;
    body?: { data: number[] };
    details?: string;
  };
  assert.deepEqual(immediate.status, { code: 413 });
  assert.equal(Buffer.from(immediate.body?.data ?? []).toString(), reply.body);
  assert.equal(immediate.details, 'why');
  assert.match(JSON.stringify(message?.dynamic_metadata), /refusal.*refused/);
});

test('a body of any size reaches Envoy as the same bytes, and a large one is not copied on the way', async () => {
  for (const length of [1, 127, 128, 16_383, 16_384, 16_385, 1024 * 1024]) {
    const body = Buffer.alloc(length, length % 251);
    const streamed = (await Array.fromAsync(repliesOf({ ...release([]), body: [body] }))).slice(1);
    const [reply] = decodedReplies(Buffer.concat(streamed));
    const { streamed_response } = (reply as Decoded).request_body.response.body_mutation;
    assert.deepEqual(streamed_response?.body, body);
    const replaced = await Array.fromAsync(repliesOf({ kind: 'continue_response_body', body }));
    const [inPlace] = decodedReplies(Buffer.concat(replaced));
    assert.deepEqual((inPlace as Decoded).response_body.response.body_mutation.body, body);
    if (length > 16_384) assert.ok(streamed.includes(body) && replaced.includes(body));
  }
});

type Decoded = Record<
  'request_body' | 'response_body',
  { response: { body_mutation: { body?: Buffer; streamed_response?: { body?: Buffer } } } }
>;

test('a reply that is larger than a message may be is an error, not a message', async () => {
  const body = Buffer.alloc(16 * 1024 * 1024);
  await assert.rejects(sent({ ...release([]), body: [body] }), { code: 'internal', message: /16777/ });
  const reply = { status: 500, headers: {}, body: 'x'.repeat(16 * 1024 * 1024), details: '' };
  await assert.rejects(sent({ kind: 'local_reply', reply, accessLog: {} }), { code: 'internal' });
});

test('headers of ours keep order and bytes, and no reply has anything of the one before', async () => {
  const dictionary = fc.array(fc.tuple(fc.stringMatching(/^[a-z-]{1,200}$/), fc.uint8Array({ maxLength: 300 })));
  await fc.assert(
    fc.asyncProperty(dictionary, async (list) => {
      const headers = new Map(list.map(([name, bytes]) => [name, Buffer.from(bytes).toString('latin1')]));
      const [reply] = await sent({ kind: 'continue_response_headers', setHeaders: Object.fromEntries(headers) });
      const set = (commonOf(reply).header_mutation?.set_headers ?? []) as Set[];
      assert.deepEqual(
        set.map(({ header }) => [header.key, Buffer.from(header.raw_value?.data ?? []).toString('latin1')]),
        [...headers],
      );
    }),
  );
});

type Set = { header: { key: string; raw_value?: { data: number[] } } };

test('an answer in pieces has its headers first, then each piece, and an empty one that ends it', async () => {
  const pieces = ['a', 'x'.repeat(20_000), 'b'].map((text) => Buffer.from(text));
  async function* body() {
    yield* pieces;
  }
  const headers = { 'content-type': 'text/event-stream', 'x-skilltape-exchange': 'e-1' };
  const accessLog = { exchange: 'e-1', verdict: 'held' };
  const sentPieces = await Array.fromAsync(streamedReply({ kind: 'streamed_reply', headers, body: body(), accessLog }));
  // Each may be kept for hours, until the next one is made: it must not keep the whole pool of Node's.
  for (const { buffer, length } of sentPieces.slice(0, -1)) assert.ok(buffer.byteLength <= length, `${length} bytes`);
  const [first, ...rest] = decodedReplies(Buffer.concat(sentPieces)) as {
    streamed_immediate_response: {
      headers_response: { headers: { headers: { key: string; raw_value: Buffer }[] } };
      body_response: { body?: Buffer; end_of_stream?: boolean };
    };
    dynamic_metadata?: unknown;
  }[];
  const list = first?.streamed_immediate_response.headers_response.headers.headers ?? [];
  assert.deepEqual(
    list.map(({ key, raw_value: value }) => [key, value.toString()]),
    [[':status', '200'], ...Object.entries(headers)],
  );
  assert.match(JSON.stringify(first?.dynamic_metadata), /skilltape.*e-1.*held/);
  const bodies = rest.map(({ streamed_immediate_response: { body_response: one } }) => one);
  assert.deepEqual(
    bodies.map(({ body: bytes }) => Buffer.from(bytes ?? []).toString()),
    [...pieces.map(String), ''],
  );
  assert.deepEqual(
    bodies.map(({ end_of_stream: end = false }) => end),
    [false, false, false, true],
  );
});
