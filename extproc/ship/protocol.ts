import type { ArchiveRecovery } from '../archive/recover.ts';
import type { LateRecord } from '../coverage/late-record.ts';
import type { CoverageOptions } from '../coverage/options.ts';
import type { CoverageReport } from '../coverage/report.ts';
import type { DecodingLimits } from '../encoding/limits.ts';
import type { ElasticsearchOptions } from '../index/elasticsearch/options.ts';
import type { Position } from '../journal/position.ts';
import type { PolicyBundle } from '../policy/bundle.ts';
import type { PriceTable } from '../usage/price-table.ts';
import type { NameFinderOptions } from './http-name-finder.ts';

/** Counts are since the start of the thread. */
export type ShipperStatus = {
  /** For each journal, in the order of the options: everything before this position has been delivered, it may free it. */
  delivered: readonly (Position | null)[];
  shipped: number;
  rejected: number;
  /** Of persons who were erased after they began: neither archived nor indexed. */
  erased: number;
  openExchanges: number;
  /** Ended exchanges that were read and are not in the index. */
  waitingExchanges: number;
  /**
   * When the oldest exchange ended that is not in the index, in milliseconds since the epoch. Null when everything to
   * the ends of the journals was delivered. Where they were not read that far yet, the end of the last one delivered.
   */
  undeliveredSinceMs: number | null;
};

/** By type, all of them: values that stand masked in what the index took, since the start of the thread. */
export type FindingTotals = Readonly<Record<string, number>>;

/** What the shipping thread needs to begin; copied into it, nothing is shared. */
export type ShipOptions = {
  dataDirectory: string;
  /** Null: the embedded index in the data directory. */
  elasticsearch: ElasticsearchOptions | null;
  /** Of every worker, and those that earlier workers left; read together, in the order of time. */
  journalDirectories: readonly string[];
  journalKey: Uint8Array;
  hashKey: Uint8Array;
  /** Oldest first; the last one is in force. */
  policies: readonly PolicyBundle[];
  textMaxChars: number;
  maskingBudgetMs: number;
  /** Null: no model finds names. */
  names: NameFinderOptions | null;
  decoding: DecodingLimits;
  rememberedDays: number;
  rejectsMaxBytes: number;
  /** Longest wait after the end of an exchange while recording is busy; 0 for none. */
  yieldMaxMs: number;
  prices: PriceTable | null;
  /** Null: no values are kept for a reveal. */
  reveal: { maxBytes: number; keptDays: number } | null;
  /** Of a `LargeWork`; shared, unlike the rest. */
  largeWorkMemory: SharedArrayBuffer | null;
  /** Null: nothing is archived. */
  archive: ArchivePlaces | null;
  /** Null: no log is compared with the record. `reader` is null for the embedded index. */
  coverage: (CoverageOptions & { reader: ElasticsearchOptions | null }) | null;
};

/** Where the archive stands, and where its checkpoints are given to besides. */
export type ArchivePlaces = {
  directory: string;
  signingKeyFile: string;
  segmentMaxBytes: number;
  checkpointIntervalMs: number;
  /** Checkpoints are appended to it; null: to none. */
  checkpointFile: string | null;
  /** They are put into the index besides. */
  areCheckpointsIndexed: boolean;
};

/**
 * What one start of the thread is given: also the exchanges that it must not read, because that ended it before, and
 * the memory of a `ReadingMark`.
 */
export type ShipStart = ShipOptions & { reduced: readonly string[]; reading: SharedArrayBuffer };

/**
 * From the main thread: `wake` when the journal grew, `stop` to ship what is there and end, `late_records_taken` for the
 * records that were to be written: they are on disk, or have to be tried later; `policy` that is in force from now on.
 */
export type ShipCommand =
  | { kind: 'wake'; isRecordingBusy: boolean }
  | { kind: 'stop' }
  | { kind: 'late_records_taken'; isWritten: boolean }
  | { kind: 'policy'; policy: PolicyBundle };

/** From the shipping thread. No content, only counts and reasons of our own. */
export type ShipReport =
  | ({ kind: 'progress'; findings: FindingTotals } & ShipperStatus)
  /** Said once before the exchanges of a delivery are read. */
  | { kind: 'reading'; exchangeIds: readonly string[] }
  | { kind: 'waiting'; reason: string; waitsFor?: 'archive' }
  /** The archive was opened, at the start or again after it failed. */
  | { kind: 'archive_recovered'; recovery: ArchiveRecovery }
  /** A place outside did not take a checkpoint; `reason` has a path or an address. */
  | { kind: 'checkpoint_undelivered'; place: string; reason: string }
  /** The exchange cannot be found in the index; what the index refused itself stands in its list of rejects. */
  | { kind: 'rejected'; exchangeId: string; reason: string }
  /** So many documents left that list, the oldest, because it was at its limit. */
  | { kind: 'rejects_dropped'; count: number }
  | { kind: 'masking_failed'; exchangeId: string; reason: string }
  /** Values of so many exchanges could not be kept: they are in the index, and their tokens cannot be turned back. */
  | { kind: 'unrevealable'; exchanges: number; reason: string }
  | { kind: 'coverage'; report: CoverageReport }
  /** Answered by `late_records_taken`, before the next ones. */
  | { kind: 'late_records'; records: readonly LateRecord[] }
  | { kind: 'stopped' };
