import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { growthPercents, HeapGrowth, type MemoryUse } from '../../extproc/heap-growth.ts';
import runtime from '../../extproc/tools/runtime.json' with { type: 'json' };

const little: MemoryUse = { openExchanges: 16, heldBodyBytes: 100_000, residentBytes: 200e6 };

function watched() {
  let use = little;
  let nowMs = 0;
  const done: (number | 'collected')[] = [];
  const growth = new HeapGrowth({
    use: () => use,
    nowMs: () => nowMs,
    setGrowthPercent: (percent) => done.push(percent),
    collect: () => done.push('collected'),
  });
  return {
    done,
    look(next: MemoryUse, afterMs = 250): void {
      use = next;
      nowMs += afterMs;
      growth.look();
    },
  };
}

test('heaps may grow while little is asked of memory, and this is said once', () => {
  const { look, done } = watched();
  look(little);
  look(little);
  assert.deepEqual(done, [growthPercents.ample]);
});

for (const [what, use] of [
  ['many requests are open', { ...little, openExchanges: 129 }],
  ['large requests are held', { ...little, heldBodyBytes: 32e6 }],
  ['the process has grown', { ...little, residentBytes: 330e6 }],
] as const) {
  test(`when ${what}, heaps are kept small and what was gathered is given back`, () => {
    const { look, done } = watched();
    look(little);
    look(use);
    look(use);
    assert.deepEqual(done, [growthPercents.ample, growthPercents.few, 'collected']);
  });
}

test('a process that needs memory from its start collects nothing for it', () => {
  const { look, done } = watched();
  look({ ...little, openExchanges: 1_000 });
  assert.deepEqual(done, []);
});

test('heaps may grow again only when memory was not asked for during five seconds', () => {
  const { look, done } = watched();
  look({ ...little, openExchanges: 1_000 });
  look(little, 4_000);
  look({ ...little, openExchanges: 1_000 }, 500);
  look(little, 4_999);
  assert.deepEqual(done, []);
  look(little, 1);
  assert.deepEqual(done, [growthPercents.ample]);
});

test('heaps start as small as the runtime options say', () => {
  assert.ok(runtime.arguments.includes(`--heap-growing-percent=${growthPercents.few}`));
});

/** Replaces what lives in a heap piece by piece, and counts the collections of all of it. */
const counting = `
  import { PerformanceObserver, constants } from 'node:perf_hooks';
  import { setFlagsFromString } from 'node:v8';
  setFlagsFromString('--heap-growing-percent=' + process.env.PERCENT);
  const kept = Array.from({ length: 800_000 }, (_, at) => ({ at }));
  // Before the first one a heap has a limit of its own.
  gc();
  let count = 0;
  new PerformanceObserver((list) => {
    count += list.getEntries().filter(({ detail }) => detail.kind === constants.NODE_PERFORMANCE_GC_MAJOR).length;
  }).observe({ entryTypes: ['gc'] });
  for (let round = 0; round < 100; round += 1) {
    for (let at = 0; at < 100_000; at += 1) kept[(round * 100_000 + at) % kept.length] = { at };
    await new Promise((resolve) => setImmediate(resolve));
  }
  await new Promise((resolve) => setTimeout(resolve, 50));
  console.log(count);
`;

test('the runtime heeds the growth that is set while it runs: a heap that may grow is collected less often', () => {
  const collections = (percent: number): number => {
    const args = [...runtime.arguments, '--input-type=module', '--eval', counting];
    const env = { ...process.env, PERCENT: String(percent) };
    return Number(execFileSync(process.execPath, args, { env, encoding: 'utf8' }));
  };
  const few = collections(growthPercents.few);
  const ample = collections(growthPercents.ample);
  assert.ok(few > ample && ample > 0, `${few} collections when it may grow by 30 %, ${ample} by 100 %`);
});
