/** Makes the request for an approval out of a request that policy holds. */
import { type ApprovalTermsDocument, approvalTerms } from '../policy/approval-list.ts';
import type { RequestInput } from '../policy/input.ts';
import type { ApprovalRequest, OfferedScope, TicketSummary } from './approval-desk.ts';
import { listsOf } from './approval-terms.ts';
import type { RequestFacts } from './facts.ts';
import { headerValue, joinedValue } from './headers.ts';
import type { HeldBodySummary } from './held-body-summary.ts';
import type { ExchangeContext, Verdict } from './ports.ts';

const minuteMs = 60_000;

/** What of a hold is known before the body is summed up. */
export type Held = {
  exchangeId: string;
  input: RequestInput;
  verdict: Verdict;
  facts: RequestFacts;
  session: string;
  policyRevision: string;
};

export function summaryOf({
  input,
  verdict,
  session,
  policyRevision,
}: Held): Omit<TicketSummary, 'excerpt' | 'leftOut'> {
  const { claude, batch, agent } = input;
  const asked = [...(claude === null ? [] : [claude]), ...(batch?.requests ?? []), ...(agent === null ? [] : [agent])];
  const all = (namesOf: (one: (typeof asked)[number]) => readonly string[]) => [...new Set(asked.flatMap(namesOf))];
  const { issuer = '', subject = '', name = '', email = '' } = input.identity ?? {};
  return {
    connection: input.connection.name,
    person: input.identity === null ? null : { issuer, subject, name, email },
    session,
    endpoint: input.request.endpoint,
    models: all(({ models }) => models),
    skills: all(({ skills }) => skills.map(({ id }) => id)),
    tools: all(({ tool_names }) => tool_names),
    findings: input.findings,
    findingsComplete: input.findings_complete,
    reasons: [...verdict.reasons],
    policyRevision,
  };
}

/**
 * A grant is for one caller on one connection, and for the request as it was judged: any byte of its content, and any
 * header that changes what the API does with it, makes another request of it. Scopes are for what is held for the same
 * rules.
 */
export function approvalRequestOf(
  held: Held,
  { contentHash, summary }: HeldBodySummary,
  keyedHash: ExchangeContext['keyedHash'],
): ApprovalRequest {
  const { input, facts, verdict } = held;
  const who = input.identity === null ? [input.source.address] : [input.identity.issuer, input.identity.subject];
  const caller = keyedHash('approval-caller', JSON.stringify([...who, input.connection.name]));
  const header = (name: string) => joinedValue(facts.headers, name);
  // As they were sent, in any order: what no policy reads may still change what the API does.
  const betas = [
    ...new Set(
      header('anthropic-beta')
        .split(',')
        .map((beta) => beta.trim()),
    ),
  ].sort();
  const chosen = ['anthropic-version', 'anthropic-workspace-id', 'anthropic-user-profile-id'].map(header);
  const headers = [facts.contentType, facts.contentEncoding, betas, chosen];
  // With its query, which may hold what no record may.
  const target = headerValue(facts.headers, ':path') ?? '';
  const binding = JSON.stringify([caller, facts.method, facts.path, target, headers, contentHash]);
  const approval: ApprovalTermsDocument = verdict.approval ?? approvalTerms.parse({});
  return {
    exchangeId: held.exchangeId,
    binding: keyedHash('approval', binding),
    caller,
    scopes: scopesOf(held, caller, keyedHash).filter(({ kind }) => approval.scopes.includes(kind)),
    terms: {
      approvers: approval.approvers,
      approverLists: listsOf(approval),
      quorum: approval.quorum,
      openMs: approval.open_minutes * minuteMs,
      scopes: approval.scopes,
      grantMaxMs: approval.grant_minutes * minuteMs,
      risk: approval.risk,
    },
    summary,
  };
}

function scopesOf(
  { input, verdict, session }: Held,
  caller: string,
  keyedHash: ExchangeContext['keyedHash'],
): OfferedScope[] {
  const rules = [...new Set(verdict.reasons.map(({ rule }) => rule))].sort();
  const keyOf = (kind: string, of: unknown) => keyedHash('approval-scope', JSON.stringify([caller, kind, of, rules]));
  const skills = (input.claude?.skills ?? []).map(({ type, id }) => `${type} ${id}`).sort();
  return [
    { kind: 'session', key: keyOf('session', session) },
    ...(skills.length === 0 ? [] : [{ kind: 'skill' as const, key: keyOf('skill', skills) }]),
  ];
}
