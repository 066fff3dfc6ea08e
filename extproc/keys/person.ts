/** Whose key a pair is, and the name under which it is kept: a keyed hash, so that no file says who called. */
import { createHmac } from 'node:crypto';
import { invalid } from './key-file.ts';

/** Exchanges without identity have a pair of their own: `nobody`. */
export type Person = { issuer: string; subject: string } | 'nobody';

/** Retention classes name files; the alphabet is that of policy `record`. */
export const classPattern = /^[a-z][a-z0-9_-]{0,31}$/;
export const personNameBytes = 16;

/** 32 hex digits. Whoever has `nameKey` can test a guess and nothing else. */
export function personName(nameKey: Uint8Array, person: Person): string {
  const content = person === 'nobody' ? 'nobody' : JSON.stringify([person.issuer, person.subject]);
  return createHmac('sha256', nameKey)
    .update('skilltape person\0')
    .update(content)
    .digest('hex')
    .slice(0, 2 * personNameBytes);
}

/** @throws SkilltapeError `key_invalid` */
export function checkedClass(retentionClass: string): string {
  if (classPattern.test(retentionClass)) return retentionClass;
  throw invalid(
    `${JSON.stringify(retentionClass)} cannot be a retention class`,
    'A class is 1 to 32 characters: a letter, then letters, digits, _ and -, all in lower case.',
  );
}

/** Relative to the folder of persons. Spread over 256 folders: a folder with a file for everybody is slow to list. */
export function pairFileName(name: string, retentionClass: string, olderKeyId?: string): string {
  const older = olderKeyId === undefined ? '' : `.${olderKeyId}`;
  return `${name.slice(0, 2)}/${name}.${retentionClass}${older}.json`;
}
