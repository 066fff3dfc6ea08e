import assert from 'node:assert/strict';
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { LastSweepReader } from '../../../extproc/retention/last-sweep.ts';
import { SweepTimer } from '../../../extproc/retention/sweep-timer.ts';
import { temporaryDirectory } from '../../builders/directory.ts';
import { FakeFileSystem } from '../../fakes/file-system.ts';
import { dayMs, RetentionRig } from './rig.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

/** `begins`: whether a sweep comes to its beginning, which receipts then say. */
function timed(beganMs: number | null = null) {
  const clock = { nowMs: Date.UTC(2026, 0, 1), begins: true, begunMs: beganMs, swept: [] as number[] };
  const startMs = clock.nowMs;
  const timer = new SweepTimer({
    intervalMs: 24 * hourMs,
    last: () => clock,
    nowMs: () => clock.nowMs,
    async sweep() {
      clock.swept.push((clock.nowMs - startMs) / minuteMs);
      if (clock.begins) clock.begunMs = clock.nowMs;
    },
  });
  /** Looked at each minute, as it does. */
  const pass = async (minutes: number) => {
    for (let minute = 0; minute < minutes; minute += 1) {
      clock.nowMs += minuteMs;
      await timer.check();
    }
  };
  return { clock, pass, timer };
}

test('a gateway that never swept does so soon after its start, and then every interval from the beginning of the last', async () => {
  const { clock, pass } = timed();
  await pass(3 * 24 * 60);
  assert.deepEqual(clock.swept, [10, 10 + 24 * 60, 10 + 48 * 60]);
});

test('a start sweeps when the last sweep, by whomever, is an interval ago, and not before', async () => {
  const { clock, pass } = timed(Date.UTC(2026, 0, 1) - 20 * hourMs);
  await pass(5 * 60);
  assert.deepEqual(clock.swept, [4 * 60]);
  clock.begunMs = clock.nowMs;
  await pass(23 * 60);
  assert.equal(clock.swept.length, 1, 'somebody swept by hand');
});

test('a sweep that did not come to its beginning is tried again after a while, not at once', async () => {
  const { clock, pass } = timed();
  clock.begins = false;
  await pass(60);
  assert.deepEqual(clock.swept, [10, 25, 40, 55]);
});

test('a clock that was ahead once does not put sweeping off', async () => {
  const { clock, pass } = timed(Date.UTC(2027, 0, 1));
  await pass(60);
  assert.deepEqual(clock.swept, [10]);
});

test('one sweep at a time', async () => {
  let [started, end]: [number, () => void] = [0, () => {}];
  let nowMs = 0;
  const timer = new SweepTimer({
    ...{ intervalMs: hourMs, last: () => ({ begunMs: null }), nowMs: () => nowMs, quietMs: 0 },
    sweep: () => {
      started += 1;
      return new Promise<void>((resolve) => {
        end = resolve;
      });
    },
  });
  const first = timer.check();
  nowMs += dayMs;
  await timer.check();
  end();
  await first;
  assert.equal(started, 1);
});

test('what the receipts say of the last sweeps is read from their end: begun, whole, and what was left', async (t) => {
  const startMs = Date.UTC(2026, 0, 1);
  const rig = await RetentionRig.open(t, { startMs, fileSystem: new FakeFileSystem() });
  const directory = temporaryDirectory(t);
  const reader = new LastSweepReader(join(directory, 'retention'));
  assert.deepEqual(reader.last(), { begunMs: null, wholeMs: null, toDo: 0 });
  mkdirSync(join(directory, 'retention'));
  const file = join(directory, 'retention', 'receipts.signed');
  const written = () => {
    const path = join(rig.dataDirectory, 'retention', 'receipts.signed');
    writeFileSync(file, (rig.fileSystem as FakeFileSystem).bytesOf(path));
    return reader.last();
  };
  await rig.record({ number: 1, atMs: startMs });
  await rig.archive.close();
  rig.nowMs = startMs + 40 * dayMs;
  const wholeMs = rig.nowMs;
  await rig.sweep();
  assert.deepEqual(written(), { begunMs: wholeMs, wholeMs, toDo: 0 });
  rig.nowMs += dayMs;
  rig.indexAway = 'connection refused';
  await rig.sweep();
  assert.deepEqual(written(), { begunMs: rig.nowMs, wholeMs, toDo: 1 });
  // As a kill leaves it: begun and not ended, and half a line behind it.
  await rig.reopen();
  rig.nowMs += dayMs;
  const begun = { timeMs: rig.nowMs, by: 'ops', reason: 'daily', steps: [] };
  await rig.parts.receipts.append({ kind: 'sweep_begun', run: 'killed', ...begun });
  written();
  appendFileSync(file, '{"kind":"sweep_ended","ti');
  assert.deepEqual(reader.last(), { begunMs: rig.nowMs, wholeMs, toDo: 1 });
});
