import type { DecodingLimits } from '../encoding/limits.ts';
import type { ElasticsearchOptions } from '../index/elasticsearch/options.ts';
import type { Position } from '../journal/position.ts';
import type { PolicyBundle } from '../policy/bundle.ts';

/** What the shipping thread needs to begin; copied into it, nothing is shared. */
export type ShipOptions = {
  dataDirectory: string;
  /** Null: the embedded index in the data directory. */
  elasticsearch: ElasticsearchOptions | null;
  /** Of every worker, and those that earlier workers left; read together, in the order of time. */
  journalDirectories: readonly string[];
  journalKey: Uint8Array;
  hashKey: Uint8Array;
  policy: PolicyBundle;
  textMaxChars: number;
  decoding: DecodingLimits;
  rememberedDays: number;
  /** Of a `LargeWork`; shared, unlike the rest. */
  largeWorkMemory: SharedArrayBuffer | null;
};

/**
 * What one start of the thread is given: also the exchanges that it must not read, because that ended it before, and
 * the memory of a `ReadingMark`.
 */
export type ShipStart = ShipOptions & { reduced: readonly string[]; reading: SharedArrayBuffer };

/** From the main thread: `wake` when the journal grew, `stop` to ship what is there and end. */
export type ShipCommand = { kind: 'wake' } | { kind: 'stop' };

/** From the shipping thread. No content, only counts and reasons of our own. */
export type ShipReport =
  /** `delivered` has a place for each journal, in the order of the options. */
  | {
      kind: 'progress';
      delivered: readonly (Position | null)[];
      shipped: number;
      rejected: number;
      openExchanges: number;
    }
  /** Said once before the exchanges of a delivery are read. */
  | { kind: 'reading'; exchangeIds: readonly string[] }
  | { kind: 'waiting'; reason: string }
  /** The exchange cannot be found in the index; what the index refused itself stands in its list of rejects. */
  | { kind: 'rejected'; exchangeId: string; reason: string }
  | { kind: 'masking_failed'; exchangeId: string; reason: string }
  | { kind: 'stopped' };
