import { Worker } from 'node:worker_threads';
import { SkilltapeError } from '../errors.ts';
import type { ApprovalAnswer, ApprovalDecision, ApprovalDesk } from '../exchange/approval-desk.ts';
import type { DeskStart, FromDesk, ToDesk } from './protocol.ts';

const workerFile = new URL('./worker.ts', import.meta.url);

/** More that wait to be asked at once are refused (inv. 10). */
const asksMax = 10_000;

type Asked = { exchangeId: string; resolve(answer: ApprovalAnswer): void; reject(error: SkilltapeError): void };

/**
 * Asks people by way of a thread, which is begun when the first request is held, and again after it ended. Tickets are
 * on disk, so nothing is lost with it: whoever waits then sends its request again.
 */
export class ThreadedDesk implements ApprovalDesk {
  readonly #start: DeskStart;
  readonly #asked = new Map<number, Asked>();
  readonly #waiting = new Map<string, PromiseWithResolvers<ApprovalDecision | null>>();
  #worker: Worker | undefined;
  #lastAsk = 0;
  #isDraining = false;
  #isClosed = false;

  constructor(start: DeskStart) {
    this.#start = start;
  }

  ask(request: Parameters<ApprovalDesk['ask']>[0]): Promise<ApprovalAnswer> {
    if (this.#isClosed) return Promise.reject(failed('the gateway is stopping'));
    if (this.#asked.size >= asksMax) return Promise.reject(failed('too many requests are being held at once'));
    const { promise, resolve, reject } = Promise.withResolvers<ApprovalAnswer>();
    this.#lastAsk += 1;
    this.#asked.set(this.#lastAsk, { exchangeId: request.exchangeId, resolve, reject });
    this.#tell({ kind: 'ask', ask: this.#lastAsk, request });
    return promise;
  }

  decided(_ticket: string, exchangeId: string): Promise<ApprovalDecision | null> {
    return this.#waiting.get(exchangeId)?.promise ?? Promise.resolve(null);
  }

  leave(ticket: string, exchangeId: string): void {
    this.#waiting.delete(exchangeId);
    if (this.#worker !== undefined) this.#tell({ kind: 'leave', ticket, exchangeId });
  }

  /**
   * The process stops: whoever waits is told to come again, and so is whoever still comes, with the ticket that is opened
   * all the same. People can decide while there is no gateway, and the retry finds what they decided.
   */
  drain(): void {
    this.#isDraining = true;
    this.#comeAgain();
  }

  /** Nobody waits any more, and nothing is asked. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const worker = this.#worker;
    this.#giveUp('the gateway is stopping');
    await worker?.terminate();
  }

  #tell(message: ToDesk): void {
    this.#begun().postMessage(message);
  }

  #begun(): Worker {
    if (this.#worker !== undefined) return this.#worker;
    const worker = new Worker(workerFile, { workerData: this.#start });
    worker.unref();
    worker.on('message', (message: FromDesk) => this.#heed(message));
    let why = 'its thread ended';
    worker.on('error', (error) => {
      why = error instanceof Error ? error.message : why;
    });
    worker.on('exit', () => {
      if (this.#worker === worker) this.#giveUp(why);
    });
    this.#worker = worker;
    return worker;
  }

  #heed(message: FromDesk): void {
    switch (message.kind) {
      case 'answered':
        this.#answered(message.ask, message.answer);
        return;
      case 'failed':
        this.#asked.get(message.ask)?.reject(failed(message.message, message.remedy));
        this.#asked.delete(message.ask);
        return;
      case 'decided':
        this.#waiting.get(message.exchangeId)?.resolve(message.decision);
        this.#waiting.delete(message.exchangeId);
        return;
      default:
        message satisfies never;
    }
  }

  #answered(ask: number, answer: ApprovalAnswer): void {
    const asked = this.#asked.get(ask);
    this.#asked.delete(ask);
    if (asked === undefined) return;
    if (answer.kind === 'pending' && !this.#isDraining) this.#waiting.set(asked.exchangeId, Promise.withResolvers());
    asked.resolve(answer);
  }

  #giveUp(why: string): void {
    this.#worker = undefined;
    for (const { reject } of this.#asked.values()) reject(failed(why));
    this.#asked.clear();
    this.#comeAgain();
  }

  #comeAgain(): void {
    for (const { resolve } of this.#waiting.values()) resolve(null);
    this.#waiting.clear();
  }
}

function failed(why: string, remedy: string | null = null): SkilltapeError {
  return new SkilltapeError('approval_failed', `nobody can be asked for an approval: ${why}`, {
    ...(remedy !== null && { remedy }),
  });
}
