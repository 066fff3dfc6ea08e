import { stricterTerms } from './approval-terms.ts';
import type { Verdict } from './ports.ts';

/** Deny before hold before allow, as within one stage; `access` is null when it allowed. */
export function bothOf(access: Verdict | null, request: Verdict): Verdict {
  if (access === null || request.verdict === 'deny') return request;
  const approval = stricterTerms(access.approval, request.approval);
  const reasons = [...access.reasons, ...request.reasons];
  return { ...request, ...access, reasons, ...(approval && { approval }) };
}

/** The names of the rules that fired, with spaces between. */
export function rulesOf({ reasons }: Verdict): string {
  return reasons.map(({ rule }) => rule).join(' ');
}
