import { SkilltapeError } from '../errors.ts';
import type { Position } from '../journal/position.ts';
import type { ProcessReport } from '../operations/operations.ts';
import type { PolicyBundle } from '../policy/bundle.ts';
import type { FromWorker, SharedFact, ToWorker, WorkerStart } from './protocol.ts';

/** A worker's end of the channel: what a process has with the one that forked it. */
export type Channel = {
  readonly connected: boolean;
  send(message: FromWorker, sent: (error: Error | null) => void): void;
  onMessage(heed: (message: ToWorker) => void): void;
  onDisconnect(heed: () => void): void;
};

/** What a started worker does with what it is told. */
export type WorkerEars = {
  delivered(position: Position): void;
  note(fact: SharedFact): void;
  usePolicy(policy: PolicyBundle): Promise<void>;
  report(): Promise<ProcessReport>;
  /** Since it was last asked. */
  isBusy(): boolean;
};

const aliveIntervalMs = 500;
/** Ends that come in this time are told of together. */
const endedDelayMs = 50;
/** Longest time that the end of an answer waits until the other workers know what it brought. */
export const shareTimeoutMs = 250;
/** Facts that were not answered yet; more are not shared, and other workers find them in the index' memory later. */
const sharesMax = 1_000;

/**
 * A worker's side of the talk with the primary. A primary that is slow or gone holds nothing up: recording goes on, and
 * whatever cannot be told is not queued without bound (inv. 10).
 */
export class PrimaryLink {
  readonly #channel: Channel;
  readonly #started = Promise.withResolvers<WorkerStart>();
  readonly #over = Promise.withResolvers<'drain' | 'primary_gone'>();
  readonly #shares = new Map<number, () => void>();
  readonly #early: Extract<ToWorker, { kind: 'fact' }>[] = [];
  readonly #alive: NodeJS.Timeout;
  #ears: WorkerEars | undefined;
  #ended: NodeJS.Timeout | undefined;
  #lastAsk = 0;
  /** Kinds of which one message is on its way. */
  readonly #underWay = new Set<FromWorker['kind']>();

  constructor(channel: Channel) {
    this.#channel = channel;
    channel.onMessage((message) => this.#heed(message));
    channel.onDisconnect(() => this.#over.resolve('primary_gone'));
    this.#alive = setInterval(() => this.#sendOnce({ kind: 'alive' }), aliveIntervalMs);
    this.#alive.unref();
  }

  get started(): Promise<WorkerStart> {
    return this.#started.promise;
  }

  /** Resolves when the worker has to end. */
  get over(): Promise<'drain' | 'primary_gone'> {
    return this.#over.promise;
  }

  /** To be called when streams are taken. */
  recording(ears: WorkerEars): void {
    this.#ears = ears;
    for (const early of this.#early.splice(0)) this.#note(early, ears);
    void this.#send({ kind: 'recording' });
  }

  failed(thrown: unknown): Promise<void> {
    const { code, message, remedy } = SkilltapeError.from(thrown);
    return this.#send({ kind: 'failed', code, message, ...(remedy !== undefined && { remedy }) });
  }

  exchangeEnded(): void {
    this.#ended ??= setTimeout(() => {
      this.#ended = undefined;
      this.#sendOnce({ kind: 'ended', isBusy: this.#ears?.isBusy() ?? false });
    }, endedDelayMs);
  }

  /** Resolves when every other worker that answers has noted it, after `shareTimeoutMs` all the same. */
  async share(fact: SharedFact): Promise<void> {
    if (this.#shares.size >= sharesMax || !this.#channel.connected) return;
    this.#lastAsk += 1;
    const ask = this.#lastAsk;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#shares.set(ask, resolve);
    const timer = setTimeout(resolve, shareTimeoutMs);
    void this.#send({ kind: 'share', ask, fact });
    await promise;
    clearTimeout(timer);
    // Kept until it is answered where the primary is slow: that is what `sharesMax` counts.
  }

  close(): void {
    clearInterval(this.#alive);
    clearTimeout(this.#ended);
    for (const resolve of this.#shares.values()) resolve();
    this.#shares.clear();
  }

  #heed(message: ToWorker): void {
    switch (message.kind) {
      case 'start':
        this.#started.resolve(message.start);
        return;
      case 'delivered':
        this.#ears?.delivered(message.position);
        return;
      case 'fact':
        if (this.#ears === undefined) this.#early.push(message);
        else this.#note(message, this.#ears);
        return;
      case 'shared':
        this.#shares.get(message.ask)?.();
        this.#shares.delete(message.ask);
        return;
      case 'report':
        void this.#report(message.ask);
        return;
      case 'policy':
        void this.#usePolicy(message.policy);
        return;
      case 'drain':
        this.#over.resolve('drain');
        return;
      default:
        message satisfies never;
    }
  }

  /** Before it records, a worker says nothing of itself: that it begins is known. */
  async #report(ask: number): Promise<void> {
    const report = await this.#ears?.report();
    if (report !== undefined) await this.#send({ kind: 'report', ask, report });
  }

  /** Before it records it says nothing, and is told again. What cannot be put in force is not confirmed: it is ended. */
  async #usePolicy(policy: PolicyBundle): Promise<void> {
    if (this.#ears === undefined) return;
    await this.#ears.usePolicy(policy);
    await this.#send({ kind: 'policy_used', revision: policy.revision });
  }

  #note({ id, fact }: Extract<ToWorker, { kind: 'fact' }>, ears: WorkerEars): void {
    ears.note(fact);
    void this.#send({ kind: 'noted', id });
  }

  /** Not again while the last one of its kind has not gone out: a primary that does not read must not fill our memory. */
  #sendOnce(message: FromWorker): void {
    if (this.#underWay.has(message.kind)) return;
    this.#underWay.add(message.kind);
    void this.#send(message).then(() => this.#underWay.delete(message.kind));
  }

  #send(message: FromWorker): Promise<void> {
    if (!this.#channel.connected) return Promise.resolve();
    return new Promise((resolve) => this.#channel.send(message, () => resolve()));
  }
}
