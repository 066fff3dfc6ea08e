import type { ApprovalAnswer, ApprovalDecision, ApprovalRequest } from '../exchange/approval-desk.ts';
import type { TicketLimits } from './tickets.ts';

/** What the thread is given at its start. */
export type DeskStart = { file: string; limits: TicketLimits };

export type ToDesk =
  | { kind: 'ask'; ask: number; request: ApprovalRequest }
  | { kind: 'leave'; ticket: string; exchangeId: string };

export type FromDesk =
  | { kind: 'answered'; ask: number; answer: ApprovalAnswer }
  /** The messages of SQLite hold no content. */
  | { kind: 'failed'; ask: number; message: string; remedy: string | null }
  | { kind: 'decided'; exchangeId: string; decision: ApprovalDecision };
