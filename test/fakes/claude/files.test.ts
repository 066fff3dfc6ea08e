import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import Anthropic, { toFile } from '@anthropic-ai/sdk';
import { request as httpRequest } from 'undici';
import { ask, withFake } from './with-fake.ts';

const BYTES = Buffer.from([0, 1, 2, 255, 254, 13, 10, 45, 45]);

test('an uploaded file comes back byte for byte with its type, its name and its size', async () => {
  await withFake({}, async (_fake, clients) => {
    for (const { name, client } of clients) {
      const file = await toFile(BYTES, 'Übersicht "Q3".bin', { type: 'application/x-tape' });
      const uploaded = await client.files.upload({ file, expires_in_seconds: 3600 });
      assert.match(uploaded.id, /^file_011Fake[0-9]{16}$/, name);
      assert.equal(uploaded.size_bytes, BYTES.length);
      assert.equal(uploaded.mime_type, 'application/x-tape');
      assert.match(uploaded.filename, /^Übersicht /);
      assert.equal(Date.parse(uploaded.expires_at ?? '') - Date.parse(uploaded.created_at), 3_600_000);
      assert.deepEqual(await client.files.retrieveMetadata(uploaded.id), uploaded);
      const download = await client.files.download(uploaded.id);
      assert.equal(download.headers.get('content-type'), 'application/x-tape');
      assert.deepEqual(Buffer.from(await download.arrayBuffer()), BYTES);
      assert.deepEqual(await client.files.delete(uploaded.id), { id: uploaded.id, type: 'file_deleted' });
      await assert.rejects(client.files.retrieveMetadata(uploaded.id), { status: 404 });
    }
  });
});

test('files are listed by page and by id, also by the beta methods', async () => {
  await withFake({}, async (_fake, clients) => {
    const ids: string[] = [];
    for (const { client } of clients) {
      ids.unshift((await client.beta.files.upload({ file: await toFile(BYTES, 'a.bin') })).id);
    }
    for (const { client } of clients) {
      for (const files of [client.files, client.beta.files]) {
        const seen: string[] = [];
        for await (const { id } of files.list({ limit: 1 })) seen.push(id);
        assert.deepEqual(seen.slice(0, 2), ids);
        const chosen = await files.list({ ids: [ids[1] ?? '', 'file_unknown'] });
        assert.deepEqual(
          chosen.data.map(({ id }) => id),
          [ids[1]],
        );
      }
    }
  });
});

test('the older beta value brings the older shape of the list', async () => {
  await withFake({}, async (fake, [current]) => {
    await current?.client.files.upload({ file: await toFile(BYTES, 'a.bin') });
    const headers = { 'x-api-key': 'k', 'anthropic-version': '2023-06-01', 'anthropic-beta': 'files-api-2025-04-14' };
    const { body } = await httpRequest(`${fake.url}/v1/files?beta=true&limit=1`, { headers });
    const list = (await body.json()) as Record<string, unknown>;
    assert.deepEqual(Object.keys(list).sort(), ['data', 'first_id', 'has_more', 'last_id']);
    assert.equal(list.has_more, true);
  });
});

test('a file that code execution produced can be downloaded by the id in the answer', async () => {
  await withFake({}, async (_fake, clients) => {
    for (const { client } of clients) {
      const answer = await client.messages.create(ask('[fake: answer code_execution] [fake: file 5000000]'));
      const result = answer.content.find((block) => block.type === 'code_execution_tool_result');
      assert.ok(result?.content.type === 'code_execution_result');
      const [output] = result.content.content;
      const { size_bytes, mime_type } = await client.files.retrieveMetadata(output?.file_id ?? '');
      assert.deepEqual([size_bytes, mime_type], [5_000_000, 'text/csv']);
      const bytes = await (await client.files.download(output?.file_id ?? '')).arrayBuffer();
      assert.equal(bytes.byteLength, 5_000_000);
    }
  });
});

test('the file of the skills fixture is there from the start', async () => {
  await withFake({}, async (_fake, [current]) => {
    const metadata = await current?.client.files.retrieveMetadata('file_011FixtureOutputXlsx');
    assert.deepEqual([metadata?.filename, metadata?.size_bytes], ['q3.xlsx', 18_231]);
    const bytes = await (await current?.client.files.download('file_011FixtureOutputXlsx'))?.arrayBuffer();
    assert.equal(bytes?.byteLength, 18_231);
  });
});

test('by its name a file can be one that may not be downloaded, or one that has expired', async () => {
  await withFake({}, async (_fake, [current]) => {
    const client = current?.client as Anthropic;
    const kept = await client.files.upload({ file: await toFile(BYTES, '[fake: undownloadable].bin') });
    assert.equal(kept.downloadable, false);
    await assert.rejects(client.files.download(kept.id), Anthropic.FileNotDownloadableError);
    const gone = await client.files.upload({ file: await toFile(BYTES, '[fake: expired].bin') });
    await assert.rejects(client.files.download(gone.id), Anthropic.FileExpiredError);
  });
});

test('a script can break, encode or refuse a download like any other answer', async () => {
  await withFake({}, async (fake, [current]) => {
    const client = current?.client as Anthropic;
    const { id } = await client.files.upload({ file: await toFile(Buffer.alloc(100_000, 'x'), 'a.txt') });
    const route = 'GET /v1/files/{file_id}/content';
    fake.scriptRoute(route, '[fake: error 529]', '[fake: gzip]', '[fake: reset]');
    await assert.rejects(client.files.download(id), { status: 529 });
    assert.equal((await (await client.files.download(id)).arrayBuffer()).byteLength, 100_000);
    await assert.rejects(async () => (await client.files.download(id)).arrayBuffer());
    assert.equal((await (await client.files.download(id)).arrayBuffer()).byteLength, 100_000);
    assert.throws(() => fake.scriptRoute('GET /v1/nothing', '[fake: gzip]'), RangeError);
    assert.throws(() => fake.scriptRoute(route, '[fake: large 5]'), RangeError);
  });
});

test('an upload of 9 MB is kept whole, a compressed one is decoded, and what is no form is refused', async () => {
  await withFake({}, async (fake, [current]) => {
    const client = current?.client as Anthropic;
    const large = await client.files.upload({ file: await toFile(Buffer.alloc(9_000_000, 'y'), 'large.txt') });
    assert.equal(large.size_bytes, 9_000_000);

    const send = async (body: string | Buffer, contentType: string, encoding?: string) => {
      const headers = { 'x-api-key': 'k', 'anthropic-version': '2026-10-21', 'content-type': contentType };
      const response = await httpRequest(`${fake.url}/v1/files`, {
        method: 'POST',
        headers: encoding === undefined ? headers : { ...headers, 'content-encoding': encoding },
        body,
      });
      return [response.statusCode, await response.body.json()] as const;
    };
    const part = 'content-disposition: form-data; name="file"; filename="a.txt"\r\n\r\nhello';
    const form = Buffer.from(`--cut\r\n${part}\r\n--cut--\r\n`);
    const multipart = 'multipart/form-data; boundary=cut';
    assert.equal((await send(gzipSync(form), multipart, 'gzip'))[0], 200);
    for (const [body, type] of [
      [form, 'application/json'],
      [form, 'multipart/form-data'],
      [form.subarray(0, 40), multipart],
      ['--cut--\r\n', multipart],
      [form.toString().replace('"file"', '"other"'), multipart],
    ] as const) {
      const [status, answer] = await send(body, type);
      assert.equal(status, 400);
      assert.equal((answer as { error: { type: string } }).error.type, 'invalid_request_error');
    }
  });
});
