import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { test } from 'node:test';
import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import Anthropic from '@anthropic-ai/sdk';
import Anthropic0 from 'anthropic-sdk-0';
import fc from 'fast-check';
import { request as httpRequest } from 'undici';
import { type FakeClaude, startFakeClaude } from '../claude.ts';
import { readDirectives, UnknownDirective } from './directives.ts';

async function withFake(use: (fake: FakeClaude, client: Anthropic, old: Anthropic) => Promise<void>): Promise<void> {
  const fake = await startFakeClaude({ listen: { host: '127.0.0.1', port: 0 } });
  const options = { baseURL: fake.url, apiKey: 'k', maxRetries: 0 };
  try {
    await use(fake, new Anthropic(options), new Anthropic0(options) as unknown as Anthropic);
  } finally {
    await fake.close();
  }
}

function ask(text: string) {
  return { model: 'claude-opus-5-5', max_tokens: 100, messages: [{ role: 'user' as const, content: text }] };
}

/** The answer as it is on the wire: no client between that would decode it. */
async function post(fake: FakeClaude, text: string, stream: boolean, signal?: AbortSignal) {
  return httpRequest(`${fake.url}/v1/messages`, {
    method: 'POST',
    headers: { 'x-api-key': 'k', 'anthropic-version': '2026-10-21' },
    body: JSON.stringify({ ...ask(text), stream }),
    ...(signal === undefined ? {} : { signal }),
  });
}

/** The chunks of a body until it ends or breaks. */
async function readChunks(body: AsyncIterable<Buffer>): Promise<{ chunks: Buffer[]; broken: boolean }> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of body) chunks.push(chunk);
  } catch {
    return { chunks, broken: true };
  }
  return { chunks, broken: false };
}

function textOf(message: Anthropic.Message): string {
  return message.content.map((block) => (block.type === 'text' ? block.text : '')).join('');
}

test('fixture: the thinking stream assembles in both SDK lines', async () => {
  await withFake(async (_fake, ...clients) => {
    for (const client of clients) {
      const message = await client.messages.stream(ask('[fake: fixture d_stream_thinking]')).finalMessage();
      assert.deepEqual(
        message.content.map(({ type }) => type),
        ['thinking', 'redacted_thinking', 'thinking', 'text'],
      );
      assert.equal(message.usage.cache_read_input_tokens, 1200);
    }
  });
});

test('fixture: an error fixture has its status, and an unknown name is refused', async () => {
  await withFake(async (_fake, client) => {
    await assert.rejects(client.messages.create(ask('[fake: fixture j_error_529]')), { status: 529 });
    await assert.rejects(client.messages.create(ask('[fake: fixture ..]')), { status: 400 });
  });
});

test('error: every status gets the type of the API, and both SDK lines map it to their own errors', async () => {
  await withFake(async (_fake, client, old) => {
    const types = {
      400: 'invalid_request_error',
      403: 'permission_error',
      429: 'rate_limit_error',
      500: 'api_error',
      529: 'overloaded_error',
    };
    for (const [status, type] of Object.entries(types)) {
      for (const each of [client, old]) {
        await assert.rejects(each.messages.create(ask(`[fake: error ${status}]`)), (error: unknown) => {
          assert.equal(Reflect.get(error as object, 'status'), Number(status));
          assert.equal(Reflect.get(error as object, 'type'), type);
          assert.match(String(Reflect.get(error as object, 'requestID')), /^req_/);
          return true;
        });
      }
    }
    await assert.rejects(client.messages.create(ask('[fake: error 429]')), Anthropic.RateLimitError);
    await assert.rejects(old.messages.create(ask('[fake: error 429]')), Anthropic0.RateLimitError);
  });
});

test('error: a client that retries comes again with the same body, and retry-after is sent', async () => {
  await withFake(async (fake) => {
    const soon = { 'retry-after-ms': '1' };
    fake.script(
      { answer: { kind: 'error', status: 529, headers: soon } },
      { answer: { kind: 'error', status: 503, headers: soon } },
    );
    const client = new Anthropic({ baseURL: fake.url, apiKey: 'k', maxRetries: 2 });
    assert.match(textOf(await client.messages.create(ask('again'))), /again/);
    assert.deepEqual(
      fake.requests.map(({ status }) => status),
      [529, 503, 200],
    );
    assert.equal(new Set(fake.requests.map(({ bodySha256 }) => bodySha256)).size, 1);
    const { headers, body } = await post(fake, '[fake: error 429 55]', false);
    await body.dump();
    assert.equal(headers['retry-after'], '55');
  });
});

