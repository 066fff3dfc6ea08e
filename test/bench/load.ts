import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout } from 'node:timers/promises';
import { processMemory } from '../environment/process-memory.ts';
import { cpuUsage } from './process-usage.ts';
import type { Variant } from './stand.ts';
import type { Workload } from './workload.ts';

/** One run of one variant, as measured. */
export type Run = {
  /** Ended within the measured time; the load generator compared every byte of their answers. */
  exchanges: number;
  exchangesWithWarmup: number;
  /** At any time, warm-up included. */
  failures: number;
  firstFailure: string | null;
  exchangesPerSecond: number;
  latencyMs: { p50: number; p99: number };
  firstByteMs: { p50: number; p99: number };
  /** CPU per exchange within the measured time. */
  envoyCpuMs: number;
  processor: ProcessorUsage | null;
};

export type ProcessorUsage = {
  /** CPU per exchange of all threads, with all work that an exchange leaves behind. */
  cpuMs: number;
  /** The part of the main thread, which is the one that answers Envoy. */
  mainCpuMs: number;
  residentBytes: number;
  /** How long the processor went on working after the last answer. */
  afterworkSeconds: number;
};

export type LoadOptions = {
  binary: string;
  caFile: string;
  token: string;
  bodyFile: string;
  workload: Workload;
  concurrency: number;
  warmupSeconds: number;
  seconds: number;
  /** No two runs of one stand may use the same numbers. */
  firstSerial: number;
  signal: AbortSignal;
};

const quietIntervalMs = 300;
/** Longer than a slow sync of the disk: the work that waits for it would fall into the next run. */
const quietMinMs = 1_000;
/** Health checks alone take less. */
const quietShare = 0.1;
const afterworkMaxMs = 120_000;

/** Puts load on a variant, waits until its processor is done with it, and reads what its processes used. */
export async function runLoad(variant: Variant, options: LoadOptions): Promise<Run> {
  const { processorPid } = variant;
  const before = processorPid === undefined ? null : cpuUsage(processorPid);
  const { result, envoyCpuSeconds } = await putLoad(variant, options);
  const perExchange = (seconds: number, exchanges: number) => (seconds * 1000) / Math.max(1, exchanges);
  const { seconds, firstFailure = null, ...counted } = result;
  const run: Omit<Run, 'processor'> = {
    ...counted,
    firstFailure,
    exchangesPerSecond: result.exchanges / seconds,
    envoyCpuMs: perExchange(envoyCpuSeconds, result.exchanges),
  };
  if (processorPid === undefined || before === null) return { ...run, processor: null };
  const resident = processMemory(processorPid).residentBytes;
  const afterworkSeconds = await quiet(processorPid, options.signal);
  const after = cpuUsage(processorPid);
  return {
    ...run,
    processor: {
      cpuMs: perExchange(after.allSeconds - before.allSeconds, result.exchangesWithWarmup),
      mainCpuMs: perExchange(after.mainSeconds - before.mainSeconds, result.exchangesWithWarmup),
      residentBytes: resident,
      afterworkSeconds,
    },
  };
}

async function putLoad(
  variant: Variant,
  options: LoadOptions,
): Promise<{ result: LoadResult; envoyCpuSeconds: number }> {
  const child = spawn(options.binary, loadArguments(variant, options), {
    env: { ...process.env, BENCH_TOKEN: options.token },
    stdio: ['ignore', 'pipe', 'pipe'],
    signal: options.signal,
  });
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text) => {
    errors = (errors + text).slice(-2_000);
  });
  const closed = once(child, 'close');
  // Thrown where it is waited for: the stand is stopped then.
  closed.catch(() => {});
  const envoyCpu = () => cpuUsage(variant.envoyPid).allSeconds;
  let begin: number | undefined;
  let end: number | undefined;
  let result: LoadResult | undefined;
  for await (const line of createInterface({ input: child.stdout })) {
    if (line === 'begin') begin = envoyCpu();
    else if (line === 'end') end = envoyCpu();
    else result = JSON.parse(line) as LoadResult;
  }
  await closed;
  if (result === undefined || begin === undefined || end === undefined) {
    throw new Error(`the load generator gave no result: ${errors}`);
  }
  return { result, envoyCpuSeconds: end - begin };
}

/** Resolves with the seconds until the process did next to nothing: what is behind it must not slow the next run. */
export async function quiet(pid: number, signal: AbortSignal): Promise<number> {
  const started = performance.now();
  let used = cpuUsage(pid).allSeconds;
  let quietSince = started;
  while (performance.now() - quietSince < quietMinMs) {
    const asked = performance.now();
    await setTimeout(quietIntervalMs, undefined, { signal });
    const now = cpuUsage(pid).allSeconds;
    const share = (now - used) / ((performance.now() - asked) / 1000);
    if (share >= quietShare) quietSince = performance.now();
    if (quietSince - started > afterworkMaxMs) {
      throw new Error(`the processor was still at work ${afterworkMaxMs / 1000} s after the last answer`);
    }
    used = now;
  }
  return (quietSince - started) / 1000;
}

type LoadResult = Pick<Run, 'exchanges' | 'exchangesWithWarmup' | 'failures' | 'latencyMs' | 'firstByteMs'> & {
  seconds: number;
  firstFailure?: string;
};

function loadArguments(variant: Variant, options: LoadOptions): string[] {
  const { workload } = options;
  return [
    'load',
    ...['--url', `${variant.url}/v1/messages`, '--ca', options.caFile],
    ...['--body', options.bodyFile, '--answer', workload.answer],
    ...['--concurrency', String(options.concurrency), '--first-serial', String(options.firstSerial)],
    ...['--warmup', `${options.warmupSeconds}s`, '--measured', `${options.seconds}s`],
  ];
}
