/** What is known of one exchange from the journals. */
import type { Hash } from 'node:crypto';
import { createHash } from 'node:crypto';
import type { ExchangeRecord } from '../../../extproc/exchange/record.ts';
import type { Position } from '../../../extproc/journal/position.ts';

type Request = { bytes: number; hash: Hash };

/** One entry for each record of its kind, with its place: a power failure takes those behind a place back. */
export type Entry = {
  id: string;
  /** The number of the worker whose journal has it. */
  journal: number;
  /** The death before which it began, from 0. */
  life: number;
  startedMs: number;
  starts: Placed<string>[];
  allows: Placed<true>[];
  /** The whole body up to there. */
  requests: Placed<Request>[];
  answer: Placed<Uint8Array>[];
  /** A power failure took a part of the answer after it was read. */
  isAnswerLost: boolean;
  outcomes: Placed<string>[];
};

/** `end`: where its frame ends. A frame of which a part is gone is gone. */
export type Place = { at: Position; end: Position };
export type Placed<Value> = Place & { value: Value };

export function newEntry({ exchangeId: id, timeMs: startedMs }: ExchangeRecord, journal: number, life: number): Entry {
  return {
    id,
    journal,
    life,
    startedMs,
    starts: [],
    allows: [],
    requests: [],
    answer: [],
    isAnswerLost: false,
    outcomes: [],
  };
}

export function requestOf({ requests }: Entry): Request {
  return requests.at(-1)?.value ?? { bytes: 0, hash: createHash('sha256') };
}

export function valuesOf<Value>(placed: readonly Placed<Value>[]): Value[] {
  return placed.map(({ value }) => value);
}
