import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join, resolve } from 'node:path';
import { pins } from '../../extproc/tools/versions.ts';
import { goBinary } from './go-binary.ts';
import { runLoad } from './load.ts';
import type { BenchOptions } from './options.ts';
import type { BenchResult, Cell } from './result.ts';
import { resultOf } from './result.ts';
import type { Stand, Variant } from './stand.ts';
import { startStand } from './stand.ts';
import { workloadOf } from './workload.ts';

/** More than one run can ever send. */
const serialsPerRun = 1e8;

/** Brings everything up, measures round by round, and takes everything down again. */
export async function runBench(
  options: BenchOptions,
  { progress, signal }: { progress: (line: string) => void; signal: AbortSignal },
): Promise<BenchResult> {
  const startedAt = new Date().toISOString();
  const profile = options.profile === undefined ? undefined : resolve(options.profile);
  if (profile !== undefined) mkdirSync(profile, { recursive: true });
  const binary = await goBinary(process.env, progress);
  progress('starting Envoy, the processors and the upstream');
  const stand = await startStand({ binary, variants: options.variants, profile });
  try {
    const cells = await measure(stand, binary, options, { progress, signal });
    return resultOf(cells, { startedAt, machine: machine(), options });
  } finally {
    await stand.stop();
  }
}

/**
 * In each round every variant meets each load once; who comes first changes from round to round. The round before the
 * first counts for nothing: V8 compiles in it, and what runs for weeks is compiled.
 */
async function measure(
  stand: Stand,
  binary: string,
  options: BenchOptions,
  { progress, signal }: { progress: (line: string) => void; signal: AbortSignal },
): Promise<Cell[]> {
  const loads = options.workloads.flatMap((name) => {
    const workload = workloadOf(name);
    const bodyFile = join(stand.directory, `body-${name}.json`);
    writeFileSync(bodyFile, workload.body);
    return options.concurrency.map((concurrency) => {
      const cells = stand.variants.map(({ name: variant }) => ({ workload: name, concurrency, variant, runs: [] }));
      return { workload, bodyFile, concurrency, cells: cells as Cell[] };
    });
  });
  const { seconds, warmupSeconds } = options;
  const { caFile } = stand;
  let firstSerial = 0;
  for (let round = -1; round < options.rounds; round += 1) {
    for (const { workload, bodyFile, concurrency, cells } of loads) {
      for (const [variant, cell] of rotated(stand.variants, cells, Math.max(0, round))) {
        const load = { workload, bodyFile, concurrency, seconds, warmupSeconds, firstSerial, signal };
        const run = await runLoad(variant, { binary, caFile, token: await stand.token(), ...load });
        // A failed exchange makes the result invalid, in whichever round.
        if (round >= 0 || run.failures > 0) cell.runs.push(run);
        firstSerial += serialsPerRun;
        const rate = `${run.exchangesPerSecond.toFixed(0)} exchanges/s, ${run.failures} failed`;
        progress(`${roundName(round)}: ${workload.name}, ${concurrency} at once, ${variant.name}: ${rate}`);
      }
    }
  }
  return loads.flatMap(({ cells }) => cells);
}

function roundName(round: number): string {
  return round < 0 ? 'round that counts for nothing' : `round ${round + 1}`;
}

function rotated(variants: readonly Variant[], cells: readonly Cell[], round: number): [Variant, Cell][] {
  const pairs = variants.flatMap((variant, index): [Variant, Cell][] => {
    const cell = cells[index];
    return cell === undefined ? [] : [[variant, cell]];
  });
  const first = round % Math.max(1, pairs.length);
  return [...pairs.slice(first), ...pairs.slice(0, first)];
}

function machine(): BenchResult['machine'] {
  const cores = cpus();
  const cpu = cores[0]?.model.trim() ?? 'unknown';
  return { cores: cores.length, cpu, node: process.versions.node, envoy: pins.envoy.version };
}
