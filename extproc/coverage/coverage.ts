import { SkilltapeError } from '../errors.ts';
import type { KeyedHash } from '../keyed-hash.ts';
import type { Transcript } from '../transcript/transcript.ts';
import type { Finding } from './finding.ts';
import { Follower } from './follower.ts';
import { dayOf } from './found-rows.ts';
import type { LogLine } from './line.ts';
import type { CoverageOptions } from './options.ts';
import { Plan } from './plan.ts';
import { type RecordedExchange, recordedInJournal } from './recorded.ts';
import type { CoverageReport, WriteLateRecords } from './report.ts';
import { type Changes, CoverageStore } from './store.ts';

export type CoverageParts = {
  dataDirectory: string;
  options: CoverageOptions;
  keyedHash: KeyedHash;
  find(exchangeId: string): Promise<RecordedExchange | null>;
  /** Records of this exchange were read, its end was not. */
  isOpen(exchangeId: string): boolean;
  write: WriteLateRecords;
  report(report: CoverageReport): void;
  nowMs(): number;
};

export type Coverage = {
  /** What shipping delivered, for good or to the list of rejects. */
  note(transcripts: readonly Transcript[]): void;
  /** Everything that ended in the record before was delivered. */
  shippedUntil(timeMs: number): void;
  stop(): Promise<void>;
};

const pollIntervalMs = 1_000;
/** Of waiting lines and of unlogged exchanges, settled in one step. */
const settledPerStep = 2_000;
const minuteLengthMs = 60_000;
/** How far behind its place shipping may begin again: an exchange may be open for four hours. */
const keptBehindShippingMs = 24 * 3600 * 1000;

/** Compares Envoy's log with the record, in small steps between the ones of shipping. Throws `index_failed`. */
export function startCoverage(parts: CoverageParts): Coverage {
  const store = CoverageStore.open(parts.dataDirectory, parts.options.gapsKeptMax);
  const comparison = new Comparison(parts, store);
  let stopping = false;
  let wake = (): void => {};
  const loop = async (): Promise<void> => {
    while (!stopping) {
      const more = await comparison.stepOrReport();
      if (stopping) return;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, more ? 0 : pollIntervalMs);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  };
  const running = loop();
  return {
    note: (transcripts) => comparison.note(transcripts.map(recordedInJournal)),
    shippedUntil: (timeMs) => comparison.shippedUntil(timeMs),
    async stop() {
      stopping = true;
      wake();
      await running;
      await comparison.end();
      store.close();
    },
  };
}

/** The comparison without its clock: one step after another. Must be ended. */
export class Comparison {
  readonly #parts: CoverageParts;
  readonly #store: CoverageStore;
  readonly #follower: Follower;
  readonly #sinceMs: number;
  readonly #totals: Record<Finding, number>;
  #shippedUntilMs = 0;
  /** Something was noted or shipped since waiting lines were looked at. */
  #isNews = true;
  /** The log was read to its end then. */
  #readUntilMs: number | null = null;
  #waiting: string | null = null;
  /** What whoever looks from another process is told; null before anything was compared. */
  #toldUntilMs: number | null = null;
  #prunedMs = 0;

  constructor(parts: CoverageParts, store: CoverageStore) {
    this.#parts = parts;
    this.#store = store;
    this.#follower = new Follower({ file: parts.options.accessLogFile, lineMaxBytes: parts.options.lineMaxBytes });
    this.#sinceMs = store.sinceMs(parts.nowMs());
    this.#totals = { ...store.found.totals() };
  }

  /** A fault of what is noted must not stop shipping: the index still knows the exchange. */
  note(exchanges: readonly RecordedExchange[]): void {
    try {
      this.#store.note(exchanges);
      this.#isNews = true;
    } catch (thrown) {
      this.#parts.report({ kind: 'fault', error: SkilltapeError.from(thrown) });
    }
  }

  shippedUntil(timeMs: number): void {
    this.#isNews ||= timeMs > this.#shippedUntilMs;
    this.#shippedUntilMs = Math.max(this.#shippedUntilMs, timeMs);
  }

  async stepOrReport(): Promise<boolean> {
    const readUntilMs = this.#readUntilMs;
    const plan = this.#plan();
    try {
      const more = await this.#step(plan);
      if (await this.#carryOut(plan)) return more || plan.changes.settled.length >= settledPerStep;
    } catch (thrown) {
      this.#parts.report({ kind: 'fault', error: SkilltapeError.from(thrown) });
    }
    // Nothing of it was stored: it is made again.
    this.#readUntilMs = readUntilMs;
    this.#isNews = true;
    return false;
  }

  /** Tells the day as far as it went; the shipping thread ends well without it. */
  async end(): Promise<void> {
    await this.#follower.close();
    try {
      this.#parts.report({ kind: 'day', day: this.#store.found.dayRow(dayOf(this.#parts.nowMs())) });
    } catch (thrown) {
      this.#parts.report({ kind: 'fault', error: SkilltapeError.from(thrown) });
    }
  }

  /** True when there is more to do at once. */
  async #step(plan: Plan): Promise<boolean> {
    const isNews = this.#isNews;
    this.#isNews = false;
    const { options } = this.#parts;
    const lines = this.#store.waitingLines();
    const untilMs = this.#shippedUntilMs - options.lagMaxMs;
    const ready = isNews && lines > 0 ? this.#store.ready(untilMs, settledPerStep) : [];
    if (ready.length === settledPerStep) this.#isNews = true;
    for (const waiting of ready) await plan.takeLine(waiting);
    const isReading = lines < options.linesWaitingMax;
    const more = isReading ? await this.#read(plan) : plan.changes.settled.length > 0;
    this.#takeMissing(plan);
    return more;
  }

