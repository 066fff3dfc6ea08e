/** What a writer of the archive is given: its places, its ports, and the exchanges. */
import type { FileSystem } from '../journal/fs.ts';
import type { CheckpointSink } from './checkpoint.ts';
import type { Person, Sealer } from './cipher.ts';
import type { JournalPlace } from './format.ts';
import type { FindEnd } from './marks.ts';
import type { ArchiveRecovery } from './recover.ts';
import type { SigningKey } from './signing.ts';

export type ArchiveOptions = {
  /** Of all writers. */
  directory: string;
  fileSystem: FileSystem;
  key: SigningKey;
  sealer: Sealer;
  segmentMaxBytes: number;
  checkpointIntervalMs: number;
  nowMs: () => number;
  findEnd: FindEnd;
  sinks: readonly CheckpointSink[];
  /** What a start found, also one after a failure. */
  onRecovered: (recovery: ArchiveRecovery) => void;
  /** A place outside did not take a checkpoint; the next one is tried again. */
  onSinkFailed: (sink: string, thrown: unknown) => void;
};

/** An exchange as it is archived. `records` gives its records as the journal has them, each time from the first. */
export type ArchivedExchange = {
  exchangeId: string;
  place: JournalPlace;
  finishedMs: number;
  person: Person;
  retentionClass: string;
  records: () => AsyncIterable<Uint8Array>;
  /** The masked documents that the index is given. */
  documents: readonly unknown[];
  /** JSON: what is kept of it when the days of its content are over; null for nothing. */
  metadata: unknown;
};
