import { type Finding, ownPrefix } from './finding.ts';
import { givenSecretRules } from './given-secret-rules.ts';
import { hashSecretRules } from './secret-rules-hash.ts';

/** What makes a value count, by the rule that found it. */
const reasons: Readonly<Record<string, string>> = {
  email: 'an address with a domain',
  card: 'digits of an issuer, of its length, with the Luhn check digit',
  iban: 'the length of its country and check digits (mod 97)',
  phone: 'a number of a numbering plan, by its form or the words beside it',
  ssn: 'digits of a valid area and group, by their form or the words beside them',
  ipv4: 'four numbers of an address, no version',
  ipv6: 'groups of an address',
  mac: 'six pairs of one separator',
  url: 'a scheme and a host',
  wallet: 'an address by its prefix, length and check sum',
  'birth-date': 'a date beside a word such as "born"',
  jwt: 'a header that decodes to JSON',
  'private-key': 'the lines around a key',
  'url-password': 'a password before the host of a URL',
  assignment: 'a telling name, an operator and a value that looks made up',
  'sensitive-key': 'the key it stands under',
  option: 'the argument of an option whose name tells',
  'secret-column': 'the name of the column it stands in',
  ...Object.fromEntries(hashSecretRules.map(({ id }) => [id, 'the form in which passwords are stored'])),
  ...Object.fromEntries(givenSecretRules.map(({ id }) => [id, 'a command, a setting or a sentence that gives it'])),
};
const byType: Readonly<Record<string, string>> = {
  NATIONAL_ID: 'a form with its check digits, or the name of the id beside it',
  SECRET: "a vendor's prefix and form, or the vendor's name beside it",
};

/** In words, for whoever asks why something is masked. */
export function whyFound({ rule, type, why }: Finding): string {
  if (rule.startsWith('base64/'))
    return `in base64: ${whyFound({ rule: rule.slice(7), type, start: 0, end: 0, score: 0, ...(why === undefined ? {} : { why }) })}`;
  if (why !== undefined) return rule.startsWith(ownPrefix) ? `your own: ${why}` : why;
  return reasons[rule] ?? byType[type] ?? 'its form';
}
