import type { Counted, LiveFigures } from '../approvals/figures.ts';
import type { TicketLimits } from '../approvals/tickets.ts';
import type { GrantLimits } from '../grants/grants.ts';
import type { Target } from './target.ts';

/** What the thread is given at its start; `outboxFile` null where nobody is to be told. */
export type WatchStart = {
  ticketsFile: string;
  limits: TicketLimits;
  grantsFile: string;
  grantLimits: GrantLimits;
  outboxFile: string | null;
  targets: readonly Target[];
  linkBase: string | null;
  expiringMs: number;
  giveUpMs: number;
  requestTimeoutMs: number;
};

export const attemptResults = ['delivered', 'failed', 'given_up'] as const;
export type AttemptResult = (typeof attemptResults)[number];

/** Plain data; no content of tickets. */
export type FromWatch =
  | { kind: 'counted'; counted: Counted[] }
  | { kind: 'live'; live: LiveFigures; waiting: number }
  /** `why` in our words; null when it was delivered. */
  | { kind: 'attempt'; target: string; ticket: string; result: AttemptResult; why: string | null }
  /** Targets whose last attempt failed. */
  | { kind: 'failing'; targets: readonly string[] };
