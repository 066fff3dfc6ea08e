/** What a document in the index shows of who called: the `privacy` of a `record` decision. */
import { z } from 'zod';

export const privacyDecision = z.strictObject({
  /** `pseudonym`: one for each person, in place of name, mail address and subject. */
  person: z.enum(['named', 'pseudonym']),
  /** The address that the request came from. */
  address: z.enum(['kept', 'dropped']),
  groups: z.enum(['kept', 'dropped']),
});

export type PrivacyDecision = z.infer<typeof privacyDecision>;

export const usualPrivacy: PrivacyDecision = { person: 'named', address: 'kept', groups: 'kept' };

/**
 * What is shown of an exchange that no rule could judge: as little as any entry of the list asks for, whoever it is for.
 * `data` is what the policy was compiled with.
 */
export function unjudgedPrivacy(data: object): PrivacyDecision {
  const lists = (data as { lists?: { privacy?: { rules?: unknown } } }).lists;
  const rules: unknown[] = Array.isArray(lists?.privacy?.rules) ? lists.privacy.rules : [];
  const asks = (name: keyof PrivacyDecision, value: string) =>
    rules.some((rule) => (rule as Partial<PrivacyDecision> | null)?.[name] === value);
  if (!rules.some((rule) => typeof rule === 'object' && rule !== null)) return usualPrivacy;
  return {
    person: asks('person', 'pseudonym') ? 'pseudonym' : 'named',
    address: asks('address', 'dropped') ? 'dropped' : 'kept',
    groups: asks('groups', 'dropped') ? 'dropped' : 'kept',
  };
}