  #plan(): Plan {
    const { options, find, keyedHash, nowMs } = this.#parts;
    return new Plan({
      ...{ record: this.#store, find, keyedHash, nowMs: nowMs() },
      isOverdue: (line) => this.#isOverdue(line),
      isLongOverdue: ({ endMs }) => endMs + longOverdueLags * options.lagMaxMs < this.#shippedUntilMs,
      ...{ connections: new Set(options.connections), recordsPerMinute: options.recordsPerMinute },
      sourcesMax,
    });
  }

  #isOverdue({ exchangeId, endMs }: LogLine): boolean {
    if (endMs + this.#parts.options.lagMaxMs >= this.#shippedUntilMs) return false;
    return exchangeId === '' || !this.#parts.isOpen(exchangeId);
  }

  async #read(plan: Plan): Promise<boolean> {
    const atMs = this.#parts.nowMs();
    const from = this.#store.place();
    const read = await this.#follower.read(from);
    this.#waiting = read.kind === 'waiting' ? read.reason : null;
    if (read.kind === 'waiting') return false;
    const isMoved = from === null || read.place.inode !== from.inode || read.place.offset !== from.offset;
    if (isMoved || read.events.length > 0) await plan.takeEvents(read.events, read.place);
    if (read.atEnd) this.#readUntilMs = atMs;
    return !read.atEnd;
  }

  /** What the log, read to its end long enough after, does not have; and minutes that are over. */
  #takeMissing(plan: Plan): void {
    if (this.#readUntilMs === null || this.#waiting !== null) return;
    const untilMs = this.#readUntilMs - this.#parts.options.lagMaxMs;
    for (const recorded of this.#store.unlogged(this.#sinceMs, untilMs, settledPerStep)) plan.missed(recorded);
    for (const minute of this.#store.minutesBefore(untilMs - minuteLengthMs, settledPerStep)) plan.close(minute);
  }

  /** Records first: what is stored before would not be made again after a crash. False when they cannot be written now. */
  async #carryOut(plan: Plan): Promise<boolean> {
    const changes = plan.whole();
    if (plan.records.length > 0 && !(await this.#parts.write(plan.records))) return false;
    const comparedUntilMs = this.#comparedUntilMs(changes);
    const nowMs = this.#parts.nowMs();
    const isNewer = comparedUntilMs !== null && comparedUntilMs - (this.#toldUntilMs ?? 0) >= tellIntervalMs;
    if (isAny(changes) || isNewer) {
      this.#store.apply(changes, comparedUntilMs);
      this.#toldUntilMs = comparedUntilMs;
      this.#tell(changes);
    }
    if (nowMs - this.#prunedMs >= minuteLengthMs) {
      this.#store.prune(this.#shippedUntilMs - keptBehindShippingMs);
      this.#prunedMs = nowMs;
    }
    const figures = { counts: { ...this.#totals }, comparedUntilMs, waiting: this.#waiting };
    this.#parts.report({ kind: 'figures', figures });
    return true;
  }

  /** What was read and still waits was not compared. */
  #comparedUntilMs({ waiting, settled }: Pick<Changes, 'waiting' | 'settled'>): number | null {
    if (this.#readUntilMs === null) return null;
    const stored = this.#store.oldestWaitingMs(settled);
    const ends = [this.#readUntilMs, ...waiting.map(({ line }) => line.endMs), ...(stored === null ? [] : [stored])];
    return ends.reduce((oldest, end) => Math.min(oldest, end));
  }

  #tell({ found }: Changes): void {
    for (const { kind } of found) this.#totals[kind] += 1;
    const alarms = found.flatMap(({ gap }) => (gap?.kind === 'forwarded_not_recorded' ? [gap] : []));
    for (const gap of alarms.slice(0, alarmsPerStep)) this.#parts.report({ kind: 'alarm', gap });
    const today = dayOf(this.#parts.nowMs() - this.#parts.options.lagMaxMs);
    for (const day of this.#store.found.takeUntold(today)) this.#parts.report({ kind: 'day', day });
  }
}

function isAny({ place, ...lists }: Changes): boolean {
  return place !== null || Object.values(lists).some((list) => list.length > 0);
}

/** While shipping goes on, the index is asked for this many times `lagMaxMs`. */
const longOverdueLags = 10;
/** How often the time up to which was compared is stored while nothing happens. */
const tellIntervalMs = 1_000;
/** Said one by one; the count has all of them. */
const alarmsPerStep = 20;
/** Sources of refused requests that are told apart in one minute. */
const sourcesMax = 1_000;
