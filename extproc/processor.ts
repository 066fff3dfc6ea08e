import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from './config/config.ts';
import type { CoverageWatch } from './coverage/watch.ts';
import { watchCoverage } from './coverage/watch.ts';
import type { FileSystem } from './journal/fs.ts';
import { loadOrCreateJournalKey } from './journal/key.ts';
import { journalDirectory } from './journal/places.ts';
import { prepareKeys } from './keys/prepare.ts';
import { watchGrants } from './known-grants.ts';
import { takeOverLeft } from './left-journals.ts';
import type { Log } from './log.ts';
import { meteredFileSystem } from './operations/metered-file-system.ts';
import type { Operations } from './operations/operations.ts';
import type { PolicyBundle } from './policy/bundle.ts';
import { startPrimary } from './primary.ts';
import { largeReading } from './reading/threaded-reader.ts';
import type { Recorder } from './recorder.ts';
import { startRecorder } from './recorder.ts';
import { RecordingLoad } from './recording-load.ts';
import { openRecovered, untilUnlocked } from './recovery.ts';
import { startShipping } from './shipping.ts';
import { startTicketWatching } from './ticket-watching.ts';
import type { WorkerStatus } from './workers/supervisor.ts';

export type ProcessorParts = {
  config: Config;
  policy: PolicyBundle;
  log: Log;
  /** Where the journal lives; a test puts one here that fails or stalls. */
  fileSystem: FileSystem;
  /** The journal can no longer be trusted to write: the process has to end and recover from disk. */
  onPoison: (error: Error) => void;
  operations: Operations;
};

export type Processor = {
  /** What the comparison with Envoy's log found so far; nothing where no log is configured. */
  readonly coverage: Pick<CoverageWatch, 'counts' | 'lagSeconds'>;
  /**
   * Puts a policy in force that was tried before, in every process and thread that asks one. Resolves when all of them
   * have it, or were ended because they did not take it.
   * @throws SkilltapeError `policy_invalid` when it cannot be loaded; then the one before stays
   */
  usePolicy(policy: PolicyBundle): Promise<void>;
  /** The worker processes; none where one process does everything. */
  workers(): readonly WorkerStatus[];
  /** Refuses new streams, ends the open ones within `drainMaxMs`, ships what is recorded and closes the journals. */
  stop(): Promise<void>;
  /** For whoever ends this process at once: its workers end too. */
  kill(): void;
};

export type Keys = { journal: Uint8Array; hash: Uint8Array };

/** One process that does everything, or a primary with worker processes. Resolves when all of them take streams. */
export async function startProcessor(parts: ProcessorParts): Promise<Processor> {
  const { config, log } = parts;
  mkdirSync(join(config.dataDirectory, 'keys'), { recursive: true, mode: 0o700 });
  const journal = await loadOrCreateJournalKey(config.journal.keyFile);
  const hash = await loadOrCreateJournalKey(join(config.dataDirectory, 'keys', 'hash.key'));
  const master = await prepareKeys(config.dataDirectory);
  if (master === 'created') log.warn('keys/master.key was made: copy it elsewhere, or all is lost with it');
  const own = { ...parts, keys: { journal, hash } };
  return config.workers === 1 ? startAlone(own) : startPrimary(own);
}

/** Everything in one process: recovers the journal, then ships from it, then takes streams. */
async function startAlone(parts: ProcessorParts & { keys: Keys }): Promise<Processor> {
  await using started = new AsyncDisposableStack();
  const { config, log, policy, operations, keys } = parts;
  const { metrics, readiness } = operations;
  const fileSystem = meteredFileSystem(parts.fileSystem, metrics.journal);
  const onFinished = metrics.exchange.onFinished;
  const left = await takeOverLeft({ config, key: keys.journal, log, fileSystem, onFinished });
  started.defer(() => left.close());
  const directory = journalDirectory(config.dataDirectory, 1);
  const { journalMaxBytes } = config.journal;
  // Where there were workers, the first one may still be there.
  if (left.directories.length > 0) await untilUnlocked({ directory, fileSystem, log }, config.drainMaxMs);
  let recorder: Recorder | undefined;
  const journal = await openRecovered({
    ...{ limits: config.journal, journalMaxBytes, directory, key: keys.journal, log, fileSystem, onFinished },
    onPoison(error) {
      readiness.failed('journal', 'the journal can no longer be written: the processor ends');
      recorder?.stopServing();
      parts.onPoison(error);
    },
  });
  readiness.ok('journal');
  started.defer(() => journal.close());
  const largeWork = largeReading();
  const coverage = watchCoverage(log, journal, Date.now);
  const load = new RecordingLoad(() => journal.usage());
  const shipping = startShipping({
    ...{ config, policy, log, journalKey: keys.journal, hashKey: keys.hash, operations, coverage },
    journalDirectories: [directory, ...left.directories],
    largeWorkMemory: largeWork.memory,
    isRecordingBusy: () => load.isBusy(),
    onDelivered: ([position = null, ...others]) => {
      if (position !== null) recorder?.delivered(position);
      left.delivered(others);
    },
  });
  started.defer(() => shipping.stop());
  started.defer(startTicketWatching(parts));
  const onExchangeEnd = () => shipping.wake();
  const place = { directory, fileSystem, key: keys.journal };
  const recording = await startRecorder({
    ...{ config, policy, log, journal, place, operations, listen: config.listen, onExchangeEnd },
    hashKey: keys.hash,
    largeReading: largeWork,
    // No other place is there for Envoy to send a stream to.
    drainNoticeMs: 0,
  });
  recorder = recording;
  // Disposed in reverse: no stream is open when the last of the journal is shipped, and the journal is closed last.
  started.defer(() => recording.stop());
  started.adopt(watchGrants(parts), (watch) => watch.close());
  const all = started.move();
  return {
    coverage,
    async usePolicy(next) {
      await recording.usePolicy(next);
      shipping.usePolicy(next);
    },
    workers: () => [],
    stop: () => all.disposeAsync(),
    kill: () => {},
  };
}
