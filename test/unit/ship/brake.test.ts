import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { test } from 'node:test';
import { Brake } from '../../../extproc/ship/brake.ts';
import { seededRandom } from '../../fakes/file-system.ts';

const yieldMaxMs = 2_000;

/** A brake in a time of its own, in which things happen at given moments. */
function rig({ wallClockAheadMs = () => 0 }: { wallClockAheadMs?: () => number } = {}) {
  let timeMs = 10_000;
  let isStopping = false;
  const planned: { atMs: number; run: () => void }[] = [];
  const pass = (untilMs: number): void => {
    for (const next of planned.filter(({ atMs }) => atMs <= untilMs).toSorted((a, b) => a.atMs - b.atMs)) {
      planned.splice(planned.indexOf(next), 1);
      timeMs = Math.max(timeMs, next.atMs);
      next.run();
      if (isStopping) return;
    }
    timeMs = Math.max(timeMs, untilMs);
  };
  const brake = new Brake({
    yieldMaxMs,
    nowMs: () => timeMs,
    wallClockMs: () => timeMs + wallClockAheadMs(),
    pause: async (ms) => {
      assert.ok(ms > 0, 'no pause without end');
      pass(timeMs + ms);
    },
    isStopping: () => isStopping,
  });
  return {
    brake,
    nowMs: () => timeMs,
    pass,
    at: (inMs: number, run: () => void) => planned.push({ atMs: timeMs + inMs, run }),
    stop: () => {
      isStopping = true;
    },
    /** Told of ends every 50 ms for a time. */
    busyFor(ms: number) {
      for (let inMs = 0; inMs <= ms; inMs += 50) this.at(inMs, () => brake.woken(true));
    },
  };
}

async function waited(parts: ReturnType<typeof rig>, undeliveredSinceMs: number | null): Promise<number> {
  const beganMs = parts.nowMs();
  await parts.brake.released(undeliveredSinceMs);
  return parts.nowMs() - beganMs;
}

test('what ends while recording is idle is shipped at once', async () => {
  const parts = rig();
  parts.brake.woken(false);
  assert.equal(parts.brake.isOn(null), false);
  assert.equal(await waited(parts, null), 0);
  assert.equal(await waited(parts, parts.nowMs()), 0);
});

test('while recording is busy shipping waits, counted from the end of the oldest exchange, and then goes on', async () => {
  const parts = rig();
  parts.busyFor(60_000);
  parts.brake.woken(true);
  assert.equal(parts.brake.isOn(null), true);
  assert.equal(await waited(parts, null), yieldMaxMs, 'nothing was read since it was woken');
  parts.brake.reading();
  parts.pass(parts.nowMs() + 100);
  assert.equal(await waited(parts, null), yieldMaxMs - 50, 'from the first end behind what was read');
  assert.equal(await waited(parts, parts.nowMs() - 500), yieldMaxMs - 500);
  assert.equal(await waited(parts, parts.nowMs() - yieldMaxMs), 0);
  assert.equal(parts.brake.isOn(parts.nowMs() - yieldMaxMs), false, 'it does not pause within its work either');
});

test('it goes on half a second after recording was busy for the last time, whether that says so or nothing, or at a stop', async () => {
  const idle = rig();
  idle.brake.woken(true);
  idle.busyFor(300);
  for (const inMs of [350, 400, 450, 500]) idle.at(inMs, () => idle.brake.woken(false));
  assert.equal(await waited(idle, null), 800);
  const silent = rig();
  silent.brake.woken(true);
  silent.busyFor(300);
  assert.equal(await waited(silent, null), 800);
  const stopped = rig();
  stopped.brake.woken(true);
  stopped.busyFor(60_000);
  stopped.at(420, () => stopped.stop());
  assert.equal(await waited(stopped, null), 420);
});

test('recording that looks idle while it waits for a slow disk is not taken for idle', async () => {
  const parts = rig();
  parts.brake.woken(true);
  for (let inMs = 50; inMs < 60_000; inMs += 50) parts.at(inMs, () => parts.brake.woken(inMs % 450 === 0));
  assert.equal(await waited(parts, null), yieldMaxMs);
});

test('a wall clock that is set back or forward makes no wait longer', async () => {
  for (const aheadMs of [-3_600_000, 3_600_000]) {
    const parts = rig({ wallClockAheadMs: () => aheadMs });
    parts.brake.woken(true);
    parts.busyFor(60_000);
    assert.ok((await waited(parts, parts.nowMs())) <= yieldMaxMs);
  }
});

test('whatever comes when, nothing that is there waits longer than the bound', async (t) => {
  const seed = randomInt(2 ** 32);
  t.diagnostic(`seed ${seed}`);
  const random = seededRandom(seed);
  for (let run = 0; run < 100; run += 1) {
    const parts = rig();
    // Ends of exchanges that shipping has not been given yet.
    let ended: number[] = [];
    for (let inMs = 0; inMs < 20_000; inMs += Math.floor(random() * (run % 2 === 0 ? 100 : 300))) {
      parts.at(inMs, () => {
        ended.push(parts.nowMs());
        parts.brake.woken(random() < 0.99);
      });
    }
    for (let delivery = 0; delivery < 200 && parts.nowMs() < 30_000; delivery += 1) {
      await parts.brake.released(null);
      parts.brake.reading();
      for (const endMs of ended) assert.ok(parts.nowMs() - endMs <= yieldMaxMs, `seed ${seed}`);
      ended = [];
      parts.pass(parts.nowMs() + Math.floor(random() * 200));
    }
  }
});
