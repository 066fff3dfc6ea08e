import type { NoticeSubject, Occasion } from './notice.ts';

type Common = {
  name: string;
  subjects: readonly NoticeSubject[];
  occasions: readonly Occasion[];
  namesPerson: boolean;
};

/** Whoever is told, as configured; files hold what is secret. */
export type Target = Common &
  (
    | { kind: 'slack' | 'teams'; urlFile: string; allowPlainHttp: boolean }
    | { kind: 'webhook'; urlFile: string; secretFile: string; allowPlainHttp: boolean }
    | { kind: 'email'; smtp: SmtpServer; from: string; to: readonly string[] }
  );

/** `login` null: nobody logs in. */
export type SmtpServer = {
  host: string;
  port: number;
  tls: 'starttls' | 'implicit' | 'none';
  login: { userFile: string; passwordFile: string } | null;
};

/**
 * What became of one attempt. `isFinal`: this message will never be taken there. `retryAfterMs`: how long the receiver
 * wants to be left alone. `why` is in our words: what a receiver writes is not repeated.
 */
export type Sent =
  | { kind: 'delivered' }
  | { kind: 'failed'; why: string; retryAfterMs: number | null; isFinal: boolean };
