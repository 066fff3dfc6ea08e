import type { Decision } from '../../extproc/approvals/decision.ts';
import type { Approver } from '../../extproc/approvals/ticket.ts';
import type { ApprovalRequest, ApprovalTerms, TicketSummary } from '../../extproc/exchange/approval-desk.ts';
import type { Masked } from '../../extproc/masking/masked.ts';

export const minute = 60_000;

const terms: ApprovalTerms = {
  approvers: ['security'],
  quorum: 1,
  openMs: 60 * minute,
  scopes: ['request', 'session'],
  grantMaxMs: 30 * minute,
  risk: 'high',
};

const summary: TicketSummary = {
  connection: 'claude',
  person: { issuer: 'https://idp.example.com', subject: 'ada', name: 'Ada', email: 'ada@example.com' },
  session: 's-1',
  endpoint: 'messages.create',
  models: ['claude-opus-4-8'],
  skills: ['pdf'],
  tools: ['bash'],
  findings: [{ type: 'SECRET', place: 'messages', count: 1 }],
  findingsComplete: true,
  reasons: [{ rule: 'request/findings_listed', message: 'The request holds a secret.' }],
  policyRevision: 'r1',
  excerpt: 'deploy with [SECRET]',
  leftOut: { chars: 120, messages: 2, bytes: 0 },
};

type Changes = Partial<Omit<ApprovalRequest, 'terms' | 'summary'>> & {
  terms?: Partial<ApprovalTerms>;
  summary?: Partial<TicketSummary>;
};

/** A request that is held: the same as any other of these but for `changes`. */
export function approvalRequest(changes: Changes = {}): ApprovalRequest {
  return {
    exchangeId: 'x-1',
    binding: 'b-1',
    caller: 'c-1',
    scopes: [{ kind: 'session', key: 'k-session' }],
    ...changes,
    terms: { ...terms, ...changes.terms },
    summary: { ...summary, ...changes.summary } as Masked<TicketSummary>,
  };
}

export const approver = (name: string, uid = name.length): Approver => ({ kind: 'os', name, uid });

export function approval(name = 'grace', changes: Partial<Extract<Decision, { kind: 'approve' }>> = {}): Decision {
  const usual = { reason: 'seen', scope: 'request' as const, uses: 1, forMs: 10 * minute };
  return { kind: 'approve', by: approver(name), ...usual, ...changes };
}

export function denial(name = 'grace'): Decision {
  return { kind: 'deny', by: approver(name), reason: 'not with production keys' };
}
