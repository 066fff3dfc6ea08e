import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import Anthropic from '@anthropic-ai/sdk';
import { Agent, fetch as undiciFetch } from 'undici';
import { messagesBody } from '../builders/messages-body.ts';
import type { HeaderPairs } from '../environment/https-call.ts';
import { readJournal } from '../environment/journal-view.ts';
import type { ScriptedAnswer, ScriptedGateway } from '../environment/scripted-upstream.ts';
import { startScriptedGateway } from '../environment/scripted-upstream.ts';
import { waitUntil } from '../environment/wait.ts';

const publicUrl = 'https://gateway.example/team';
const link = 'https://api.anthropic.com/v1/messages/batches/msgbatch_1/results';
const ownLink = `${publicUrl}/v1/messages/batches/msgbatch_1/results`;

function batch(resultsUrl: string, more: Record<string, unknown> = {}): string {
  const counts = { processing: 0, succeeded: 1, errored: 0, canceled: 0, expired: 0 };
  return JSON.stringify({
    ...{ id: 'msgbatch_1', type: 'message_batch', processing_status: 'ended', request_counts: counts },
    ...{ created_at: '2026-01-01T00:00:00Z', results_url: resultsUrl, ...more },
  });
}

let gateway: ScriptedGateway;
/** What the upstream answers to every path that is not told otherwise. */
let answers: Record<string, ScriptedAnswer> = {};
before(async () => {
  gateway = await startScriptedGateway({
    connections: {
      claude: { identityProviders: ['idp'], publicUrl: `${publicUrl}/`, rewriteResultsUrl: true },
      plain: { identityProviders: ['idp'], publicUrl },
    },
    sharedWorkspace: true,
    answer: ({ method, path }) => answers[`${method} ${path}`] ?? { status: 404, body: '{"type":"error"}' },
  });
});
after(() => gateway.stop());

async function answered(answer: ScriptedAnswer, path = '/v1/messages/batches/msgbatch_1') {
  answers = { [`GET ${path}`]: answer };
  return gateway.call(path);
}

/** With its end, which no caller waits for. */
function recorded(exchangeId: string) {
  return waitUntil('the end in the record', async () => {
    const entry = (await readJournal(gateway.dataDirectory)).find(({ id }) => id === exchangeId);
    return entry?.records.at(-1)?.kind === 'finished' ? entry : undefined;
  });
}

test('the link comes back through the gateway, and the record has the answer in both forms', async () => {
  const came = batch(link);
  const answer = await answered({ body: came });
  assert.equal(answer.status, 200);
  assert.equal(answer.body.toString(), came.replace(link, ownLink));
  const { answerBody, records } = await recorded(answer.exchangeId);
  assert.equal(answerBody.toString(), came);
  assert.deepEqual(
    records.slice(-3).map((record) => (record.kind === 'answer_changed' ? String(record.bytes) : record.kind)),
    [answer.body.toString(), 'answer_trailers', 'finished'],
  );
});

const encoders = { gzip: gzipSync, deflate: deflateSync, br: brotliCompressSync, zstd: zstdCompressSync };
for (const [encoding, encode] of Object.entries(encoders)) {
  test(`an answer in ${encoding} is changed too, and goes on without an encoding`, async () => {
    const encoded = encode(batch(link));
    const pieces = [encoded.subarray(0, 7), encoded.subarray(7, 8), encoded.subarray(8)];
    const answer = await answered({ headers: { 'content-encoding': encoding }, body: pieces });
    assert.equal(answer.body.toString(), batch(ownLink));
    assert.equal(answer.header('content-encoding'), undefined);
    assert.deepEqual((await recorded(answer.exchangeId)).answerBody, encoded);
  });
}

test('creating and cancelling a batch give changed links as well', async () => {
  const create = '/v1/messages/batches';
  const cancel = `${create}/msgbatch_1/cancel`;
  answers = { [`POST ${create}`]: { body: batch(link) }, [`POST ${cancel}`]: { body: batch(link) } };
  const params = JSON.parse(messagesBody('Which rivers?'));
  const created = await gateway.call(create, { body: { requests: [{ custom_id: 'one', params }] } });
  assert.equal(created.body.toString(), batch(ownLink));
  const cancelled = await gateway.call(cancel, { method: 'POST' });
  assert.equal(cancelled.body.toString(), batch(ownLink));
});

/** Passed as it came, and no second form in the record. */
async function passes(answer: ScriptedAnswer, path?: string): Promise<void> {
  const got = await answered(answer, path);
  assert.equal(got.status, answer.status ?? 200);
  assert.deepEqual(got.body, Buffer.from((answer.body as Uint8Array | string | undefined) ?? ''));
  assert.equal(got.header('content-length'), answer.body === undefined ? undefined : String(got.body.length));
  const { records } = await recorded(got.exchangeId);
  assert.ok(!records.some(({ kind }) => kind === 'answer_changed'));
}

test('results, errors, answers without a body and other endpoints pass as they came', async () => {
  const results = `${JSON.stringify({ custom_id: '1', results_url: link })}\n`;
  await passes({ body: results }, '/v1/messages/batches/msgbatch_1/results');
  await passes({ status: 400, body: batch(link) });
  await passes({ status: 204 });
  await passes({ status: 304 });
  await passes({ headers: { 'content-type': 'application/x-ndjson' }, body: results });
  await passes({ body: batch(link) }, '/v1/models/msgbatch_1');
});

