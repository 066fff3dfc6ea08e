import { Worker } from 'node:worker_threads';
import { type ErrorCode, SkilltapeError } from '../errors.ts';
import type { Answered, Asked, ReadingKind } from '../exchange/reader.ts';
import { type LargeWork, largeMinBytes } from '../large-work.ts';
import type { DetectorList } from '../masking/detector-list.ts';
import type { Question, QuestionBody, ReadingStart, Reply } from './protocol.ts';

const workerFile = new URL('./worker.ts', import.meta.url);

export type LaneOptions = { readMaxMs: number; idleMaxMs: number; start: ReadingStart; largeWork: LargeWork };

/**
 * One thread that reads, begun when it is first needed, and again after it ended. It is asked one thing at a time, and
 * bytes are copied only when their turn has come: what waits takes no second memory (inv. 10).
 */
export class Lane {
  readonly #readMaxMs: number;
  readonly #idleMaxMs: number;
  #start: ReadingStart;
  readonly #largeWork: LargeWork;
  #worker: Worker | undefined;
  #last: Promise<unknown> = Promise.resolve();
  #idle: NodeJS.Timeout | undefined;
  /** The thread has read a large body: it holds several times as much, and gives none of it back while it lives. */
  #isLarge = false;
  #isClosed = false;

  /**
   * A question that takes longer than `readMaxMs` ends the thread, and so do `idleMaxMs` without one after a large body.
   * Stored bodies are read from the journal of `start`.
   */
  constructor({ readMaxMs, idleMaxMs, start, largeWork }: LaneOptions) {
    this.#readMaxMs = readMaxMs;
    this.#idleMaxMs = idleMaxMs;
    this.#start = start;
    this.#largeWork = largeWork;
  }

  /** Whether its thread lives. */
  get isBegun(): boolean {
    return this.#worker !== undefined;
  }

  /** `bytes` is how large the body is. Rejects when the thread ended over the question, or was closed. */
  ask<K extends ReadingKind>(
    kind: K,
    asked: Asked<K>,
    bytes: number,
    copied: () => QuestionBody,
  ): Promise<Answered<K>> {
    const askNow = () => this.#ask({ kind, asked, ...copied() } as Question, bytes >= largeMinBytes);
    const reply = this.#last.then(() => this.#largeWork.run(bytes, askNow));
    this.#last = reply.catch(() => {});
    return reply as Promise<Answered<K>>;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#end();
  }

  async #ask(question: Question, isLarge: boolean): Promise<Answered<ReadingKind>> {
    if (this.#isClosed) throw failed('it is closed');
    const worker = this.#begun();
    const { promise, resolve, reject } = Promise.withResolvers<Reply>();
    const onExit = () => reject(failed('it ended'));
    clearTimeout(this.#idle);
    const timer = setTimeout(() => void worker.terminate(), this.#readMaxMs);
    worker.once('message', resolve).once('exit', onExit);
    this.#isLarge ||= isLarge;
    try {
      worker.postMessage(question, [question.bytes.buffer]);
      const reply = await promise;
      if ('failed' in reply) throw failed(reply.failed, reply.code);
      return reply.answered;
    } finally {
      clearTimeout(timer);
      if (this.#isLarge) this.#idle = setTimeout(() => void this.#end(), this.#idleMaxMs).unref();
      worker.off('message', resolve).off('exit', onExit);
    }
  }

  /** With other detectors from the next question on; a thread that has those before ends when its questions are answered. */
  useDetectors(detectors: DetectorList): void {
    if (JSON.stringify(detectors) === JSON.stringify(this.#start.detectors)) return;
    this.#last = this.#last.then(async () => {
      this.#start = { ...this.#start, detectors };
      await this.#end();
    });
  }

  async #end(): Promise<void> {
    const worker = this.#worker;
    this.#worker = undefined;
    await worker?.terminate();
  }

  #begun(): Worker {
    if (this.#worker !== undefined) return this.#worker;
    this.#isLarge = false;
    const worker = new Worker(workerFile, { workerData: this.#start });
    // It must not keep a stopping process alive; what ends it is said by `exit`.
    worker.unref();
    worker.on('error', () => {});
    worker.on('exit', () => {
      if (this.#worker === worker) this.#worker = undefined;
    });
    this.#worker = worker;
    return worker;
  }
}

function failed(why: string, code: ErrorCode = 'internal'): SkilltapeError {
  return new SkilltapeError(code, `the thread that reads bodies could not: ${why}`);
}
