import { codeAt, isAlnum, isSpace } from './characters.ts';
import type { Detector } from './detector.ts';
import { matchEnd, sticky } from './pattern.ts';
import { isCommonWord, isPlaceholder } from './placeholder.ts';
import { charKind } from './trigger.ts';
import { urlEnd } from './url.ts';

const authorityMax = 512;
const enders = new Set(Array.from('/?#"\'<>`\\,', (char) => char.charCodeAt(0)));

/** Schemes whose whole URL is a connection string: host and database are as telling as the password. */
const database = sticky(
  '(?:jdbc:)?(?:mongodb(?:\\+srv)?|postgres(?:ql)?|mysql|mariadb|mssql|sqlserver|oracle|redis|rediss|amqps?|cassandra|neo4j|clickhouse|ldaps?)(?:\\+[a-z]{1,16})?://',
  'i',
);
const schemeMax = 32;

function schemeStart(text: string, mark: number): number {
  let start = mark;
  while (mark - start < schemeMax && (isAlnum(codeAt(text, start - 1)) || '+:-.'.includes(text[start - 1] ?? ' ')))
    start--;
  return start;
}

/** Start of the connection string whose `://` stands at `mark`, or -1 when the scheme is none of a database. */
function databaseStart(text: string, mark: number): number {
  for (let start = schemeStart(text, mark); start < mark; start++) {
    if (isAlnum(codeAt(text, start - 1)) && start > 0) continue;
    if (matchEnd(database, text, start) === mark + 3) return start;
  }
  return -1;
}

/**
 * The password of `scheme://user:password@host` (RFC 3986 user information), up to the last `@` before the path; of a
 * database's connection string all of it.
 */
export const urlPasswordDetector: Detector = {
  id: 'url-password',
  needs: charKind.at,
  detect({ text }, out) {
    for (let mark = text.indexOf('://'); mark !== -1; mark = text.indexOf('://', mark + 3)) {
      const from = mark + 3;
      let colon = -1;
      let at = -1;
      for (let i = from; i < Math.min(text.length, from + authorityMax); i++) {
        const code = codeAt(text, i);
        if (isSpace(code) || enders.has(code)) break;
        if (code === 58 && colon === -1 && at === -1) colon = i;
        if (code === 64) at = i;
      }
      if (colon === -1 || at < colon + 2) continue;
      const password = text.slice(colon + 1, at);
      if (isPlaceholder(password) || isCommonWord(password) || password === text.slice(from, colon)) continue;
      const whole = databaseStart(text, mark);
      const place = whole === -1 ? { start: colon + 1, end: at } : { start: whole, end: urlEnd(text, at) };
      out.push({
        type: 'SECRET',
        rule: whole === -1 ? 'url-password' : 'connection-string',
        rank: 'secret',
        score: 0.9,
        ...place,
      });
    }
  },
};