test('midstream_error: the text so far, then an error that both SDK lines throw', async () => {
  await withFake(async (fake, ...clients) => {
    for (const client of clients) {
      let text = '';
      const stream = client.messages.stream(ask('[fake: midstream_error]')).on('text', (piece) => (text += piece));
      await assert.rejects(stream.finalMessage(), /Overloaded/);
      assert.ok(text.length > 0);
      await assert.rejects(client.messages.create(ask('[fake: midstream_error]')), { status: 529 });
    }
    assert.equal(fake.requestCount(), 4);
  });
});

test('truncate: HTTP ends cleanly without message_stop, or in the middle of the JSON', async () => {
  await withFake(async (fake, ...clients) => {
    for (const client of clients) {
      await assert.rejects(
        client.messages.stream(ask('[fake: truncate]')).finalMessage(),
        /without producing a Message/,
      );
    }
    for (const stream of [true, false]) {
      const { chunks, broken } = await readChunks((await post(fake, '[fake: truncate]', stream)).body);
      const text = Buffer.concat(chunks).toString();
      assert.equal(broken, false);
      assert.ok(text.length > 50);
      if (stream) assert.ok(text.endsWith('\n\n') && !text.includes('message_stop'));
      else assert.throws(() => JSON.parse(text), SyntaxError);
    }
    assert.ok(fake.requests.every(({ clientAborted }) => !clientAborted));
  });
});

test('reset: the connection breaks after half an answer, or before the headers', async () => {
  await withFake(async (fake) => {
    for (const stream of [true, false]) {
      const { chunks, broken } = await readChunks((await post(fake, '[fake: reset]', stream)).body);
      assert.equal(broken, true);
      assert.ok(Buffer.concat(chunks).length > 50);
    }
    await assert.rejects(post(fake, '[fake: reset-before-headers]', true), { code: 'UND_ERR_SOCKET' });
    assert.deepEqual(
      fake.requests.map(({ clientAborted }) => clientAborted),
      [false, false, false],
    );
    assert.equal(fake.acceptCount(), 3);
  });
});

test('gzip and its kin: the body is encoded, and the SDK reads it like any other', async () => {
  await withFake(async (fake, client) => {
    for (const encoding of ['gzip', 'deflate', 'br', 'zstd']) {
      const question = ask(`hello [fake: ${encoding}]`);
      const answers = [await client.messages.create(question), await client.messages.stream(question).finalMessage()];
      for (const answer of answers) assert.match(textOf(answer), /hello/);
    }
    for (const stream of [true, false]) {
      const { headers, body } = await post(fake, '[fake: gzip]', stream);
      assert.equal(headers['content-encoding'], 'gzip');
      assert.match(gunzipSync(await body.bytes()).toString(), /Thank you/);
    }
    const { headers, body } = await post(fake, '[fake: zstd]', true);
    assert.equal(headers['content-encoding'], 'zstd');
    assert.match(zstdDecompressSync(await body.bytes()).toString(), /message_stop/);
  });
});

test('gzip: every event can be read when it has come, before the stream is over', async () => {
  await withFake(async (fake, client) => {
    const stream = await client.messages
      .create({ ...ask('[fake: gzip] [fake: slow 60000]'), stream: true })
      .withResponse();
    assert.equal(stream.response.headers.get('content-encoding'), 'gzip');
    stream.data.controller.abort();
    const aborted = await fake.waitForSettled(1);
    assert.equal(aborted.clientAborted, true);

    fake.script({ encoding: 'gzip', ending: 'reset' });
    const events: string[] = [];
    await assert.rejects(async () => {
      for await (const event of await client.messages.create({ ...ask('x'), stream: true })) events.push(event.type);
    });
    assert.ok(events.includes('content_block_delta') && !events.includes('message_stop'));
  });
});

test('slow: the stream waits before every event and still comes whole', async () => {
  await withFake(async (fake, client) => {
    assert.match(textOf(await client.messages.stream(ask('hello [fake: slow 1]')).finalMessage()), /hello/);
    const response = await post(fake, '[fake: slow 60000]', true);
    assert.equal(response.statusCode, 200);
    assert.equal(fake.requests[1]?.answerBytes, 0);
    response.body.on('error', () => undefined).destroy();
    assert.equal((await fake.waitForSettled(2)).answerBytes, 0);
  });
});

