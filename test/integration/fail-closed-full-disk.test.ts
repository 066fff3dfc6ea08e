import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { messagesBody } from '../builders/messages-body.ts';
import type { TestGateway } from '../environment/gateway.ts';
import { startTestGateway } from '../environment/gateway.ts';
import type { SmallDisk } from '../environment/small-disk.ts';
import { mountSmallDisk, noSmallDisk } from '../environment/small-disk.ts';
import { claudeError, openSlowStream, servedAgain } from '../environment/traffic.ts';
import { waitUntil } from '../environment/wait.ts';

const MiB = 1024 * 1024;
const skip = noSmallDisk() ?? false;

/** The journal on a disk of its own. */
let journalDisk: SmallDisk;
let gateway: TestGateway;
let headers: { authorization: string };
before(async () => {
  if (skip !== false) return;
  journalDisk = mountSmallDisk(32 * MiB);
  const journal = { segmentMaxBytes: MiB };
  gateway = await startTestGateway({ settings: { journal }, prepare: placeDisk });
  headers = { authorization: `Bearer ${await gateway.token()}` };
});
after(async () => {
  if (skip !== false) return;
  await gateway.stop();
  journalDisk.unmount();
});

function placeDisk(directory: string): void {
  mkdirSync(join(directory, 'data'), { mode: 0o700 });
  symlinkSync(journalDisk.path, join(directory, 'data', 'journal'));
}

const processorLog = () => readFileSync(join(gateway.directory, 'processor.log'), 'utf8');

/** Sends until a request is refused for want of a recording; gives the ids of those that were answered before. */
async function sendUntilRefused(marker: string): Promise<string[]> {
  const answered: string[] = [];
  await waitUntil('a refusal', async () => {
    const answer = await gateway.post(messagesBody(`${marker} ${answered.length} ${'x'.repeat(20_000)}`), headers);
    if (answer.status === 200) {
      answered.push(answer.exchangeId);
      return false;
    }
    assert.ok(answer.status === 503 || answer.status === 500, `status ${answer.status}`);
    claudeError(answer.body, answer.headers.get('content-type'), ['api_error', 'overloaded_error']);
    return true;
  });
  return answered;
}

test('a disk that is full under the journal: nothing goes upstream unrecorded, and what was answered is found later', {
  skip,
}, async () => {
  const stream = await openSlowStream(gateway, 'open when the disk fills up', headers);
  journalDisk.fill();
  const answered = await sendUntilRefused('filling');
  assert.equal(await stream.over, 'cut');
  assert.equal(await gateway.processor.exited, 1, 'it cannot trust its disk, and says so by its end');
  assert.match(processorLog(), /no space left/i);

  const upstreamRequests = gateway.fake.requestCount();
  await gateway.restartProcessor();
  assert.notEqual(await gateway.processor.exited, 0, 'it cannot start on a full disk either');
  const refused = await gateway.post(messagesBody('while it is down'), headers);
  assert.ok(refused.status >= 500);
  assert.equal(gateway.fake.requestCount(), upstreamRequests);

  journalDisk.empty();
  await gateway.restartProcessor();
  await servedAgain(gateway, headers);
  for (const id of answered) assert.equal((await gateway.document(id)).skilltape.outcome, 'complete');
});

test('a disk that is read-only at the start: the processor does not start, nothing passes, and later it serves again', {
  skip,
}, async () => {
  const before = await servedAgain(gateway, headers);
  await gateway.document(before.exchangeId);
  await gateway.processor.stop();
  journalDisk.setReadOnly(true);
  const upstreamRequests = gateway.fake.requestCount();
  try {
    await gateway.restartProcessor();
    assert.notEqual(await gateway.processor.exited, 0);
    assert.match(processorLog(), /read-only/i);
    assert.ok((await gateway.post(messagesBody('read-only'), headers)).status >= 500);
    assert.equal(gateway.fake.requestCount(), upstreamRequests);
  } finally {
    journalDisk.setReadOnly(false);
  }
  await gateway.restartProcessor();
  await servedAgain(gateway, headers);
});
