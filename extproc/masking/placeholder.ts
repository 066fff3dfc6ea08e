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

const ascending = 'abcdefghijklmnopqrstuvwxyz';
const invented = anyLiteral(
  ['dummy', 'notareal', 'notreal', 'example', 'fakefake', 'placeholder', 'yourkey', 'replaceme', 'redacted'],
  { ignoreCase: true },
);
const repeated = /(.)\1{7}/;
const standInRow = /[xX*]{8}|0{12}/;

/** Whether a value in the form of a vendor's key says itself that it is none. */
export function isDocumentedKey(value: string): boolean {
  const head = value.slice(0, 256);
  return head.search(invented) !== -1 || standInRow.test(head);
}

/** Whether a value was made by hand for a manual or a test: words, digits in order, the alphabet, one character in a row. */
export function looksInvented(value: string): boolean {
  const head = value.slice(0, 256);
  if (isDocumentedKey(head) || head.includes('1234567890') || repeated.test(head)) return true;
  const lower = head.toLowerCase();
  for (let at = lower.indexOf('abcdef'); at !== -1; at = lower.indexOf('abcdef', at + 1)) {
    if (ascending.startsWith(lower.slice(at, at + 8)) && lower.length - at >= 8) return true;
  }
  return false;
}

const commonPasswords = new Set(
  (
    'password passwd pass pwd secret mypassword your_password yourpassword username user admin abc abc123 1111 1234 ' +
    'replace_with_password xxx db_password dbpassword some_password test token yyy api_key apikey api-token changeme credentials'
  ).split(' '),
);

/** Whether the password of a URL is the word for one, as in manuals. */
export function isCommonWord(value: string): boolean {
  return commonPasswords.has(value.toLowerCase());
}
