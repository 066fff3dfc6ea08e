import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { closeSync, openSync, readdirSync, readSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { messagesBody } from '../builders/messages-body.ts';
import type { TestGateway } from '../environment/gateway.ts';
import { startTestGateway } from '../environment/gateway.ts';
import { openCall } from '../environment/raw-call.ts';
import { claudeError, inJournal, servedAgain } from '../environment/traffic.ts';
import { waitUntil } from '../environment/wait.ts';

const KiB = 1024;

let gateway: TestGateway;
let headers: { authorization: string };
// A journal of their own for each: one is filled up, the other is damaged.
beforeEach(async () => {
  const journal = { journalMaxBytes: 2048 * KiB, segmentMaxBytes: 128 * KiB };
  // Nothing but the first chunk of a body finds room in memory.
  const limits = { requestBodyMaxBytes: 512 * KiB, heldBodyMaxBytes: 80 * KiB, spooledBodyMaxBytes: 1024 * KiB };
  gateway = await startTestGateway({ settings: { journal, limits } });
  headers = { authorization: `Bearer ${await gateway.token()}` };
});
afterEach(() => gateway.stop());

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

/** An upload of which all but the last bytes are in the journal. */
async function openHeld(marker: string) {
  const body = messagesBody(`${marker} ${Array.from({ length: 40_000 }, (_, at) => `${at} `).join('')}`);
  const call = openCall(gateway, { headers: { ...headers, 'content-length': Buffer.byteLength(body) } });
  call.write(body.slice(0, -10));
  await inJournal(gateway, marker, ({ requestBody }) => requestBody.length === Buffer.byteLength(body) - 10);
  return { ...call, body, finish: () => call.end(body.slice(-10)) };
}

test('a body that is held in the journal alone goes upstream unchanged, though the journal has filled up behind it', async () => {
  const held = await openHeld('held for long');
  const refusal = await waitUntil('a full journal', async () => {
    const answer = await gateway.post(messagesBody('x'.repeat(40 * KiB)), headers);
    return answer.status !== 200 && answer;
  });
  assert.equal(refusal.status, 503);
  held.finish();
  assert.equal((await held.head).status, 200);
  assert.equal(await held.over, 'ended');
  const arrival = await gateway.fake.waitForSettled(gateway.fake.requestCount());
  assert.equal(arrival.bodySha256, sha256(held.body));
  await servedAgain(gateway, headers);
});

test('a held body whose place in the journal was changed meanwhile is refused, and no byte of it goes upstream', async () => {
  const held = await openHeld('changed meanwhile');
  changeNewestSegment();
  const upstreamRequests = gateway.fake.requestCount();
  held.finish();
  const { status, headers: answered } = await held.head;
  await held.over;
  assert.equal(status, 503);
  claudeError(held.received(), answered['content-type'], ['overloaded_error']);
  assert.equal(gateway.fake.requestCount(), upstreamRequests);
});

/** Not the last frames: what is written next follows them. */
function changeNewestSegment(): void {
  const directory = join(gateway.dataDirectory, 'journal');
  const newest = readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.journal'))
    .sort()
    .at(-1);
  const path = join(directory, newest ?? '');
  const at = Math.floor(statSync(path).size / 2);
  const file = openSync(path, 'r+');
  try {
    const byte = Buffer.alloc(1);
    readSync(file, byte, 0, 1, at);
    writeSync(file, Buffer.of(byte.readUInt8() ^ 1), 0, 1, at);
  } finally {
    closeSync(file);
  }
}
