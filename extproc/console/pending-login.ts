/**
 * What has to be known when the identity provider sends somebody back. It is kept by the browser itself, sealed, so that
 * nobody who only asks for logins can fill our memory.
 */
import { z } from 'zod';
import { Seal } from './seal.ts';

const pendingLogin = z.strictObject({
  state: z.string(),
  nonce: z.string(),
  codeVerifier: z.string(),
  /** The page that was asked for. */
  returnTo: z.string(),
  endsMs: z.number(),
});

export type PendingLogin = z.infer<typeof pendingLogin>;

/** Longest time that somebody may take at the identity provider. */
export const pendingLoginMaxMs = 10 * 60_000;

const purpose = 'login';

export class PendingLogins {
  readonly #seal = new Seal();
  readonly #now: () => number;

  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  seal(login: Omit<PendingLogin, 'endsMs'>): string {
    return this.#seal.close(JSON.stringify({ ...login, endsMs: this.#now() + pendingLoginMaxMs }), purpose);
  }

  /** Null for what was not sealed here, or has ended. */
  open(sealed: string | undefined): PendingLogin | null {
    const text = this.#seal.open(sealed ?? '', purpose);
    if (text === null) return null;
    const login = pendingLogin.parse(JSON.parse(text));
    return login.endsMs > this.#now() ? login : null;
  }
}
