import { type ApprovalTermsDocument, approvalTerms } from '../policy/approval-list.ts';

const scopeOrder = ['request', 'session', 'skill'] as const;
const riskOrder = ['low', 'medium', 'high'] as const;

/** What an approval takes that two stages want, each by its terms: the stricter of each, and the approvers of both. */
export function stricterTerms(
  one: ApprovalTermsDocument | undefined,
  other: ApprovalTermsDocument | undefined,
): ApprovalTermsDocument | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  const lists = distinct([...listsOf(one), ...listsOf(other)]);
  const scopes = scopeOrder.filter((scope) => one.scopes.includes(scope) && other.scopes.includes(scope));
  const risk = riskOrder.findLast((known) => known === one.risk || known === other.risk);
  return {
    approvers: [...new Set([...one.approvers, ...other.approvers])],
    ...(lists.length > 1 && { approver_lists: lists }),
    quorum: Math.max(one.quorum, other.quorum),
    open_minutes: Math.min(one.open_minutes, other.open_minutes),
    scopes: scopes.length === 0 ? ['request'] : scopes,
    grant_minutes: Math.min(one.grant_minutes, other.grant_minutes),
    risk: risk ?? approvalTerms.shape.risk.parse(undefined),
  };
}

/** Lists of groups; whoever approves is in one group of each. */
export function listsOf({ approvers, approver_lists: lists }: ApprovalTermsDocument): string[][] {
  return lists ?? (approvers.length === 0 ? [] : [approvers]);
}

function distinct(lists: readonly string[][]): string[][] {
  return [...new Map(lists.map((list) => [JSON.stringify(list), list])).values()];
}
