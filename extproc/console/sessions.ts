/** Who is logged in, in the memory of this process: after a restart people log in again. */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Identity } from '../exchange/identity.ts';

/**
 * @property csrfToken what each form of this session carries
 * @property idToken for the logout at the identity provider
 * @property notice what the next page tells, once
 */
export type Session = {
  readonly identity: Identity;
  readonly authenticatedMs: number | null;
  readonly idToken: string;
  readonly csrfToken: string;
  readonly endsMs: number;
  notice: string | null;
};

export type SessionLimits = { sessionMaxMs: number; sessionsMax: number };

/** One person's logins at once; at it the oldest ends. */
const perPersonMax = 10;

/** Kept under the hash of what the browser holds, so that a dump of memory or a bug gives nobody a session. */
export class Sessions {
  readonly #limits: SessionLimits;
  readonly #now: () => number;
  readonly #sessions = new Map<string, Session>();
  readonly #onEnd = new Map<Session, Set<() => void>>();

  constructor(limits: SessionLimits, now: () => number = Date.now) {
    this.#limits = limits;
    this.#now = now;
  }

  get count(): number {
    return this.#sessions.size;
  }

  /** Always a new id, whatever the browser came with: one that somebody else planted stays worthless. */
  begin(login: Pick<Session, 'identity' | 'authenticatedMs' | 'idToken'>): { id: string; session: Session } {
    this.#makeRoom(login.identity);
    const id = randomToken();
    const endsMs = this.#now() + this.#limits.sessionMaxMs;
    const session: Session = { ...login, csrfToken: randomToken(), endsMs, notice: null };
    this.#sessions.set(keyOf(id), session);
    return { id, session };
  }

  find(id: string | undefined): Session | null {
    if (id === undefined) return null;
    const key = keyOf(id);
    const session = this.#sessions.get(key);
    if (session === undefined) return null;
    if (session.endsMs > this.#now()) return session;
    this.#end(key, session);
    return null;
  }

  end(id: string | undefined): void {
    const key = keyOf(id ?? '');
    const session = this.#sessions.get(key);
    if (session !== undefined) this.#end(key, session);
  }

  /** Called when the session ends before what it is called for; returns what takes it back. */
  onEnd(session: Session, call: () => void): () => void {
    const calls = this.#onEnd.get(session) ?? new Set();
    this.#onEnd.set(session, calls.add(call));
    return () => calls.delete(call);
  }

  #end(key: string, session: Session): void {
    this.#sessions.delete(key);
    for (const call of this.#onEnd.get(session) ?? []) call();
    this.#onEnd.delete(session);
  }

  /** In the order in which they began. */
  #makeRoom({ issuer, subject }: Identity): void {
    for (const [key, session] of this.#sessions) if (session.endsMs <= this.#now()) this.#end(key, session);
    const own = [...this.#sessions].filter(
      ([, { identity }]) => identity.issuer === issuer && identity.subject === subject,
    );
    const surplus = [...own.slice(0, Math.max(0, own.length + 1 - perPersonMax))];
    for (const [key, session] of surplus) this.#end(key, session);
    for (const [key, session] of this.#sessions) {
      if (this.#sessions.size < this.#limits.sessionsMax) return;
      this.#end(key, session);
    }
  }
}

/** In the time that it takes to compare all of it. */
export function isSameSecret(a: string, b: string): boolean {
  return timingSafeEqual(createHash('sha256').update(a).digest(), createHash('sha256').update(b).digest());
}

export function randomToken(): string {
  return randomBytes(32).toString('base64url');
}

function keyOf(id: string): string {
  return createHash('sha256').update(id).digest('base64url');
}
