import type { Outcome } from './outcome.ts';
import type { Clock, ExchangeLog, LogPlace, Verdict } from './ports.ts';
import type { Finished, RecordBody } from './record.ts';
import { recordEncoder } from './record.ts';
import type { Session } from './session.ts';

/** Writes one exchange's records under its id; the end is written once, whatever happens (inv. 4). */
export class Ledger {
  readonly #log: ExchangeLog;
  readonly #clock: Clock;
  readonly #encode: ReturnType<typeof recordEncoder>;
  readonly #onFinished: (outcome: Outcome) => void;
  #begun = false;
  #finished = false;
  /** Settled when all that was noted is written; rejected for good when a part of it could not be. */
  #noted: Promise<unknown> = Promise.resolve();
  #newestNoted: Promise<void> | null = null;
  /** Settled when nobody is writing an end. */
  #ending: Promise<void> = Promise.resolve();

  /** @param onFinished told when the end is recorded */
  constructor(log: ExchangeLog, clock: Clock, exchangeId: string, onFinished: (outcome: Outcome) => void = () => {}) {
    this.#log = log;
    this.#clock = clock;
    this.#encode = recordEncoder(exchangeId);
    this.#onFinished = onFinished;
  }

  /** Whether the start was recorded. */
  get begun(): boolean {
    return this.#begun;
  }

  /** Whether there is a start without an end. */
  get isOpen(): boolean {
    return this.#begun && !this.#finished;
  }

  /**
   * Writes a record that nobody waits for yet; `record`, `written` and `sync` wait for it, and throw when it was lost. The
   * log writes what is noted in one turn of the event loop together. Bytes of a body must stay as they are until then.
   * @param lingers whether it waits some milliseconds for a write that is made anyway
   */
  note(body: RecordBody, lingers = false): void {
    const written = this.#write(body, lingers);
    // What is written together is answered by one promise.
    if (written === this.#newestNoted) return;
    this.#newestNoted = written;
    const before = this.#noted;
    this.#noted = written.then(() => before);
    // Thrown where it is waited for.
    this.#noted.catch(() => {});
  }

  /**
   * Resolves when the record would survive a kill of this process, and all that was noted before it. Rejects also when one
   * of those was lost: nothing passes of an exchange whose record has a gap (inv. 1).
   * @param onWritten told when the record itself is written, also where others were lost
   */
  async record(body: RecordBody, onWritten: () => void = () => {}): Promise<void> {
    await this.#write(body, false).then(onWritten);
    await this.#noted;
  }

  /** The same for what was noted alone. */
  async written(): Promise<void> {
    await this.#noted;
  }

  #write(body: RecordBody, lingers: boolean): Promise<void> {
    const record = this.#encode(this.#clock.nowMs(), body);
    const written = this.#log.appendAll([record], { isEnd: isEnd(body), lingers });
    if (body.kind !== 'started') return written;
    this.#begun = true;
    written.catch(() => {
      this.#begun = false;
    });
    return written;
  }

  /** As `record`, for what is to be read back from its place. */
  store(body: RecordBody): Promise<LogPlace> {
    return this.#log.append(this.#encode(this.#clock.nowMs(), body));
  }

  noteDecision(
    stage: 'access' | 'request',
    { verdict, reasons, observed, lifted, liftedBy: grants = [] }: Verdict,
    rest: { input: unknown; policyRevision: string; session: Session },
  ): void {
    const added = {
      ...(observed && { observed }),
      ...(lifted && { lifted: { reasons: lifted.reasons, grants } }),
    };
    this.note({ kind: 'decided', decided: { stage, verdict, reasons, ...added, ...rest } });
  }

  /**
   * Only the first call that succeeds counts; an exchange that was refused before its start was recorded leaves no end
   * either. After a failed append the next call tries again, also one that came meanwhile: either it left nothing, or no
   * append works any more. Whether there is a start to end is known when what was noted is written.
   * @param lingers as of `note`: for an end that nobody waits for. What it says of a whole answer, that shows, too
   */
  finish(finished: Finished, lingers = false): Promise<void> {
    const before = Promise.allSettled([this.#noted, this.#ending]);
    this.#ending = before.then(([noted]) => this.#finishAfter(noted, finished, lingers));
    return this.#ending;
  }

  async #finishAfter(noted: PromiseSettledResult<unknown>, finished: Finished, lingers: boolean): Promise<void> {
    if (this.#finished) return;
    if (!this.#begun && noted.status === 'rejected') throw noted.reason;
    if (!this.#begun) return;
    await this.#write({ kind: 'finished', finished }, lingers);
    this.#finished = true;
    this.#onFinished(finished.outcome);
  }

  /** Resolves when all records so far are on disk. */
  async sync(): Promise<void> {
    await Promise.all([this.#noted, this.#log.sync()]);
  }
}

/** Also the mark that an answer has all of its bytes: a full log cuts no answer at its end for that. */
function isEnd(body: RecordBody): boolean {
  return body.kind === 'finished' || (body.kind === 'answer_trailers' && body.headers.length === 0);
}
