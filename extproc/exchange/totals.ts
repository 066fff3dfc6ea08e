import type { RequestInput } from '../policy/input.ts';

/** What one exchange adds. `spend` is in the currency of the price table; null where it has no price. */
export type Counted = { requests: number; inputTokens: number; outputTokens: number; spend: number | null };

/** What earlier exchanges of a person or a session used, as the record has it. */
export type StoredTotals = {
  /** Of exchanges that began at `fromMs` or later, and whose ids are below `beforeId`. */
  ofPerson(person: string, fromMs: number, beforeId: string): SumOfCounts;
  ofSession(session: string, beforeId: string): SumOfCounts;
};

export type SumOfCounts = {
  requests: number;
  inputTokens: number;
  outputTokens: number;
  spend: number;
  unpricedRequests: number;
};

/** `exchangeId` is a UUIDv7: it says when the exchange began. */
export type CountedExchange = { exchangeId: string; person: string; session: string; counted: Counted };

type Facts = RequestInput['totals'];

/** People and sessions of which the sums are in memory (inv. 10); those of others are read from the store again. */
const rememberedMax = 50_000;
const firstRefreshMs = 2_000;
const refreshMaxMs = 600_000;
const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;

/** What is said where no rule looks at totals. */
export const notCounted: Facts = {
  counted: false,
  priced: false,
  day: facts(noCounts()),
  session: facts(noCounts()),
  minute: { requests: 0 },
};

/**
 * Adds up what people and sessions use. Exchanges that began after a sum was first asked for are counted as they go on
 * here, and in other workers (`note`); the earlier ones are read from what shipping stored of the record, again and
 * again until nothing more comes, so that neither a restart nor an index that was away gives a budget back. Days are of
 * UTC, and an exchange is of the day and minute in which it began.
 */
export class Totals {
  readonly #stored: StoredTotals;
  readonly #priced: boolean;
  readonly #people = new Map<string, Sum>();
  readonly #sessions = new Map<string, Sum>();

  constructor(stored: StoredTotals, priced: boolean) {
    this.#stored = stored;
    this.#priced = priced;
  }

  /** The sums without the exchange itself, which is let through or not by them. */
  factsFor({ exchangeId, person, session }: Omit<CountedExchange, 'counted'>, nowMs: number): Facts {
    const dayStartMs = Math.floor(nowMs / dayMs) * dayMs;
    const day = this.#sumOf(this.#people, person, exchangeId);
    day.turnTo(dayStartMs);
    const whole = this.#sumOf(this.#sessions, session, exchangeId);
    return {
      counted: true,
      priced: this.#priced,
      day: facts(day.total(nowMs, () => this.#stored.ofPerson(person, dayStartMs, day.firstId))),
      session: facts(whole.total(nowMs, () => this.#stored.ofSession(session, whole.firstId))),
      minute: { requests: day.inMinute(Math.floor(nowMs / minuteMs)) },
    };
  }

  /** To be told of each exchange that is let through, and again of what its answer used. */
  note({ exchangeId, person, session, counted }: CountedExchange): void {
    const beganMs = timeOf(exchangeId);
    const day = this.#sumOf(this.#people, person, exchangeId);
    day.turnTo(Math.floor(beganMs / dayMs) * dayMs);
    day.add(exchangeId, beganMs, counted);
    this.#sumOf(this.#sessions, session, exchangeId).add(exchangeId, beganMs, counted);
  }

  #sumOf(sums: Map<string, Sum>, key: string, exchangeId: string): Sum {
    const sum = sums.get(key) ?? new Sum(firstOfMillisecond(exchangeId));
    // A map keeps the order in which its keys were put in: the first is the one unused for longest.
    sums.delete(key);
    sums.set(key, sum);
    if (sums.size > rememberedMax) {
      const [oldest] = sums.keys();
      if (oldest !== undefined) sums.delete(oldest);
    }
    return sum;
  }
}

/** Exchanges from `firstId` on as they were noted, and those before as they are stored. */
class Sum {
  readonly firstId: string;
  #dayStartMs = Number.NEGATIVE_INFINITY;
  #noted = noCounts();
  #earlier = noCounts();
  #askedAtMs = Number.NEGATIVE_INFINITY;
  #refreshMs = firstRefreshMs;
  #minute = 0;
  #minuteRequests = 0;

  constructor(firstId: string) {
    this.firstId = firstId;
  }

  /** A later day begins at nothing; what still comes of an earlier one is not counted any more. */
  turnTo(dayStartMs: number): void {
    if (dayStartMs <= this.#dayStartMs) return;
    this.#dayStartMs = dayStartMs;
    this.#noted = noCounts();
    this.#askedAtMs = Number.NEGATIVE_INFINITY;
    this.#refreshMs = firstRefreshMs;
  }

  add(exchangeId: string, beganMs: number, counted: Counted): void {
    if (exchangeId < this.firstId || beganMs < this.#dayStartMs) return;
    this.#noted = {
      requests: this.#noted.requests + counted.requests,
      inputTokens: this.#noted.inputTokens + counted.inputTokens,
      outputTokens: this.#noted.outputTokens + counted.outputTokens,
      spend: this.#noted.spend + (counted.spend ?? 0),
      unpricedRequests: this.#noted.unpricedRequests + (counted.spend === null ? 1 : 0),
    };
    const minute = Math.floor(beganMs / minuteMs);
    if (minute > this.#minute) this.#minuteRequests = 0;
    if (minute >= this.#minute) this.#minuteRequests += counted.requests;
    this.#minute = Math.max(minute, this.#minute);
  }

  inMinute(minute: number): number {
    return minute === this.#minute ? this.#minuteRequests : 0;
  }

  /** What is stored grows until all that began before is shipped; it is asked for ever more seldom when it does not. */
  total(nowMs: number, stored: () => SumOfCounts): SumOfCounts {
    if (nowMs - this.#askedAtMs >= this.#refreshMs) {
      const earlier = stored();
      const hasGrown =
        earlier.requests !== this.#earlier.requests || earlier.outputTokens !== this.#earlier.outputTokens;
      this.#refreshMs = hasGrown ? firstRefreshMs : Math.min(2 * this.#refreshMs, refreshMaxMs);
      this.#earlier = earlier;
      this.#askedAtMs = nowMs;
    }
    const { requests, inputTokens, outputTokens, spend, unpricedRequests } = this.#noted;
    return {
      requests: this.#earlier.requests + requests,
      inputTokens: this.#earlier.inputTokens + inputTokens,
      outputTokens: this.#earlier.outputTokens + outputTokens,
      spend: this.#earlier.spend + spend,
      unpricedRequests: this.#earlier.unpricedRequests + unpricedRequests,
    };
  }
}

function noCounts(): SumOfCounts {
  return { requests: 0, inputTokens: 0, outputTokens: 0, spend: 0, unpricedRequests: 0 };
}

function facts(sum: SumOfCounts): Facts['day'] {
  return {
    requests: sum.requests,
    input_tokens: sum.inputTokens,
    output_tokens: sum.outputTokens,
    spend: sum.spend,
    unpriced_requests: sum.unpricedRequests,
  };
}

/** Below every id of its millisecond: within one, ids are in no order. */
function firstOfMillisecond(exchangeId: string): string {
  return exchangeId.slice(0, 13);
}

/** A UUIDv7 begins with 48 bits of milliseconds (RFC 9562, 5.7). */
function timeOf(exchangeId: string): number {
  return Number.parseInt(exchangeId.slice(0, 13).replace('-', ''), 16);
}
