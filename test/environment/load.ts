import { messagesBody } from '../builders/messages-body.ts';
import type { TestGateway } from './gateway.ts';

/** Callers who go on whatever happens: short answers, and every third one a stream, some of them slow. */
export class Load {
  /** Exchanges whose whole answer came. */
  readonly answered = new Set<string>();
  /** What became of the others: a status, or `cut`. */
  readonly failures: (number | 'cut')[] = [];
  #stopped = false;
  #sent = 0;
  readonly #gateway: TestGateway;
  readonly #headers: Record<string, string>;
  readonly #callers: Promise<void>[];

  constructor(gateway: TestGateway, headers: Record<string, string>, callers = 3) {
    this.#gateway = gateway;
    this.#headers = headers;
    this.#callers = Array.from({ length: callers }, () => this.#call());
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#callers);
  }

  /** For a test that fails: callers that go on would keep its process from ending. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #call(): Promise<void> {
    while (!this.#stopped) {
      this.#sent += 1;
      const more = this.#sent % 3 === 0 ? { stream: true } : {};
      const body = messagesBody(`${this.#sent % 6 === 0 ? '[fake: slow 10] ' : ''}load ${this.#sent}`, more);
      const answer = await this.#gateway.post(body, this.#headers).catch(() => undefined);
      if (answer?.status === 200) this.answered.add(answer.exchangeId);
      else this.failures.push(answer?.status ?? 'cut');
      // Callers of a gateway that refuses do not hurry.
      if (answer?.status !== 200) await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}
