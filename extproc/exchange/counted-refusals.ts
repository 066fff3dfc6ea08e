import { newExchangeId } from './exchange-id.ts';
import type { Action } from './frame.ts';
import type { Intake } from './intake.ts';
import { Ledger } from './ledger.ts';
import type { Clock, ExchangeLog, Judge } from './ports.ts';
import type { Started } from './record.ts';
import { denialReply } from './refusal.ts';
import { countInto, emptyTally, type Tally, tallyDetail } from './refusal-tally.ts';

/** How many refused requests without a valid token have records of their own in one minute of the clock. */
export type RefusalLimits = { recordsPerMinute: number; recordsPerMinuteAllSources: number; sourcesMax: number };

type Counting = { exchangeId: string; ledger: Ledger; tally: Tally; whose: string };
type Source = { recorded: number; counting: Counting | null };

export const minuteLengthMs = 60_000;
/** What Envoy's log says of a request that a record counts with others. */
export const countedVerdict = 'counted';

/**
 * Requests that nobody vouches for must not fill journal and index (inv. 5): beyond the limits they are answered like the
 * others, and one record counts those of a source in a minute. Its start is written with the first of them, so that a kill
 * leaves it interrupted and not untold; its end, with the count, when the minute is over or the processor stops.
 */
export class CountedRefusals {
  readonly #limits: RefusalLimits;
  readonly #log: ExchangeLog;
  readonly #clock: Clock;
  readonly #onCounted: () => void;
  #sources = new Map<string, Source>();
  #others: Source = { recorded: 0, counting: null };
  #recorded = 0;
  #minute = Number.NaN;
  #timer: NodeJS.Timeout | undefined;
  #ending: Promise<unknown> = Promise.resolve();

  constructor(limits: RefusalLimits, log: ExchangeLog, clock: Clock, onCounted: () => void = () => {}) {
    this.#limits = limits;
    this.#log = log;
    this.#clock = clock;
    this.#onCounted = onCounted;
  }

  /** The answer to a request that is only counted; null where it takes its way, with a record of its own. */
  refuse({ facts, access, connection }: Intake, judge: Judge): Action | null {
    const { authentication, sourceAddress } = facts;
    if (authentication.kind === 'verified') return null;
    const verdict = judge.access(access);
    if (verdict.verdict !== 'deny') return null;
    const { failure, detail } = authentication;
    const counting = this.#take(sourceAddress);
    if (counting === null) return null;
    countInto(counting.tally, this.#clock.nowMs(), `${failure}: ${detail}`);
    this.#onCounted();
    const { exchangeId: exchange } = counting;
    const accessLog = { exchange, connection, verdict: countedVerdict, refusal: countedVerdict };
    return { kind: 'local_reply', reply: denialReply(verdict, exchange), accessLog };
  }

  /** Ends all counts; resolves when their records survive a kill of this process. */
  async stop(): Promise<void> {
    this.#close();
    await this.#ending;
  }

  #take(address: string): Counting | null {
    this.#turn();
    const { recordsPerMinute, recordsPerMinuteAllSources, sourcesMax } = this.#limits;
    const isFull = this.#sources.size >= sourcesMax && !this.#sources.has(address);
    const source = isFull ? this.#others : (this.#sources.get(address) ?? { recorded: 0, counting: null });
    if (!isFull) this.#sources.set(address, source);
    const isBeyond = isFull || source.recorded >= recordsPerMinute || this.#recorded >= recordsPerMinuteAllSources;
    if (isBeyond) {
      source.counting ??= this.#begin(isFull ? '' : address);
      return source.counting;
    }
    source.recorded += 1;
    this.#recorded += 1;
    return null;
  }

  /** Another minute begins, also when the clock was set back. */
  #turn(): void {
    const minute = Math.floor(this.#clock.nowMs() / minuteLengthMs);
    if (minute === this.#minute) return;
    this.#close();
    this.#minute = minute;
  }

  #begin(sourceAddress: string): Counting {
    const nowMs = this.#clock.nowMs();
    const exchangeId = newExchangeId(nowMs);
    const ledger = new Ledger(this.#log, this.#clock, exchangeId);
    ledger.note({ kind: 'started', started: { ...nothingKnown, sourceAddress } });
    this.#timer ??= setTimeout(() => this.#close(), minuteLengthMs - (nowMs % minuteLengthMs)).unref();
    const whose = sourceAddress === '' ? 'of other sources' : 'of this source';
    return { exchangeId, ledger, tally: emptyTally(), whose };
  }

  #close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const countings = [...this.#sources.values(), this.#others].flatMap(({ counting }) => counting ?? []);
    const ends = countings.map(({ ledger, tally, whose }) =>
      ledger.finish({ outcome: 'refused', detail: tallyDetail(tally, whose), status: null, localReply: '' }),
    );
    // A log that cannot be written has told so itself, and its recovery ends what was open.
    this.#ending = Promise.allSettled([this.#ending, ...ends]);
    this.#sources = new Map();
    this.#others = { recorded: 0, counting: null };
    this.#recorded = 0;
    this.#minute = Number.NaN;
  }
}

/** What is recorded of requests that are only counted, beside their source. */
export const nothingKnown = {
  ...{ connection: '', identity: null, authenticationFailure: null, method: '', path: '', query: {}, headers: [] },
  ...{ sourceAddress: '', envoyRequestId: '', attemptOf: null },
} satisfies Started;
