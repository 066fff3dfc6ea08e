import { HeldBody } from './held-body.ts';
import type { Budget } from './ports.ts';
import type { Reader } from './reader.ts';

/** For what comes, what it decodes to and what goes on: that is one gRPC message and one record of the journal. */
export const changedAnswerMaxBytes = 8 * 1024 * 1024;

/** What no longer fits a changed body: its length, its encoding, and digests of it (RFC 9530, RFC 1864). */
export const changedAnswerRemovedHeaders = [
  ...['content-length', 'content-encoding', 'content-md5', 'content-digest', 'repr-digest', 'digest'],
] as const;

/** `bytes` go to the caller; `changed` when they are not the ones that came. */
export type Changed = { ok: true; bytes: Uint8Array; changed: boolean } | { ok: false; reason: string };

/** One answer that is held to its end, because the links in it are changed (inv. 3). */
export class ChangedAnswer {
  readonly #held: HeldBody;
  readonly #heldBodyMaxBytes: number;
  readonly #publicUrl: string;
  readonly #reader: Reader;

  constructor(options: { publicUrl: string; budget: Budget; reader: Reader; heldBodyMaxBytes: number }) {
    this.#held = new HeldBody(options.budget);
    this.#heldBodyMaxBytes = options.heldBodyMaxBytes;
    this.#publicUrl = options.publicUrl;
    this.#reader = options.reader;
  }

  /** Why the chunk cannot be held, or null. */
  take(chunk: Uint8Array): string | null {
    const limits = { requestBodyMaxBytes: changedAnswerMaxBytes, heldBodyMaxBytes: this.#heldBodyMaxBytes };
    const taken = this.#held.add(chunk, limits);
    if (taken === 'taken') return null;
    return taken === 'held_bodies_at_limit' ? 'no memory is left to hold an answer whose links are changed' : tooLarge;
  }

  /** What goes on instead. An answer that cannot be read has none: its links would lead around the gateway (inv. 2). */
  async whole(contentEncoding: string): Promise<Changed> {
    if (this.#held.bytes === 0) return { ok: true, bytes: new Uint8Array(0), changed: false };
    const asked = { publicUrl: this.#publicUrl, contentEncoding, maxBytes: changedAnswerMaxBytes };
    const changed = await this.#reader.read('changed', asked, this.#held);
    return changed.ok ? changed : { ok: false, reason: faultTexts[changed.fault] };
  }

  forget(): void {
    this.#held.forget();
  }
}

const tooLarge = `an answer whose links are changed has more than ${changedAnswerMaxBytes} bytes`;

const faultTexts = {
  too_large: tooLarge,
  not_json: 'an answer whose links are changed is no JSON',
  not_decoded: 'an answer whose links are changed could not be decoded',
} as const;
