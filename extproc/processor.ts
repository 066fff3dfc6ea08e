import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from './config/config.ts';
import type { FileSystem } from './journal/fs.ts';
import { loadOrCreateJournalKey } from './journal/key.ts';
import type { Log } from './log.ts';
import { meteredFileSystem } from './operations/metered-file-system.ts';
import type { Operations } from './operations/operations.ts';
import type { PolicyBundle } from './policy/bundle.ts';
import { startPrimary } from './primary.ts';
import type { Recorder } from './recorder.ts';
import { startRecorder } from './recorder.ts';
import { openRecovered } from './recovery.ts';

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
  /** Refuses new streams, ends the open ones within `drainMaxMs`, ships what is recorded and closes the journal. */
  stop(): Promise<void>;
};

/** Everything in one process: recovers the journal, then ships from it, then takes streams. */
export async function startProcessor(parts: ProcessorParts): Promise<Processor> {
  await using started = new AsyncDisposableStack();
  const { config, log, policy, operations } = parts;
  const { metrics, readiness } = operations;
  mkdirSync(join(config.dataDirectory, 'keys'), { recursive: true, mode: 0o700 });
  const journalKey = await loadOrCreateJournalKey(config.journal.keyFile);
  const hashKey = await loadOrCreateJournalKey(join(config.dataDirectory, 'keys', 'hash.key'));
  const directory = join(config.dataDirectory, 'journal');
  let recorder: Recorder | undefined;
  const journal = await openRecovered({
    ...{ limits: config.journal, directory, key: journalKey, log },
    fileSystem: meteredFileSystem(parts.fileSystem, metrics.journal),
    onFinished: (connection, outcome) => metrics.exchange.ended.inc({ connection, outcome }),
    onPoison(error) {
      readiness.failed('journal', 'the journal can no longer be written: the processor ends');
      recorder?.stopServing();
      parts.onPoison(error);
    },
  });
  readiness.ok('journal');
  started.defer(() => journal.close());
  const primary = startPrimary({
    ...{ config, policy, log, journalDirectory: directory, journalKey, hashKey, operations },
    onDelivered: (position) => recorder?.delivered(position),
  });
  started.defer(() => primary.stop());
  const onExchangeEnd = () => primary.wake();
  const recording = await startRecorder({ config, policy, log, journal, hashKey, operations, onExchangeEnd });
  recorder = recording;
  // Disposed in reverse: no stream is open when the last of the journal is shipped, and the journal is closed last.
  started.defer(() => recording.stop());
  const all = started.move();
  return { stop: () => all.disposeAsync() };
}
