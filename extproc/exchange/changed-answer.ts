import { HeldBody } from './held-body.ts';
import type { Budget } from './ports.ts';
import type { ReadableBody } from './reader.ts';

/** For what comes, what it decodes to and what goes on: that is one gRPC message and one record of the journal. */
export const changedAnswerMaxBytes = 8 * 1024 * 1024;

/** What no longer fits a changed body: its length, its encoding, and digests of it (RFC 9530, RFC 1864). */
export const changedAnswerRemovedHeaders = [
  ...['content-length', 'content-encoding', 'content-md5', 'content-digest', 'repr-digest', 'digest'],
] as const;

/**
 * `bytes` go to the caller; `changed` when they are not the ones that came. `note` is for the record, which says with it
 * what was done.
 */
export type Changed = { ok: true; bytes: Uint8Array; changed: boolean; note: string } | { ok: false; reason: string };

/** What is done with a whole answer, and `ofWhat` it is in the words of a reason. */
export type AnswerChange = {
  readonly ofWhat: string;
  change(body: ReadableBody, contentEncoding: string): Promise<Changed>;
};

/** One answer that is held to its end, because it is changed (inv. 3). */
export class ChangedAnswer {
  readonly #held: HeldBody;
  readonly #heldBodyMaxBytes: number;
  readonly #change: AnswerChange;

  constructor(options: { change: AnswerChange; budget: Budget; heldBodyMaxBytes: number }) {
    this.#held = new HeldBody(options.budget);
    this.#heldBodyMaxBytes = options.heldBodyMaxBytes;
    this.#change = options.change;
  }

  get ofWhat(): string {
    return this.#change.ofWhat;
  }

  /** Why the chunk cannot be held, or null. */
  take(chunk: Uint8Array): string | null {
    const limits = { requestBodyMaxBytes: changedAnswerMaxBytes, heldBodyMaxBytes: this.#heldBodyMaxBytes };
    const taken = this.#held.add(chunk, limits);
    if (taken === 'taken') return null;
    const { ofWhat } = this;
    return taken === 'held_bodies_at_limit' ? `no memory is left to hold ${ofWhat}` : tooLarge(ofWhat);
  }

  /** What goes on instead. An answer that cannot be read has none (inv. 2). */
  async whole(contentEncoding: string): Promise<Changed> {
    if (this.#held.bytes === 0) return { ok: true, bytes: new Uint8Array(0), changed: false, note: '' };
    return this.#change.change(this.#held, contentEncoding);
  }

  forget(): void {
    this.#held.forget();
  }
}

export function tooLarge(ofWhat: string): string {
  return `${ofWhat} has more than ${changedAnswerMaxBytes} bytes`;
}