/** Sizes of the HTTP chunks of a streamed answer; every write of the fake is one. */
async function readChunkSizes(fake: FakeClaude, text: string): Promise<number[]> {
  const body = JSON.stringify({ ...ask(text), stream: true });
  const socket = connect(fake.port, '127.0.0.1');
  socket.write(
    `POST /v1/messages HTTP/1.1\r\nHost: a\r\nX-API-Key: k\r\nanthropic-version: 2023-06-01\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  );
  const wire = Buffer.concat(await socket.toArray()).toString('latin1');
  const sizes: number[] = [];
  for (let at = wire.indexOf('\r\n\r\n') + 4; at < wire.length; ) {
    const lineEnd = wire.indexOf('\r\n', at);
    const size = Number.parseInt(wire.slice(at, lineEnd), 16);
    sizes.push(size);
    at = lineEnd + 2 + size + 2;
  }
  return sizes;
}

test('chunk: no write is larger than asked, and the answer is the same', async () => {
  await withFake(async (fake, client) => {
    const message = await client.messages.stream(ask('hello [fake: chunk 7]')).finalMessage();
    assert.match(textOf(message), /hello/);
    assert.equal(textOf(await client.messages.create(ask('hello [fake: chunk 7]'))), textOf(message));
    const sizes = await readChunkSizes(fake, 'hello [fake: chunk 7]');
    assert.equal(Math.max(...sizes), 7);
    assert.equal(
      sizes.reduce((sum, size) => sum + size, 0),
      fake.requests[0]?.answerBytes,
    );
  });
});

test('without chunk every event of a stream is one write', async () => {
  await withFake(async (fake) => {
    const stored = await readFile(new URL('../../fixtures/answers/b_stream_text.sse', import.meta.url), 'utf8');
    const events = stored.split('\n\n').filter((event) => event !== '');
    const sizes = await readChunkSizes(fake, '[fake: fixture b_stream_text]');
    assert.deepEqual(sizes, [...events.map((event) => Buffer.byteLength(event) + 2), 0]);
  });
});

test('large: the text has the size that was asked for, whole or streamed', async () => {
  await withFake(async (_fake, client) => {
    const question = ask('[fake: large 300001]');
    assert.equal(textOf(await client.messages.create(question)).length, 300_001);
    assert.equal(textOf(await client.messages.stream(question).finalMessage()).length, 300_001);
  });
});

test('hang: nothing is answered until the client gives up, with or without headers', async () => {
  await withFake(async (fake) => {
    const gaveUp = new AbortController();
    const answer = post(fake, '[fake: hang]', true, gaveUp.signal);
    await fake.waitForRequest(1);
    gaveUp.abort();
    await assert.rejects(answer, { name: 'AbortError' });
    const silent = await fake.waitForSettled(1);
    assert.deepEqual([silent.clientAborted, silent.answerBytes, silent.status], [true, 0, undefined]);

    const response = await post(fake, '[fake: headers-then-hang]', true);
    assert.equal(response.statusCode, 200);
    response.body.on('error', () => undefined).destroy();
    const started = await fake.waitForSettled(2);
    assert.deepEqual([started.clientAborted, started.answerBytes, started.status], [true, 0, 200]);
  });
});

test('a script goes before directives, one step per request, and may send any bytes', async () => {
  await withFake(async (fake, client) => {
    fake.script(
      { answer: { kind: 'text', text: 'from the script' } },
      { answer: { kind: 'raw', status: 202, headers: { 'content-type': 'text/plain' }, body: Uint8Array.of(0, 255) } },
    );
    assert.throws(() => fake.script('error 529'), UnknownDirective);
    await client.models.list();
    assert.equal(textOf(await client.messages.create(ask('[fake: error 500]'))), 'from the script');
    const { statusCode, body } = await post(fake, 'x', false);
    assert.deepEqual([statusCode, ...(await body.bytes())], [202, 0, 255]);
    await assert.rejects(client.messages.create(ask('[fake: error 500]')), { status: 500 });
  });
});

test('only the last user text is read for directives, and a directive that means nothing is refused', async () => {
  await withFake(async (_fake, client) => {
    const messages = [
      { role: 'user' as const, content: '[fake: error 500]' },
      { role: 'assistant' as const, content: '[fake: error 500]' },
      { role: 'user' as const, content: [{ type: 'text' as const, text: 'and now?' }] },
    ];
    assert.match(textOf(await client.messages.create({ ...ask(''), messages })), /and now\?/);
    for (const wrong of ['[fake: gzipp]', '[fake: error 200]', '[fake: slow fast]', '[fake: large 999999999]']) {
      await assert.rejects(client.messages.create(ask(wrong)), { status: 400 });
    }
  });
});

test('reading directives never fails otherwise, whatever the text', () => {
  const piece = fc.oneof(
    fc.string(),
    fc.constantFrom('[fake: ', 'gzip', 'chunk 7', 'error', ' 5', ']', '__proto__', 'constructor'),
  );
  fc.assert(
    fc.property(
      fc.array(piece).map((pieces) => pieces.join('')),
      (text) => {
        try {
          readDirectives(text);
        } catch (error) {
          assert.ok(error instanceof UnknownDirective);
        }
      },
    ),
  );
});
