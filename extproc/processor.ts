import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from './config/config.ts';
import type { FileSystem } from './journal/fs.ts';
import { loadOrCreateJournalKey } from './journal/key.ts';
import type { Log } from './log.ts';
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
};

export type Processor = {
  /** Refuses new streams, ends the open ones within `drainMaxMs`, ships what is recorded and closes the journal. */
  stop(): Promise<void>;
};

/** Everything in one process: recovers the journal, then ships from it, then takes streams. */
export async function startProcessor(parts: ProcessorParts): Promise<Processor> {
  await using started = new AsyncDisposableStack();
  const { config, log, policy, fileSystem, onPoison } = parts;
  mkdirSync(join(config.dataDirectory, 'keys'), { recursive: true, mode: 0o700 });
  const journalKey = await loadOrCreateJournalKey(config.journal.keyFile);
  const hashKey = await loadOrCreateJournalKey(join(config.dataDirectory, 'keys', 'hash.key'));
  const directory = join(config.dataDirectory, 'journal');
  const journal = await openRecovered({
    ...{ limits: config.journal, directory, key: journalKey, log, fileSystem, onPoison },
  });
  started.defer(() => journal.close());
  let recorder: Recorder | undefined;
  const primary = startPrimary({
    ...{ config, policy, log, journalDirectories: [directory], journalKey, hashKey },
    onDelivered: ([position = null]) => recorder?.delivered(position),
  });
  started.defer(() => primary.stop());
  const onExchangeEnd = () => primary.wake();
  const recording = await startRecorder({
    ...{ config, policy, log, journal, hashKey, onExchangeEnd },
    place: { directory, fileSystem, key: journalKey },
  });
  recorder = recording;
  // Disposed in reverse: no stream is open when the last of the journal is shipped, and the journal is closed last.
  started.defer(() => recording.stop());
  const all = started.move();
  return { stop: () => all.disposeAsync() };
}
