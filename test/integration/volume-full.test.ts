import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { messagesBody } from '../builders/messages-body.ts';
import { startTestGateway } from '../environment/gateway.ts';
import { operationsOf, troubles } from '../environment/operations-call.ts';
import { claudeError } from '../environment/traffic.ts';
import { waitUntil } from '../environment/wait.ts';
import { valueIn } from '../unit/operations/exposition.ts';

const MiB = 1024 * 1024;
const volumeBytes = 256 * MiB;

/** Only root may, and not in every container. */
function mounted(directory: string): boolean {
  const size = `size=${volumeBytes},mode=0700`;
  return spawnSync('mount', ['-t', 'tmpfs', '-o', size, 'tmpfs', directory]).status === 0;
}

test('a volume that somebody else fills refuses what is new, with a record, and takes it again when there is room', async (t) => {
  const volume = mkdtempSync(join(tmpdir(), 'skilltape-volume-'));
  if (!mounted(volume)) {
    rmSync(volume, { recursive: true });
    t.skip('no volume can be mounted here; test/unit/volume-watch.test.ts has the same with a fake');
    return;
  }
  await using started = new AsyncDisposableStack();
  started.defer(() => {
    spawnSync('umount', [volume]);
    rmSync(volume, { recursive: true });
  });
  const gateway = await startTestGateway({
    settings: { journal: { journalMaxBytes: 64 * MiB, segmentMaxBytes: MiB, volumeRefuseAtPercent: 90 } },
    prepare: (directory) => symlinkSync(volume, join(directory, 'data')),
  });
  started.defer(() => gateway.stop());
  assert.ok(existsSync(join(volume, 'journal')), 'the gateway writes to the volume');
  const headers = { authorization: `Bearer ${await gateway.token()}` };
  const operations = operationsOf(gateway);
  assert.equal((await gateway.post(messagesBody('before'), headers)).status, 200);
  assert.deepEqual(troubles(await operations.ready()), []);

  const filler = join(volume, 'of-somebody-else');
  writeFileSync(filler, Buffer.alloc(0.92 * volumeBytes - 8 * MiB));
  let size = 0.92 * volumeBytes - 8 * MiB;
  const refusal = await waitUntil('a refusal', async () => {
    const answer = await gateway.post(messagesBody('now'), headers);
    if (answer.status !== 200) return answer;
    size += MiB;
    writeFileSync(filler, Buffer.alloc(size));
    // It is looked at once a second, and between the two limits lie 13 MiB.
    await setTimeout(150);
    return false;
  });
  assert.equal(refusal.status, 503);
  assert.equal(refusal.headers.get('retry-after'), '30');
  const said = claudeError(refusal.body, refusal.headers.get('content-type'), ['overloaded_error']);
  assert.match(said, /disk is too full/);
  const record = await gateway.document(refusal.exchangeId);
  assert.deepEqual([record.skilltape.outcome], ['refused'], 'its record says so');
  const ready = await operations.ready();
  assert.deepEqual([ready.status, troubles(ready)], [503, ['volume: failed']]);
  const series = await operations.series();
  assert.equal(valueIn(series, 'skilltape_volume_refuses'), 1);
  assert.ok(valueIn(series, 'skilltape_volume_used_ratio') >= 0.9);

  rmSync(filler);
  await waitUntil('room again', async () => (await gateway.post(messagesBody('after'), headers)).status === 200);
  assert.deepEqual(troubles(await operations.ready()), []);
});
