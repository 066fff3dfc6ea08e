import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import runtime from '../../extproc/tools/runtime.json' with { type: 'json' };

const mebibyte = 1024 * 1024;

/**
 * Allocates so much that survives a while that a young generation grows as far as it may, and gives its usual size: on a
 * busy machine it is larger for a moment (17 MiB in place of 8 were seen).
 */
const measuring = `
  import { parentPort, Worker } from 'node:worker_threads';
  import { getHeapSpaceStatistics } from 'node:v8';
  const kept = [];
  const sizes = [];
  for (let at = 0; at < 2_000_000; at += 1) {
    kept[at % 200_000] = { at };
    if (at % 10_000 !== 0) continue;
    const young = getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space');
    sizes.push(young.space_size);
  }
  const usual = sizes.sort((a, b) => a - b)[sizes.length >> 1];
`;
const inThread = `${measuring} parentPort.postMessage(usual);`;
const program = `${measuring}
  (await import(process.env.THREAD_HEAPS)).keepThreadHeapsSmall();
  const thread = new Worker(new URL('data:text/javascript,' + encodeURIComponent(${JSON.stringify(inThread)})));
  thread.on('message', (size) => console.log(JSON.stringify({ main: usual, thread: size })));
`;

test('the thread that answers Envoy has the young generation of the runtime options, other threads have a smaller one', () => {
  const env = { ...process.env, THREAD_HEAPS: new URL('../../extproc/thread-heaps.ts', import.meta.url).href };
  const args = [...runtime.arguments, '--input-type=module', '--eval', program];
  const { main, thread } = JSON.parse(execFileSync(process.execPath, args, { env, encoding: 'utf8' }));
  // Two halves each.
  assert.deepEqual({ main: main / mebibyte, thread: thread / mebibyte }, { main: 16, thread: 8 });
});
