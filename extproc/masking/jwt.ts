import { codeAt, isWord } from './characters.ts';
import type { Detector } from './detector.ts';

const headerMax = 1024;

function wordEnd(text: string, from: number): number {
  let end = from;
  while (isWord(codeAt(text, end))) end++;
  return end;
}

/** JSON Web Tokens, signed (RFC 7515), unsigned and encrypted (RFC 7516): a header that names an algorithm, then two to four parts. */
export const jwtDetector: Detector = {
  id: 'jwt',
  literals: { strings: ['eyJ'], ignoreCase: false },
  detect({ text }, out, places) {
    let next = 0;
    for (const { at } of places) {
      if (at < next) continue;
      let end = wordEnd(text, at);
      const headerEnd = end;
      for (let parts = 1; parts < 5 && text[end] === '.'; parts++) end = wordEnd(text, end + 1);
      while (text[end - 1] === '.' && end - 1 > headerEnd) end--;
      const header = Buffer.from(text.slice(at, Math.min(headerEnd, at + headerMax)), 'base64url').toString('latin1');
      next = headerEnd;
      if (end - headerEnd > 8 && (header.includes('"alg"') || header.includes('"typ"') || header.includes('"enc"'))) {
        out.push({ type: 'SECRET', rule: 'jwt', rank: 'secret', start: at, end, score: 0.99 });
        next = end;
      }
    }
  },
};
