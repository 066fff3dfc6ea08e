import type { KeyedHash } from '../keyed-hash.ts';
import type { Gap } from './finding.ts';
import { isGap } from './finding.ts';
import type { LinePlace, LogEvent, LogPlace } from './follower.ts';
import { type LateRecord, recordOfLine, recordOfMany } from './late-record.ts';
import type { LogLine } from './line.ts';
import { parseLine } from './line.ts';
import type { Judged } from './reconcile.ts';
import {
  compare,
  compareRelease,
  isCounted,
  isRelease,
  isSameRequest,
  judgeUnrecorded,
  wasForwarded,
} from './reconcile.ts';
import type { RecordedExchange } from './recorded.ts';
import { type SourceMinuteStore, SourceMinutes } from './source-minutes.ts';
import type { Changes, Known, WaitingLine } from './store.ts';

/** What the comparison asks the record. */
export type RecordView = {
  exchange(exchangeId: string): Known | null;
  attempts(envoyRequestId: string): Known[];
};

export type PlanContext = {
  record: RecordView & SourceMinuteStore;
  /** The index, for an exchange that was not noted; throws when it cannot answer now. */
  find(exchangeId: string): Promise<RecordedExchange | null>;
  /** The record can have nothing more of a request that ended then. */
  isOverdue(line: LogLine): boolean;
  /** So long ago that an index which cannot be asked is not waited for any more. */
  isLongOverdue(line: LogLine): boolean;
  nowMs: number;
  keyedHash: KeyedHash;
  connections: ReadonlySet<string>;
  recordsPerMinute: number;
  sourcesMax: number;
};

/** One step of the comparison, as what it will change; nothing is changed before it is applied. */
export class Plan {
  readonly changes: Omit<Changes, 'minutes' | 'late'> = {
    ...{ place: null, found: [], waiting: [], settled: [], logged: [], missed: [], closedMinutes: [] },
  };
  readonly records: LateRecord[] = [];
  readonly #context: PlanContext;
  readonly #minutes: SourceMinutes;
  readonly #logged = new Set<string>();
  /** Records that count several requests, with the end of the last one. */
  readonly #counted = new Map<string, number>();
  /** Exchanges and request ids of the lines that wait from this step on. */
  readonly #waited = new Set<string>();

  constructor(context: PlanContext) {
    this.#context = context;
    this.#minutes = new SourceMinutes(context.record, context);
  }