test('where nothing is switched on, links and every byte stay', async () => {
  answers = { 'GET /v1/messages/batches/msgbatch_1': { body: batch(link) } };
  const answer = await gateway.call('/plain/v1/messages/batches/msgbatch_1');
  assert.equal(answer.body.toString(), batch(link));
  assert.equal(answer.header('content-length'), String(batch(link).length));
});

test('a batch that has no link yet passes with the same bytes', async () => {
  const answer = await answered({ body: batch(link).replace(`"${link}"`, 'null') });
  assert.equal(answer.body.toString(), batch(link).replace(`"${link}"`, 'null'));
  const { records } = await recorded(answer.exchangeId);
  assert.ok(!records.some(({ kind }) => kind === 'answer_changed'));
});

test('the headers that change with the body are exactly those that envoy/README.md lists', async () => {
  const readme = readFileSync(new URL('../../envoy/README.md', import.meta.url), 'utf8');
  const table = readme.split('where a `results_url` is changed:')[1]?.trimStart().split('\n\n')[0] ?? '';
  const listed = table
    .split('\n')
    .slice(2)
    .flatMap((line) => [...(line.split('|')[1] ?? '').matchAll(/`([^`]+)`/g)].map(([, name]) => name));
  const body = gzipSync(batch(link));
  const headers = {
    ...{ 'content-encoding': 'gzip', 'content-length': String(body.length), 'content-md5': 'x', digest: 'x' },
    ...{ 'content-digest': 'x', 'repr-digest': 'x', etag: '"1"', 'request-id': 'req_1', vary: 'accept-encoding' },
  };
  const answer = await answered({ headers, body });
  const before: HeaderPairs = Object.entries({ 'content-type': 'application/json', ...headers });
  const changed = before.filter(([name, value]) => answer.header(name) !== value).map(([name]) => name);
  const added = answer.header('transfer-encoding') === 'chunked' ? ['transfer-encoding'] : [];
  assert.deepEqual([...changed, ...added].toSorted(), listed.toSorted());
});

test('the official client downloads its results through the gateway', async () => {
  const results = `${JSON.stringify({ custom_id: 'one', result: { type: 'canceled' } })}\n`;
  answers = {
    'GET /v1/messages/batches/msgbatch_1': { headers: { 'content-encoding': 'gzip' }, body: gzipSync(batch(link)) },
    'GET /v1/messages/batches/msgbatch_1/results': {
      headers: { 'content-type': 'application/x-jsonl' },
      body: results,
    },
  };
  const dispatcher = new Agent({ connect: { ca: gateway.authorityPem } });
  try {
    // Stands for the name service and the route of the public URL.
    const through = (url: unknown, init: unknown) =>
      undiciFetch(String(url).replace(publicUrl, gateway.url), { ...(init as object), dispatcher } as never);
    const client = new Anthropic({
      ...{ baseURL: publicUrl, apiKey: await gateway.identityProvider.token('alice'), fetch: through as never },
    });
    const seen: string[] = [];
    for await (const result of await client.messages.batches.results('msgbatch_1')) seen.push(result.custom_id);
    assert.deepEqual(seen, ['one']);
    assert.equal(gateway.requests.at(-1)?.path, '/v1/messages/batches/msgbatch_1/results');
  } finally {
    await dispatcher.close();
  }
});

test('a long list arrives whole, in whatever pieces it came', async () => {
  const list = (url: string) =>
    `{"data":[${Array.from({ length: 2500 }, () => batch(url)).join(',')}],"has_more":false}`;
  const bytes = Buffer.from(list(link));
  assert.ok(bytes.length > 512 * 1024);
  for (const pieceBytes of [bytes.length, 65_536, 999]) {
    const pieces = Array.from({ length: Math.ceil(bytes.length / pieceBytes) }, (_, at) =>
      bytes.subarray(at * pieceBytes, (at + 1) * pieceBytes),
    );
    const answer = await answered({ body: pieces.length === 1 ? bytes : pieces }, '/v1/messages/batches');
    assert.ok(answer.body.equals(Buffer.from(list(ownLink))), `${answer.body.length} bytes in pieces of ${pieceBytes}`);
  }
});

test('an answer that cannot be read or is too large never reaches the caller, and its record says why', async () => {
  const hugeOnceDecoded = gzipSync(`{"x":"${'x'.repeat(9 * 1024 * 1024)}"}`);
  const unreadable: [ScriptedAnswer, RegExp][] = [
    [{ body: batch(link).slice(0, -1) }, /no JSON/],
    [{ headers: { 'content-encoding': 'x-unknown' }, body: batch(link) }, /decoded/],
    [{ headers: { 'content-encoding': 'gzip' }, body: batch(link) }, /decoded/],
    [{ headers: { 'content-encoding': 'gzip' }, body: hugeOnceDecoded }, /decoded/],
    [{ body: `{"x":"${'x'.repeat(9 * 1024 * 1024)}","results_url":"${link}"}` }, /more than/],
  ];
  for (const [answer, reason] of unreadable) {
    const earlier = (await readJournal(gateway.dataDirectory)).length;
    const got = await answered(answer).catch((error: Error) => error);
    if (!(got instanceof Error)) assert.equal(got.status, 503, got.body.toString().slice(0, 100));
    const last = await waitUntil('the end in the record', async () => {
      const record = (await readJournal(gateway.dataDirectory))[earlier]?.records.at(-1);
      return record?.kind === 'finished' ? record : undefined;
    });
    assert.equal(last.finished.outcome, 'cut');
    assert.match(last.finished.detail, reason);
  }
});
