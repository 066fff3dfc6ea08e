/** How policy has a document shown whose exchange it cannot judge again, since what it judged is gone. */
import type { FindingType } from '../masking/finding.ts';
import { type MaskedField, type MaskingDecision, usualMasking } from '../policy/masking-decision.ts';
import { type PrivacyDecision, usualPrivacy } from '../policy/privacy-decision.ts';
import type { ExchangeDocument } from './document.ts';
import { isPseudonym } from './shown-person.ts';

export type PolicyInForce = {
  readonly revision: string;
  /** What is shown of who called where no rule could judge; absent: everything. */
  readonly unjudgedPrivacy?: PrivacyDecision | undefined;
};

/** What the policies in force decided stands; of what others did, nothing is taken over that left something readable. */
export function storedDecision(
  { user, skilltape }: ExchangeDocument,
  { revision, unjudgedPrivacy: privacy = usualPrivacy }: PolicyInForce,
): { masking: MaskingDecision; privacy: PrivacyDecision } {
  const { readable, whole, dropped } = skilltape.masking;
  const masking = { ...usualMasking, whole: whole as MaskedField[], drop: dropped as MaskedField[] };
  if (skilltape.verdict.record_policy_revision === revision)
    return { masking: { ...masking, off: readable as FindingType[] }, privacy: usualPrivacy };
  return { masking, privacy: isPseudonymous(user) ? { ...privacy, person: 'named' } : privacy };
}

/** The pseudonym of a pseudonym would be another person's. */
function isPseudonymous(user: ExchangeDocument['user']): boolean {
  return user !== null && user.name === '' && user.email === '' && isPseudonym(user.id);
}
