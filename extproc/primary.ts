import { fileURLToPath } from 'node:url';
import { watchCoverage } from './coverage/watch.ts';
import { SkilltapeError } from './errors.ts';
import { journalDirectory, primaryJournal } from './journal/places.ts';
import { JournalSpace } from './journal-space.ts';
import { watchGrants } from './known-grants.ts';
import { takeOverLeft } from './left-journals.ts';
import { meteredFileSystem } from './operations/metered-file-system.ts';
import { workerMetrics } from './operations/worker-metrics.ts';
import type { Keys, Processor, ProcessorParts } from './processor.ts';
import { openRecovered, takeOver, untilUnlocked } from './recovery.ts';
import { startShipping } from './shipping.ts';
import { startTicketWatching } from './ticket-watching.ts';
import { Fleet } from './workers/fleet.ts';
import { systemSupervisorClock } from './workers/supervisor.ts';
import { launchWorker } from './workers/worker-process.ts';

const workerScript = fileURLToPath(new URL('worker.ts', import.meta.url));
const heartbeatCheckMs = 1_000;

/**
 * The primary beside several workers: recovers every journal, ships from all of them, keeps the workers running and
 * carries between them what one learnt. It answers no stream itself: while it is slow, recording goes on.
 */
export async function startPrimary(parts: ProcessorParts & { keys: Keys }): Promise<Processor> {
  await using started = new AsyncDisposableStack();
  const { config, log, keys, operations } = parts;
  let { policy } = parts;
  const { metrics, readiness } = operations;
  const fileSystem = meteredFileSystem(parts.fileSystem, metrics.journal);
  const onFinished = metrics.exchange.onFinished;
  readiness.ok('policies');
  started.defer(await lockDataDirectory(parts));
  const left = await takeOverLeft({ config, key: keys.journal, log, fileSystem, onFinished });
  started.defer(() => left.close());
  const workers = Array.from({ length: config.workers }, (_, at) => at + 1);
  const journalMaxBytes = Math.floor(config.journal.journalMaxBytes / config.workers);
  const recover = (worker: number) => takeOver({ ...placeOf(parts, worker), journalMaxBytes, fileSystem, onFinished });
  for (const worker of workers) {
    await untilUnlocked(placeOf(parts, worker), config.drainMaxMs);
    await recover(worker);
  }
  // As small as a journal may be: what comes into it is shipped at once.
  const own = await openRecovered({
    ...{ ...placeOf(parts, primaryJournal), fileSystem, onFinished },
    journalMaxBytes: 2 * config.journal.segmentMaxBytes,
    onPoison: parts.onPoison,
  });
  started.defer(() => own.close());
  const space = started.adopt(new JournalSpace({ journal: own, limits: config.journal, log }), (one) => one.close());
  readiness.ok('journal');
  const coverage = watchCoverage(log, own, Date.now);
  const shipping = startShipping({
    ...{ config, policy, log, journalKey: keys.journal, hashKey: keys.hash, operations, coverage },
    journalDirectories: [...directoriesOf(parts, [primaryJournal, ...workers]), ...left.directories],
    isRecordingBusy: () => fleet.isBusy(),
    onDelivered([position = null, ...others]) {
      space.delivered(position);
      fleet.delivered(others.slice(0, workers.length));
      left.delivered(others.slice(workers.length));
    },
  });
  started.defer(() => shipping.stop());
  started.defer(startTicketWatching(parts));
  const fleet = new Fleet({
    ...{ workers, log, drainMaxMs: config.drainMaxMs, clock: systemSupervisorClock },
    launch: (onMessage) => launchWorker(workerScript, onMessage),
    start: (worker, facts) => ({ worker, config, policy, journalMaxBytes, facts }),
    takeOver: recover,
    onEnded: () => shipping.wake(),
  });
  const heartbeat = setInterval(() => fleet.checkHeartbeats(), heartbeatCheckMs);
  started.defer(() => clearInterval(heartbeat));
  // Disposed in reverse: when all workers are drained, the last of their journals is shipped.
  started.defer(() => fleet.stop());
  started.adopt(watchGrants(parts), (watch) => watch.close());
  workerMetrics(metrics.registry, () => fleet.status());
  operations.watchWorkers(() => fleet.reports());
  await fleet.begin();
  readiness.ok('listener');
  const all = started.move();
  return {
    coverage,
    async usePolicy(next) {
      // A worker that is started from now on begins with it.
      policy = next;
      shipping.usePolicy(next);
      await fleet.usePolicy(next);
    },
    workers: () => fleet.status(),
    async stop() {
      readiness.failed('drain', 'the processor is stopping: open exchanges are drained');
      await all.disposeAsync();
    },
    kill: () => fleet.kill(),
  };
}

function directoriesOf(parts: ProcessorParts & { keys: Keys }, journals: readonly number[]): string[] {
  return journals.map((journal) => placeOf(parts, journal).directory);
}

function placeOf({ config, log, fileSystem, keys }: ProcessorParts & { keys: Keys }, worker: number) {
  const directory = journalDirectory(config.dataDirectory, worker);
  return { limits: config.journal, directory, key: keys.journal, log: log.child({ worker }), fileSystem };
}

/** Two primaries would ship the same journals, and start each other's workers. */
async function lockDataDirectory({ config, fileSystem }: ProcessorParts): Promise<() => Promise<void>> {
  const lock = await fileSystem.lock(config.dataDirectory);
  if (lock.status === 'acquired') return lock.release;
  const { dataDirectory } = config;
  throw new SkilltapeError('config_invalid', `the data directory ${dataDirectory} is in use by ${lock.holder}`, {
    remedy: 'Stop the other skilltape first, or give this one a dataDirectory of its own.',
  });
}
