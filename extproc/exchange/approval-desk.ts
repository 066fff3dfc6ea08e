import type { Masked } from '../masking/masked.ts';

/** What a grant is good for: the request once, or whatever is held for the same rules within a scope. */
export const scopeKinds = ['request', 'session', 'skill'] as const;
export type ScopeKind = (typeof scopeKinds)[number];

/** Under what a later request is let through by the same grant; keys are keyed hashes (inv. 6). */
export type OfferedScope = { kind: Exclude<ScopeKind, 'request'>; key: string };

/** What policy wants of an approval. */
export type ApprovalTerms = {
  /** Groups of people who may decide. */
  approvers: readonly string[];
  /** Whoever decides is in one group of each list; absent in tickets of earlier versions. */
  approverLists?: readonly (readonly string[])[];
  /** How many different people have to approve. */
  quorum: number;
  /** Longest time that it waits for a decision. */
  openMs: number;
  scopes: readonly ScopeKind[];
  /** Longest time that a grant can be used. */
  grantMaxMs: number;
  risk: 'low' | 'medium' | 'high';
};

/** What is told to whoever decides; it passes through the masker. */
export type TicketSummary = {
  connection: string;
  person: { issuer: string; subject: string; name: string; email: string } | null;
  session: string;
  endpoint: string;
  models: string[];
  skills: string[];
  tools: string[];
  findings: { type: string; place: string; count: number }[];
  findingsComplete: boolean;
  reasons: { rule: string; message: string }[];
  policyRevision: string;
  /** Beginning and end of the newest prompt's text; `leftOut` says what of the request it does not show. */
  excerpt: string;
  leftOut: { chars: number; messages: number; bytes: number };
};

/** A request that policy holds. */
export type ApprovalRequest = {
  exchangeId: string;
  /** Keyed hash of who asks, by which connection, and of the request as judged: the same request has the same one. */
  binding: string;
  /** Keyed hash of who asks. */
  caller: string;
  scopes: readonly OfferedScope[];
  terms: ApprovalTerms;
  summary: Masked<TicketSummary>;
};

/** What a held exchange is told in the end. */
export type ApprovalDecision =
  | { kind: 'granted'; ticket: string; approvedBy: readonly string[] }
  | { kind: 'denied'; ticket: string; reason: string }
  | { kind: 'expired'; ticket: string }
  /** `limit` names the one at which no ticket is opened, or joined: another exchange used the grant that it waited for. */
  | { kind: 'full'; limit: 'ticketsMax' | 'ticketsPerCallerMax' | 'eventsPerTicketMax' };

/** What it is told when it asks. */
export type ApprovalAnswer = ApprovalDecision | { kind: 'pending'; ticket: string; untilMs: number };

/** Whoever has people decide about held requests (extproc/approvals). */
export type ApprovalDesk = {
  /** Uses a grant, joins the ticket that is open for the same request, or opens one. Rejects when it cannot. */
  ask(request: ApprovalRequest): Promise<ApprovalAnswer>;
  /** Resolves when the ticket that an exchange waits for was decided, with null when the process stops before. */
  decided(ticket: string, exchangeId: string): Promise<ApprovalDecision | null>;
  /** The exchange waits no longer, and nothing of it goes upstream; its ticket stays, with a grant that it used already. */
  leave(ticket: string, exchangeId: string): void;
};
