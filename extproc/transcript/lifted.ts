import type { Decided } from '../exchange/record.ts';
import type { ExchangeDocument } from './document.ts';

type Verdict = ExchangeDocument['skilltape']['verdict'];
type Lifted = Pick<Verdict, 'lifted' | 'lifted_reasons' | 'lifted_grants' | 'lifted_by' | 'lifted_why'>;

/** What a verdict says of rules that did not count because of grants. */
export function liftedOf(decided: Decided | null): Lifted {
  const { grants = [], reasons = [] } = decided?.lifted ?? {};
  const [first] = grants;
  const kind = grants.some((grant) => grant.kind === 'break_glass') ? 'break_glass' : (first?.kind ?? null);
  return {
    lifted: kind,
    lifted_reasons: [...reasons],
    lifted_grants: grants.map(({ id }) => id),
    lifted_by: [...new Set(grants.flatMap(({ by }) => by))],
    lifted_why: grants.map(({ reason }) => reason),
  };
}
