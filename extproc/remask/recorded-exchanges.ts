import type { Transcript } from '../transcript/transcript.ts';

/** `transcript` is null when the records of the exchange are not whole. */
export type RecordedExchange = { exchangeId: string; transcript: Transcript | null };

/** When exchanges began, in milliseconds since the epoch; `fromMs` inclusive, `toMs` exclusive. */
export type TimeRange = { fromMs: number; toMs: number };

/**
 * What `skilltape remask` needs of the places that hold raw bytes. Reading changes nothing there and needs no lock, so
 * that a gateway goes on beside it.
 */
export type RecordedExchanges = {
  /**
   * Finished exchanges of the range that are wanted, each once, one in memory at a time. `isWanted` is asked with an
   * exchange's id (a UUIDv7, so it has the time it began) before its bodies are read. What was freed meanwhile is left out.
   * Throws SkilltapeError: `journal_corrupt` and the like, for what cannot be read.
   */
  read(range: TimeRange, isWanted: (exchangeId: string) => boolean): AsyncIterable<RecordedExchange>;
  close(): Promise<void>;
};
