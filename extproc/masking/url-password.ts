import { isSpace } from './characters.ts';
import type { Detector } from './detector.ts';
import { isPlaceholder } from './placeholder.ts';

const authorityMax = 512;
const enders = new Set(Array.from('/?#"\'<>`\\,', (char) => char.charCodeAt(0)));

/** The password of `scheme://user:password@host` (RFC 3986 user information), up to the last `@` before the path. */
export const urlPasswordDetector: Detector = {
  id: 'url-password',
  detect({ text }, out) {
    for (let mark = text.indexOf('://'); mark !== -1; mark = text.indexOf('://', mark + 3)) {
      const from = mark + 3;
      let colon = -1;
      let at = -1;
      for (let i = from; i < Math.min(text.length, from + authorityMax); i++) {
        const code = text.charCodeAt(i);
        if (isSpace(code) || enders.has(code)) break;
        if (code === 58 && colon === -1 && at === -1) colon = i;
        if (code === 64) at = i;
      }
      if (colon === -1 || at < colon + 2) continue;
      const start = colon + 1;
      if (isPlaceholder(text.slice(start, at))) continue;
      out.push({ type: 'SECRET', rule: 'url-password', rank: 'secret', start, end: at, score: 0.9 });
    }
  },
};
