import type { Observed } from './ports.ts';

/** What is observed at both stages of an exchange together: the record of its last verdict has all of it. */
export function observedTogether(access: Observed | undefined, request: Observed | undefined): Observed | undefined {
  if (access === undefined || request === undefined) return access ?? request;
  const denies = access.verdict === 'deny' || request.verdict === 'deny';
  return { verdict: denies ? 'deny' : 'hold', reasons: [...access.reasons, ...request.reasons] };
}
