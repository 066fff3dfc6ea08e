/** What people decide about a ticket, and what becomes of it. */
import type { ApprovalTerms } from '../exchange/approval-desk.ts';
import { type Approver, type Grant, isSameApprover, usesMax } from './ticket.ts';
import type { Ticket } from './tickets.ts';

/** What a person decides; a grant is for what the policy offers and not longer than it allows. */
export type Decision =
  | { kind: 'approve'; by: Approver; reason: string; scope: Grant['scope']; uses: number; forMs: number }
  | { kind: 'deny'; by: Approver; reason: string }
  | { kind: 'revoke'; by: Approver; reason: string };

export type Decided =
  | { kind: 'recorded'; ticket: Ticket }
  /** `state`: what it was already when this came. */
  | { kind: 'refused'; why: 'not_found' | 'not_open' | 'approved_before' | 'scope_not_offered'; state: string };

/** Why a decision cannot be; null where it can. */
export function refusalOf(
  { state, terms }: Pick<Ticket, 'state' | 'terms'>,
  decision: Decision,
): Extract<Decided, { kind: 'refused' }>['why'] | null {
  if (decision.kind === 'revoke') return state.kind === 'granted' ? null : 'not_open';
  if (state.kind !== 'pending') return 'not_open';
  if (decision.kind === 'deny') return null;
  if (!terms.scopes.includes(decision.scope)) return 'scope_not_offered';
  return state.approvals.some(({ by }) => isSameApprover(by, decision.by)) ? 'approved_before' : null;
}

/** Not for longer, nor more often, than the policy allows. */
export function grantOf(decision: Extract<Decision, { kind: 'approve' }>, terms: ApprovalTerms, nowMs: number): Grant {
  const { scope } = decision;
  const uses = scope === 'request' ? 1 : Math.min(Math.max(1, decision.uses), usesMax);
  return { scope, uses, untilMs: nowMs + Math.min(decision.forMs, terms.grantMaxMs) };
}
