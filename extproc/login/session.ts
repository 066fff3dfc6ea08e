import { SkilltapeError } from '../errors.ts';
import type { LoginSettings } from './settings.ts';
import type { LoginStore, StoredLogin } from './store.ts';

/** What a provider gave. */
export type Tokens = {
  token: string;
  /** Null: none came; an earlier one goes on. */
  refreshToken: string | null;
  expiresAtMs: number;
  subject: string;
};

/** What came of asking for new tokens. `ended`: nobody but the person can help. `unreachable`: try again later. */
export type Refreshed =
  | { kind: 'tokens'; tokens: Tokens }
  | { kind: 'ended'; why: string }
  | { kind: 'unreachable'; why: string };

/** Asks the provider of a login for new tokens. */
export type Refresh = (login: StoredLogin, refreshToken: string) => Promise<Refreshed>;

export type TokenOutcome =
  /** `warning` is set where the token is good, but something has to be looked at. */
  | { kind: 'token'; token: string; warning: string | null }
  | { kind: 'not_logged_in' }
  | { kind: 'ended'; why: string }
  | { kind: 'unreachable'; why: string };

/**
 * A token that is good for `minValidityMs`, or for half of its life where that is less: a client keeps it for a while, and
 * Claude Code asks again after five minutes. One process at a time asks the provider; the others wait and take what it got.
 * Never asks a person anything.
 */
export async function currentToken(
  store: LoginStore,
  { refresh, minValidityMs, now = Date.now }: { refresh: Refresh; minValidityMs: number; now?: () => number },
): Promise<TokenOutcome> {
  const login = store.read();
  if (login === null) return { kind: 'not_logged_in' };
  if (isFresh(login, minValidityMs, now())) return { kind: 'token', token: login.token, warning: null };
  return store.exclusively(async () => {
    // Another process may have been faster, or has logged out.
    const latest = store.read();
    if (latest === null) return { kind: 'not_logged_in' };
    if (isFresh(latest, minValidityMs, now())) return { kind: 'token', token: latest.token, warning: null };
    return renewed(store, latest, refresh, now);
  });
}

async function renewed(
  store: LoginStore,
  login: StoredLogin,
  refresh: Refresh,
  now: () => number,
): Promise<TokenOutcome> {
  if (login.refreshToken === null) {
    return orStillGood(login, now(), {
      kind: 'ended',
      why: 'the provider gave no refresh token (is offline_access in the scope?)',
    });
  }
  const answer = await refresh(login, login.refreshToken);
  switch (answer.kind) {
    case 'tokens': {
      const next = loginOf(login.settings, answer.tokens, now());
      store.write({ ...next, refreshToken: next.refreshToken ?? login.refreshToken });
      return { kind: 'token', token: next.token, warning: null };
    }
    case 'ended':
    case 'unreachable':
      return orStillGood(login, now(), answer);
    default:
      return answer satisfies never;
  }
}

/** A token that still has some life is better than none: the next call tries again. */
function orStillGood(login: StoredLogin, nowMs: number, otherwise: TokenOutcome & { why: string }): TokenOutcome {
  const leftMs = login.expiresAtMs - nowMs;
  if (leftMs <= 0) return otherwise;
  return {
    kind: 'token',
    token: login.token,
    warning: `${otherwise.why}; the token is good for ${Math.ceil(leftMs / 1000)} s more`,
  };
}

function isFresh({ expiresAtMs, obtainedAtMs }: StoredLogin, minValidityMs: number, nowMs: number): boolean {
  const lifeMs = expiresAtMs - obtainedAtMs;
  return expiresAtMs - nowMs > Math.min(minValidityMs, lifeMs / 2);
}

export function loginOf(settings: LoginSettings, tokens: Tokens, nowMs: number): StoredLogin {
  if (tokens.expiresAtMs <= nowMs) {
    throw new SkilltapeError('usage', 'the provider gave a token that has ended already', {
      remedy: 'compare the clocks of this machine and of the provider',
    });
  }
  return { version: 1, settings, obtainedAtMs: nowMs, ...tokens };
}