  whole(): Changes {
    const counted = [...this.#counted].map(([exchangeId, endedMs]) => ({ exchangeId, endedMs }));
    const late = [...this.records.map(({ exchangeId, endedMs }) => ({ exchangeId, endedMs })), ...counted];
    return { ...this.changes, late, minutes: this.#minutes.changed() };
  }

  async takeEvents(events: readonly LogEvent[], place: LogPlace): Promise<void> {
    for (const event of events) {
      if (event.kind !== 'line') this.#fault(event.kind === 'gap' ? 'log_gap' : 'unreadable_line', event);
      else {
        const parsed = parseLine(event.text);
        if (parsed.kind === 'unreadable') this.#fault('unreadable_line', { reason: parsed.reason, at: event.at });
        else await this.takeLine({ number: null, line: parsed.line, at: event.at });
      }
    }
    this.changes.place = place;
  }

  async takeLine(waiting: WaitingLine): Promise<void> {
    const { line } = waiting;
    if (isCounted(line)) return this.#countedElsewhere(waiting);
    if (isRelease(line)) return this.#released(waiting);
    const met = this.#met(line);
    if (met === 'twice') this.#settle(waiting);
    else if (met !== null) this.#recorded(waiting, met);
    else if (line.exchangeId === '' && line.envoyRequestId === '') this.#unrecorded(waiting);
    else if (!this.#context.isOverdue(line)) this.#wait(waiting);
    else await this.#lastLook(waiting);
  }

  /** An exchange of which the log should have told by now. */
  missed(recorded: RecordedExchange): void {
    const { exchangeId, envoyRequestId, endedMs, outcome } = recorded;
    if ([exchangeId, envoyRequestId].some((id) => this.#logged.has(id) || this.#waited.has(id))) return;
    // The log has one line for all attempts.
    if (this.#context.record.attempts(envoyRequestId).some(({ state }) => state === 'logged')) {
      this.changes.logged.push(exchangeId);
      return;
    }
    this.changes.missed.push(exchangeId);
    const gap = { kind: 'recorded_not_logged' as const, exchangeId, envoyRequestId, reason: `it ended as ${outcome}` };
    this.changes.found.push({ kind: gap.kind, timeMs: endedMs, at: null, gap: { ...gap, timeMs: endedMs } });
  }

  close(minute: Changes['closedMinutes'][number]): void {
    this.changes.closedMinutes.push(minute);
    if (minute.more > 0) this.records.push(recordOfMany(minute, this.#context));
  }

  /** The exchange of the line; `twice` where another line told of it. */
  #met(line: LogLine): RecordedExchange | 'twice' | null {
    const { record } = this.#context;
    const known = line.exchangeId === '' ? record.attempts(line.envoyRequestId) : [record.exchange(line.exchangeId)];
    const same = known.filter((each) => each !== null && isSameRequest(line, each.recorded)) as Known[];
    const [first] = same;
    if (first === undefined) return null;
    const open = same.find(({ state, recorded }) => state !== 'logged' && !this.#logged.has(recorded.exchangeId));
    if (open !== undefined) return open.recorded;
    // Bytes that went upstream a second time are not covered by an exchange that was told of already.
    return line.exchangeId === '' && wasForwarded(line) ? null : 'twice';
  }

  /** Its record counts it with others, and comes when their minute is over. */
  #countedElsewhere(waiting: WaitingLine): void {
    const { exchangeId, endMs } = waiting.line;
    this.#counted.set(exchangeId, endMs);
    this.#found(waiting, { kind: 'recorded', reason: '' });
  }

  /** Its exchange has a line of its own, which is waited for all the same. */
  async #released(waiting: WaitingLine): Promise<void> {
    const { line } = waiting;
    const known = this.#context.record.exchange(line.exchangeId);
    if (known !== null && isSameRequest(line, known.recorded)) {
      this.#found(waiting, compareRelease(line, known.recorded));
    } else if (!this.#context.isOverdue(line)) this.#wait(waiting);
    else await this.#lastLook(waiting, compareRelease);
  }

  async #lastLook(waiting: WaitingLine, compared?: typeof compareRelease): Promise<void> {
    const { exchangeId } = waiting.line;
    if (exchangeId === '') return this.#unrecorded(waiting);
    try {
      const recorded = await this.#context.find(exchangeId);
      const isSame = recorded !== null && isSameRequest(waiting.line, recorded);
      if (isSame && compared !== undefined) this.#found(waiting, compared(waiting.line, recorded));
      else if (isSame) this.#recorded(waiting, recorded);
      else this.#unrecorded(waiting);
    } catch {
      // An index that is away says nothing of the record, but one that may never be asked must not silence the alarm.
      if (this.#context.isLongOverdue(waiting.line)) this.#unrecorded(waiting);
      else this.#wait(waiting);
    }
  }

  #recorded(waiting: WaitingLine, recorded: RecordedExchange): void {
    const attempts = this.#context.record.attempts(recorded.envoyRequestId);
    for (const id of [recorded.exchangeId, ...attempts.map((each) => each.recorded.exchangeId)]) {
      this.#logged.add(id);
      this.changes.logged.push(id);
    }
    this.#found(waiting, compare(waiting.line, recorded));
  }

  #unrecorded(waiting: WaitingLine): void {
    const { line, at } = waiting;
    const judged = judgeUnrecorded(line);
    this.#found(waiting, judged);
    if (judged.kind === 'forwarded_not_recorded') return;
    const request = { source: line.source, timeMs: line.endMs, reason: `${judged.kind} ${judged.reason}` };
    if (this.#minutes.take(request)) this.records.push(recordOfLine({ line, at, ...judged }, this.#context));
  }

  #found(waiting: WaitingLine, { kind, reason }: Judged): void {
    const { line, at } = waiting;
    const { endMs: timeMs, exchangeId, envoyRequestId } = line;
    const gap: Gap | null = isGap(kind) ? { kind, timeMs, exchangeId, envoyRequestId, reason } : null;
    this.changes.found.push({ kind, timeMs, at, gap });
    this.#settle(waiting);
  }

  #fault(kind: 'unreadable_line' | 'log_gap', { reason, at }: { reason: string; at: LinePlace }): void {
    const timeMs = this.#context.nowMs;
    const where = `${reason} (file ${at.inode}, byte ${at.offset})`;
    const gap: Gap = { kind, timeMs, exchangeId: '', envoyRequestId: '', reason: where };
    this.changes.found.push({ kind, timeMs, at, gap });
  }

  #wait(waiting: WaitingLine): void {
    if (waiting.number !== null) return;
    this.changes.waiting.push(waiting);
    for (const id of [waiting.line.exchangeId, waiting.line.envoyRequestId]) if (id !== '') this.#waited.add(id);
  }

  #settle({ number }: WaitingLine): void {
    if (number !== null) this.changes.settled.push(number);
  }
}
