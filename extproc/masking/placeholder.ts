import { anyLiteral, matchEnd, sticky } from './pattern.ts';
import { isToken } from './token.ts';

/** Signs of a value that is put in later: templates, environment look-ups, format strings. */
const templateMark = anyLiteral(
  ['${', '{{', '}}', '$(', '#{', '%(', '<%', '{%', 'process.env', 'os.environ', 'getenv', 'secrets.', 'vault:', '...'],
  { ignoreCase: true },
);
const standIn = sticky(
  '(?:<[^<>]{1,60}>|\\[[^\\[\\]]{1,60}\\]|\\{[^{}]{1,60}\\}|%[a-z]|\\$[A-Za-z_]\\w{0,60}|\\*{3,64}|[xX]{3,64}|\\.{3,8})$',
);
const standInWord = sticky(
  '(?:your|my|some|the|an?|change|replace|insert|example|sample|placeholder|dummy|fake|redacted|masked|hidden|todo|none|null|undefined|true|false|test|string|xxx)(?![a-z])|(?:changeme|yourpass|yourtoken|yoursecret|yourapi)',
  'i',
);

/** Whether the value only marks the place of a secret; a token of ours does as well. */
export function isPlaceholder(value: string): boolean {
  return isToken(value) || value.search(templateMark) !== -1 || matchEnd(standIn, value, 0) !== -1;
}

/** Whether the value is a word that documentation writes instead of a secret. For rules that are not sure by themselves. */
export function isStandInWord(value: string): boolean {
  return matchEnd(standInWord, value, 0) !== -1;
}
