/**
 * What has to be known when the identity provider sends somebody back. It is kept by the browser itself, sealed, so that
 * nobody who only asks for logins can fill our memory.
 */
import { z } from 'zod';
import { Seal } from './seal.ts';
import { randomToken } from './sessions.ts';

const pendingLogin = z.strictObject({
  /** Of its own, by which it is known when it comes back. */
  id: z.string(),
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

/** Logins that came back in the time of one (inv. 10); of more the oldest are forgotten, whose codes the provider took once. */
const usedMax = 10_000;

export class PendingLogins {
  readonly #seal = new Seal();
  readonly #now: () => number;
  /** By id, in the order in which they came back. */
  readonly #usedUntilMs = new Map<string, number>();

  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  seal(login: Omit<PendingLogin, 'id' | 'endsMs'>): string {
    const own = { id: randomToken(), endsMs: this.#now() + pendingLoginMaxMs };
    return this.#seal.close(JSON.stringify({ ...login, ...own }), purpose);
  }

  /** Once: null for what was not sealed here, has ended, or was opened before, by whomever has a copy of the cookie. */
  open(sealed: string | undefined): PendingLogin | null {
    const text = this.#seal.open(sealed ?? '', purpose);
    if (text === null) return null;
    const login = pendingLogin.parse(JSON.parse(text));
    if (login.endsMs <= this.#now() || this.#usedUntilMs.has(login.id)) return null;
    this.#use(login);
    return login;
  }

  #use({ id, endsMs }: PendingLogin): void {
    this.#usedUntilMs.set(id, endsMs);
    for (const [other, untilMs] of this.#usedUntilMs) {
      if (untilMs > this.#now() && this.#usedUntilMs.size <= usedMax) return;
      this.#usedUntilMs.delete(other);
    }
  }
}
