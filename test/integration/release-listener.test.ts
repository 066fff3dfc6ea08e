import assert from 'node:assert/strict';
import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { text as textOf } from 'node:stream/consumers';
import { after, before, test } from 'node:test';
import { openCoverageLook } from '../../extproc/coverage/look.ts';
import { type PassedRequest, ReleasePasses } from '../../extproc/exchange/release-pass.ts';
import { keyedHashWith } from '../../extproc/keyed-hash.ts';
import { usedPasses } from '../builders/used-passes.ts';
import { upstreamKey } from '../environment/gateway.ts';
import { type HeldStreams, heldQuestion, logLines, readAll, startHeldStreams } from '../environment/held-streams.ts';
import { waitUntil } from '../environment/wait.ts';

const lagMaxMs = 2_000;

let held: HeldStreams;
before(async () => {
  held = await startHeldStreams({
    workers: 2,
    streamed: { maxMs: 3_000 },
    settings: { coverage: { accessLogFile: 'access.log', lagMaxMs } },
  });
});
after(() => held[Symbol.asyncDispose]());

type Answer = { status: number; body: string };

/** What any process can try that may open the socket. */
function attack(path: string, headers: Record<string, string>, body = '{"stolen":true}'): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const socketPath = join(held.gateway.directory, 'release.sock');
    const length = { host: 'x', 'content-length': String(Buffer.byteLength(body)) };
    const call = request({ socketPath, path, method: 'POST', headers: { ...length, ...headers } });
    call.on('error', reject);
    call.on('response', async (response) => {
      resolve({ status: response.statusCode ?? 0, body: await textOf(response) });
    });
    call.end(body);
  });
}

const id = '0196b0c0-0000-7000-8000-000000000001';
const byStolenKey = id.replace(/1$/, '2');
const stolen: PassedRequest = {
  ...{ exchangeId: id, connection: 'claude', method: 'POST', target: '/v1/messages', bytes: 15 },
};

/** As skilltape writes them, for which the key has to be read. */
function passes(key = readFileSync(join(held.gateway.dataDirectory, 'keys/hash.key')), shiftMs = 0): ReleasePasses {
  return new ReleasePasses(keyedHashWith(key), { nowMs: () => Date.now() + shiftMs }, usedPasses());
}

test('held streams are released by whichever worker holds them, whichever is asked about the release', async () => {
  const markers = Array.from({ length: 12 }, (_, at) => `either-${at}-`);
  const responses = await Promise.all(markers.map((marker) => held.begin(heldQuestion(marker))));
  await waitUntil('all are held', () => held.ticketsOf('either-').length === markers.length);
  for (const { ticket } of held.ticketsOf('either-')) held.approve(ticket);
  for (const { text } of await Promise.all(responses.map(readAll))) assert.match(text, /event: message_stop\n/);
  assert.equal(held.arrivals('either-').length, markers.length);
});

test('the socket of the release listener is for its user alone', () => {
  assert.equal(statSync(join(held.gateway.directory, 'release.sock')).mode & 0o777, 0o600);
});

test('who opens the socket without a pass of ours is refused whatever they send, and it is recorded', async () => {
  const before = held.gateway.fake.requestCount();
  const ours = passes();
  const forged = passes(Buffer.alloc(32, 1));
  const late = passes(undefined, -60_000);
  const early = passes(undefined, 3_600_000);
  const pass = (headers: PassedRequest, by = ours) => ({ 'x-skilltape-release': by.write(headers) });
  const attempts: [string, string, Record<string, string>][] = [
    ['no pass', '/v1/messages', {}],
    ['an empty pass', '/v1/messages', { 'x-skilltape-release': '' }],
    ['a word', '/v1/messages', { 'x-skilltape-release': 'yes' }],
    ['a long pass', '/v1/messages', { 'x-skilltape-release': 'a.'.repeat(8_000) }],
    ['another key', '/v1/messages', pass(stolen, forged)],
    ['a pass that is over', '/v1/messages', pass(stolen, late)],
    ['a pass for later', '/v1/messages', pass(stolen, early)],
    ['another path', '/v1/files', pass(stolen)],
    ['another query', '/v1/messages?beta=true', pass(stolen)],
    ['another method', '/v1/messages', pass({ ...stolen, method: 'GET' })],
    ['another connection', '/sandbox/v1/messages', pass(stolen)],
    ['the path of another connection', '/v1/messages', pass({ ...stolen, connection: 'sandbox' })],
    ['a longer body', '/v1/messages', pass({ ...stolen, bytes: 14 })],
    ['a verdict of their own', '/v1/messages', { 'x-skilltape-verdict': 'released' }],
    ['a token', '/v1/messages', { authorization: `Bearer ${await held.gateway.token()}` }],
  ];
  for (const [name, path, headers] of attempts) {
    const { status, body } = await attack(path, headers);
    assert.equal(status, 403, `${name}: ${body}`);
    assert.ok(!body.includes(upstreamKey));
  }
  assert.equal(held.gateway.fake.requestCount(), before);
  // Envoy writes its log every ten seconds.
  const line = await waitUntil('a line of the log', () => logLines(held.gateway, '"verdict":"denied"')[0]);
  const document = await held.gateway.document(String(line.exchange));
  assert.equal(document.skilltape.outcome, 'denied');
  assert.match(JSON.stringify(document.skilltape.verdict), /Only requests that were held and approved go this way/);
});

