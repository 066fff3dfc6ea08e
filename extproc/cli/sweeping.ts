import { statSync } from 'node:fs';
import { setPriority } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Config } from '../config/config.ts';
import type { Log } from '../log.ts';
import { retentionMetrics } from '../operations/retention-metrics.ts';
import { LastSweepReader } from '../retention/last-sweep.ts';
import { SweepTimer, type SweepTimerParts } from '../retention/sweep-timer.ts';
import { lastWords, runChild } from '../tools/child.ts';

const mainScript = fileURLToPath(new URL('../main.ts', import.meta.url));
const hourMs = 3_600_000;
/** A sweep that takes longer hangs. What it did stays done. */
const sweepMaxMs = 12 * hourMs;
/** Behind everything that records. */
const childNiceness = 10;
const exitStillToDo = 3;

export type SweepingParts = {
  config: Config;
  /** What `--config` said. */
  configFile: string | undefined;
  log: Pick<Log, 'info' | 'warn' | 'error'>;
  registry: Parameters<typeof retentionMetrics>[0];
  env: NodeJS.ProcessEnv;
  timing?: Pick<SweepTimerParts, 'quietMs' | 'checkIntervalMs'>;
};

/**
 * Sweeps by a timer, each time in a process of its own: what records loads nothing that deletes, and a sweep that dies
 * takes nothing along. Returns what ends it; a sweep that is under way is ended too, and the next one does the rest.
 */
export function startSweeping({ config, configFile, log, registry, env, timing }: SweepingParts): () => Promise<void> {
  const { dataDirectory, retention } = config;
  const reader = new LastSweepReader(join(dataDirectory, 'retention'));
  const firstMs = firstStartMs(dataDirectory);
  retentionMetrics(registry, {
    ageSeconds: () => Math.max(0, Date.now() - (reader.last().wholeMs ?? firstMs)) / 1_000,
    toDo: () => reader.last().toDo,
  });
  const { sweepIntervalHours } = retention;
  if (sweepIntervalHours === 0) return async () => {};
  const ending = new AbortController();
  let underWay = Promise.resolve();
  const sweep = async () => {
    const named = configFile === undefined ? [] : ['--config', configFile];
    const reason = 'by the timer (retention.sweepIntervalHours)';
    const result = await runChild(
      process.execPath,
      [mainScript, ...named, 'retention', 'sweep', '--json', '--reason', reason],
      { env, timeoutMs: sweepMaxMs, signal: ending.signal, onStarted: (pid) => setPriority(pid, childNiceness) },
    );
    if (!ending.signal.aborted) tell(log, result);
  };
  const timer = new SweepTimer({
    intervalMs: sweepIntervalHours * hourMs,
    last: () => reader.last(),
    sweep: () => {
      underWay = sweep();
      return underWay;
    },
    nowMs: Date.now,
    ...timing,
  });
  timer.start();
  return async () => {
    timer.stop();
    ending.abort();
    await underWay;
  };
}

function tell(log: SweepingParts['log'], result: Awaited<ReturnType<typeof runChild>>): void {
  if (result.kind === 'ended' && result.status === 0) log.info('a sweep was made');
  else if (result.kind === 'ended' && result.status === exitStillToDo)
    log.warn('a sweep left something to do: see its receipt');
  else {
    const words =
      result.kind === 'ended' ? lastWords(result.output) : result.kind === 'broken' ? result.why : 'no node';
    log.error({ reason: words }, 'a sweep failed');
  }
}

/** The key is made at the first start and stays. */
function firstStartMs(dataDirectory: string): number {
  try {
    return statSync(join(dataDirectory, 'keys', 'hash.key')).mtimeMs;
  } catch {
    return Date.now();
  }
}
