import { Worker } from 'node:worker_threads';
import { type ErrorCode, SkilltapeError } from '../errors.ts';
import type { Answered, Asked, ReadingKind } from '../exchange/reader.ts';
import type { JournalPlace, Question, QuestionBody, Reply } from './protocol.ts';

const workerFile = new URL('./worker.ts', import.meta.url);

/**
 * One thread that reads, begun when it is first needed, and again after it ended. It is asked one thing at a time, and
 * bytes are copied only when their turn has come: what waits takes no second memory (inv. 10).
 */
export class Lane {
  readonly #readMaxMs: number;
  readonly #journal: JournalPlace | null;
  #worker: Worker | undefined;
  #last: Promise<unknown> = Promise.resolve();
  #isClosed = false;

  /** A question that takes longer than `readMaxMs` ends the thread. Stored bodies are read from `journal`. */
  constructor(readMaxMs: number, journal: JournalPlace | null = null) {
    this.#readMaxMs = readMaxMs;
    this.#journal = journal;
  }

  /** Rejects when the thread ended over the question, or was closed. */
  ask<K extends ReadingKind>(kind: K, asked: Asked<K>, copied: () => QuestionBody): Promise<Answered<K>> {
    const reply = this.#last.then(() => this.#ask({ kind, asked, ...copied() } as Question));
    this.#last = reply.catch(() => {});
    return reply as Promise<Answered<K>>;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#worker?.terminate();
  }

  async #ask(question: Question): Promise<Answered<ReadingKind>> {
    if (this.#isClosed) throw failed('it is closed');
    const worker = this.#begun();
    const { promise, resolve, reject } = Promise.withResolvers<Reply>();
    const onExit = () => reject(failed('it ended'));
    const timer = setTimeout(() => void worker.terminate(), this.#readMaxMs);
    worker.once('message', resolve).once('exit', onExit);
    try {
      worker.postMessage(question, [question.bytes.buffer]);
      const reply = await promise;
      if ('failed' in reply) throw failed(reply.failed, reply.code);
      return reply.answered;
    } finally {
      clearTimeout(timer);
      worker.off('message', resolve).off('exit', onExit);
    }
  }

  #begun(): Worker {
    if (this.#worker !== undefined) return this.#worker;
    const worker = new Worker(workerFile, { workerData: this.#journal });
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