test('a pass that was used is refused by each worker, also when it is shown many times at once', async () => {
  const before = held.gateway.fake.requestCount();
  const body = heldQuestion('shown again');
  const shown: PassedRequest = { ...stolen, exchangeId: byStolenKey, bytes: Buffer.byteLength(body) };
  const headers = { 'x-skilltape-release': passes().write(shown), 'content-type': 'application/json' };
  const attempts = () => Promise.all(Array.from({ length: 20 }, () => attack('/v1/messages', headers, body)));
  const statuses = [...(await attempts()), ...(await attempts())].map(({ status }) => status);
  assert.equal(statuses.filter((status) => status === 403).length, statuses.length - 1);
  assert.equal(held.gateway.fake.requestCount(), before + 1);
});

test('an approved request that is refused there is told so, and its record does not blame the upstream', async () => {
  const used = join(held.gateway.dataDirectory, 'used-passes');
  const response = await held.begin(heldQuestion('refused there'));
  const ticket = await held.ticketOf('refused there');
  rmSync(used, { recursive: true, force: true });
  writeFileSync(used, 'nothing can be written down below it');
  held.approve(ticket);
  const { text, isWhole } = await readAll(response);
  rmSync(used);
  assert.ok(isWhole);
  assert.match(text, /event: error\ndata: .*"overloaded_error".*it went nowhere/);
  const { skilltape } = await held.gateway.document(response.headers.get('x-skilltape-exchange'));
  assert.deepEqual([skilltape.outcome, held.arrivals('refused there')], ['refused', []]);
  assert.match(JSON.stringify(skilltape), /refused at the release listener/);
});

test('two passes in one request, or one without a length, are refused', async () => {
  const before = held.gateway.fake.requestCount();
  const pass = passes().write(stolen);
  assert.equal((await attack('/v1/messages', { 'x-skilltape-release': `${pass}, ${pass}` })).status, 403);
  assert.equal((await attack('/v1/messages', { 'x-skilltape-release': pass, 'content-length': '' })).status, 400);
  assert.equal(held.gateway.fake.requestCount(), before);
});

test('the hold ends after its longest time with an error that names the ticket, and its retry joins it', async () => {
  const response = await held.begin(heldQuestion('too long'));
  const { text, isWhole } = await readAll(response);
  assert.ok(isWhole);
  const ticket = await held.ticketOf('too long');
  assert.match(text, new RegExp(`event: error\\ndata: .*"overloaded_error".*${ticket}.*\\n\\n$`));
  const again = await held.begin(heldQuestion('too long'));
  held.approve(ticket);
  assert.match((await readAll(again)).text, /message_stop/);
  assert.deepEqual([held.ticketsOf('too long').length, held.arrivals('too long').length], [1, 1]);
  const document = await held.gateway.document(response.headers.get('x-skilltape-exchange'));
  assert.equal(document.skilltape.outcome, 'held');
});

test("Envoy's log and the record agree about released requests and about the attacks", async () => {
  const sentMs = Date.now();
  const look = await waitUntil(
    'the log being compared',
    () => {
      const opened = openCoverageLook(held.gateway.dataDirectory);
      if (opened === null) return false;
      try {
        if ((Date.parse(opened.comparedUntil() ?? '') || 0) <= sentMs + lagMaxMs) return false;
        return { gaps: opened.gaps(new Date(0), 1_000), days: opened.days(new Date(0)) };
      } finally {
        opened.close();
      }
    },
    60_000,
  );
  const unrecorded = look.gaps.map(({ kind, exchangeId }) => [kind, exchangeId]);
  assert.deepEqual(unrecorded, [['forwarded_not_recorded', byStolenKey]], 'who has the key is found out');
  assert.ok((look.days[0]?.counts.recorded ?? 0) > 24);
});
