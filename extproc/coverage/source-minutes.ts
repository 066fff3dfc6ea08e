import { countInto, emptyTally, named, type Tally } from '../exchange/refusal-tally.ts';

/** How many records one source was given in one minute, by the clock of the log, and what came beyond them. */
export type SourceMinute = { source: string; minuteMs: number; recorded: number } & Tally;

const minuteLengthMs = 60_000;
/** Where all sources beyond `sourcesMax` in one minute are counted together. */
export const otherSources = '';

export type SourceMinutesOptions = { recordsPerMinute: number; sourcesMax: number };

/** The part of a store that this needs; what `get` gave is not changed. */
export type SourceMinuteStore = {
  sourceMinute(source: string, minuteMs: number): SourceMinute | null;
  sourcesIn(minuteMs: number): number;
};

/**
 * Says which refused requests get a record of their own (inv. 5). Works on a copy, so that a plan that could not be
 * carried out leaves nothing behind: `changed` is what is to be stored.
 */
export class SourceMinutes {
  readonly #store: SourceMinuteStore;
  readonly #options: SourceMinutesOptions;
  readonly #changed = new Map<string, SourceMinute>();
  readonly #newIn = new Map<number, number>();

  constructor(store: SourceMinuteStore, options: SourceMinutesOptions) {
    this.#store = store;
    this.#options = options;
  }

  /** True when this request is to have a record of its own; otherwise it was counted. */
  take(request: { source: string; timeMs: number; reason: string }): boolean {
    const minuteMs = request.timeMs - (((request.timeMs % minuteLengthMs) + minuteLengthMs) % minuteLengthMs);
    const minute = this.#minuteOf(request.source, minuteMs);
    if (minute.recorded < this.#options.recordsPerMinute) {
      minute.recorded += 1;
      return true;
    }
    countInto(minute, request.timeMs, request.reason);
    return false;
  }

  changed(): SourceMinute[] {
    return [...this.#changed.values()];
  }

  #minuteOf(source: string, minuteMs: number): SourceMinute {
    const known = this.#known(source, minuteMs);
    if (known !== null) return known;
    const isFull = this.#store.sourcesIn(minuteMs) + (this.#newIn.get(minuteMs) ?? 0) >= this.#options.sourcesMax;
    if (isFull && source !== otherSources) return this.#minuteOf(otherSources, minuteMs);
    const { recordsPerMinute } = this.#options;
    // Those that share one count have no records of their own.
    const recorded = isFull ? recordsPerMinute : 0;
    const minute = { source, minuteMs, recorded, ...emptyTally() };
    this.#newIn.set(minuteMs, (this.#newIn.get(minuteMs) ?? 0) + 1);
    this.#changed.set(keyOf(source, minuteMs), minute);
    return minute;
  }

  #known(source: string, minuteMs: number): SourceMinute | null {
    const key = keyOf(source, minuteMs);
    const changed = this.#changed.get(key);
    if (changed !== undefined) return changed;
    const stored = this.#store.sourceMinute(source, minuteMs);
    if (stored === null) return null;
    const copy = { ...stored, reasons: named(stored.reasons) };
    this.#changed.set(key, copy);
    return copy;
  }
}

function keyOf(source: string, minuteMs: number): string {
  return `${minuteMs} ${source}`;
}
