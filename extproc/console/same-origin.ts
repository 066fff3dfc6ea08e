/** Whether something that changes anything was sent by a page of ours (inv. 5 of people: nobody decides in their name). */
import { isSameSecret } from './sessions.ts';

export type SentFrom = {
  origin: string | undefined;
  /** `sec-fetch-site`: what the browser says, and no page can. */
  site: string | undefined;
};

/**
 * Every browser sends `origin` with a POST. A page of ours has ours, and one that hides where it comes from has `null`.
 * Where there is none, `sec-fetch-site` has to say it.
 */
export function isSentByUs({ origin, site }: SentFrom, ownOrigin: string): boolean {
  if (site !== undefined && site !== 'same-origin') return false;
  return origin === undefined ? site === 'same-origin' : origin === ownOrigin;
}

/** The token of the session, which no page of another origin can read. */
export function hasToken(given: unknown, csrfToken: string): boolean {
  return typeof given === 'string' && given !== '' && isSameSecret(given, csrfToken);
}
