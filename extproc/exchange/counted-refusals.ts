import { newExchangeId } from './exchange-id.ts';
import type { Action } from './frame.ts';
import type { Intake } from './intake.ts';
import { Ledger } from './ledger.ts';
import type { Clock, ExchangeLog, Judge } from './ports.ts';
import type { Started } from './record.ts';
import { denialReply } from './refusal.ts';
import { countInto, emptyTally, type Tally, tallyDetail } from './refusal-tally.ts';
import { rulesOf } from './verdicts.ts';

/**
 * How many refused requests have records of their own in one minute of the clock: of a source without a valid token, of
 * all such sources, and of one verified caller on one connection.
 */
export type RefusalLimits = {
  recordsPerMinute: number;
  recordsPerMinuteAllSources: number;
  sourcesMax: number;
  callerRecordsPerMinute: number;
};

type Counted = Pick<Started, 'sourceAddress' | 'connection' | 'identity'>;
type Counting = { exchangeId: string; ledger: Ledger; tally: Tally; whose: string; outcome: 'refused' | 'denied' };
type Source = { recorded: number; counting: Counting | null };

export const minuteLengthMs = 60_000;
/** What Envoy's log says of a request that a record counts with others. */
export const countedVerdict = 'counted';

/**
 * Requests that are refused by their headers alone must not fill journal and index (inv. 5): beyond the limits they are
 * answered like the others, and one record counts those of a source, or of a verified caller, in a minute. Its start is written with the first of them, so that a kill
 * leaves it interrupted and not untold; its end, with the count, when the minute is over or the processor stops.
 */
export class CountedRefusals {
  readonly #limits: RefusalLimits;
  readonly #log: ExchangeLog;
  readonly #clock: Clock;
  readonly #onCounted: () => void;
  #sources = new Map<string, Source>();
  #callers = new Map<string, Source>();
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
  refuse(intake: Intake, judge: Judge): Action | null {
    this.#turn();
    const { authentication, sourceAddress } = intake.facts;
    const isKnown = authentication.kind === 'verified';
    const caller = isKnown && this.#callers.size > 0 ? this.#callers.get(callerOn(intake)) : undefined;
    // Whoever is not beyond the limit is judged once, on the way that all take.
    if (isKnown && (caller === undefined || caller.recorded < this.#limits.callerRecordsPerMinute)) return null;
    const verdict = judge.access(intake.access);
    if (verdict.verdict !== 'deny') return null;
    const counting = caller === undefined ? this.#take(sourceAddress) : this.#countOf(caller, intake);
    if (counting === null) return null;
    const why = isKnown ? rulesOf(verdict) : `${authentication.failure}: ${authentication.detail}`;
    countInto(counting.tally, this.#clock.nowMs(), why);
    this.#onCounted();
    const { exchangeId: exchange } = counting;
    const accessLog = { exchange, connection: intake.connection, verdict: countedVerdict, refusal: countedVerdict };
    return { kind: 'local_reply', reply: denialReply(verdict, exchange), accessLog };
  }

  /** Policy `access` denied a request, which has a record of its own. */
  denied(intake: Intake): void {
    if (intake.facts.authentication.kind !== 'verified') return;
    this.#turn();
    const key = callerOn(intake);
    const caller = this.#callers.get(key) ?? { recorded: 0, counting: null };
    caller.recorded += 1;
    // Beyond so many, all of a caller's have records: the place of another one is not theirs to take.
    if (this.#callers.size < this.#limits.sourcesMax) this.#callers.set(key, caller);
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
      const whose = isFull ? 'of other sources' : 'of this source';
      source.counting ??= this.#begin({ ...nobody, sourceAddress: isFull ? '' : address }, whose, 'refused');
      return source.counting;
    }
    source.recorded += 1;
    this.#recorded += 1;
    return null;
  }

  #countOf(caller: Source, { facts, access, connection }: Intake): Counting {
    const { sourceAddress } = facts;
    caller.counting ??= this.#begin(
      { sourceAddress, connection, identity: access.identity },
      'of this caller',
      'denied',
    );
    return caller.counting;
  }

  /** Another minute begins, also when the clock was set back. */
  #turn(): void {
    const minute = Math.floor(this.#clock.nowMs() / minuteLengthMs);
    if (minute === this.#minute) return;
    this.#close();
    this.#minute = minute;
  }

  #begin(counted: Counted, whose: string, outcome: Counting['outcome']): Counting {
    const nowMs = this.#clock.nowMs();
    const exchangeId = newExchangeId(nowMs);
    const ledger = new Ledger(this.#log, this.#clock, exchangeId);
    ledger.note({ kind: 'started', started: { ...nothingKnown, ...counted } });
    this.#timer ??= setTimeout(() => this.#close(), minuteLengthMs - (nowMs % minuteLengthMs)).unref();
    return { exchangeId, ledger, tally: emptyTally(), whose, outcome };
  }

  #close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const sources = [...this.#sources.values(), ...this.#callers.values(), this.#others];
    const ends = sources
      .flatMap(({ counting }) => counting ?? [])
      .map(({ ledger, tally, whose, outcome }) =>
        ledger.finish({ outcome, detail: tallyDetail(tally, whose), status: null, localReply: '' }),
      );
    // A log that cannot be written has told so itself, and its recovery ends what was open.
    this.#ending = Promise.allSettled([this.#ending, ...ends]);
    this.#sources = new Map();
    this.#callers = new Map();
    this.#others = { recorded: 0, counting: null };
    this.#recorded = 0;
    this.#minute = Number.NaN;
  }
}

/** One person on one connection: what is readable of a record goes by its connection. */
function callerOn({ caller, connection }: Intake): string {
  return JSON.stringify([caller, connection]);
}

const nobody = { connection: '', identity: null };

/** What is recorded of requests that are only counted, beside their source. */
export const nothingKnown = {
  ...{ connection: '', identity: null, authenticationFailure: null, method: '', path: '', query: {}, headers: [] },
  ...{ sourceAddress: '', envoyRequestId: '', attemptOf: null },
} satisfies Started;
