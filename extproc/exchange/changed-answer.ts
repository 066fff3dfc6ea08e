import { decodeBody } from '../claude/content-decoding.ts';
import { rewriteResultsUrls } from '../claude/results-url.ts';
import { HeldBody } from './held-body.ts';
import type { Budget } from './ports.ts';

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

  constructor(options: { publicUrl: string; budget: Budget; heldBodyMaxBytes: number }) {
    this.#held = new HeldBody(options.budget);
    this.#heldBodyMaxBytes = options.heldBodyMaxBytes;
    this.#publicUrl = options.publicUrl;
  }

  /** Why the chunk cannot be held, or null. */
  take(chunk: Uint8Array): string | null {
    const limits = { requestBodyMaxBytes: changedAnswerMaxBytes, heldBodyMaxBytes: this.#heldBodyMaxBytes };
    const taken = this.#held.add(chunk, limits);
    if (taken === 'taken') return null;
    return taken === 'held_bodies_at_limit' ? 'no memory is left to hold an answer whose links are changed' : tooLarge;
  }

  /** What goes on instead. An answer that cannot be read has none: its links would lead around the gateway (inv. 2). */
  whole(contentEncoding: string): Changed {
    const received = this.#held.joined();
    if (received.length === 0) return { ok: true, bytes: received, changed: false };
    const body = decodeBody(received, contentEncoding, changedAnswerMaxBytes);
    if (!body.decoded) return { ok: false, reason: 'an answer whose links are changed could not be decoded' };
    const rewritten = rewriteResultsUrls(body.bytes, this.#publicUrl, changedAnswerMaxBytes);
    if (rewritten.ok) return { ...rewritten, changed: rewritten.bytes !== received };
    return {
      ok: false,
      reason: rewritten.fault === 'too_large' ? tooLarge : 'an answer whose links are changed is no JSON',
    };
  }

  forget(): void {
    this.#held.forget();
  }
}

const tooLarge = `an answer whose links are changed has more than ${changedAnswerMaxBytes} bytes`;
