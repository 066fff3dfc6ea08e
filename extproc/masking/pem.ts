import { codeAt, isBase64, isSpace } from './characters.ts';
import type { Detector } from './detector.ts';
import { matchEnd, sticky } from './pattern.ts';

const bodyMax = 16_384;
const header = sticky('-----BEGIN [A-Z0-9 ]{0,32}PRIVATE KEY(?: BLOCK)?-----');
const footer = sticky('-----END [A-Z0-9 ]{3,48}-{1,5}');
/** The least base64 in one piece that makes a block a key and not a string that speaks of keys. */
const pieceMin = 16;

/** Longest base64 piece in `[from, to)`. */
function longestPiece(text: string, from: number, to: number): number {
  let longest = 0;
  for (let at = from, pieceStart = from; at <= to; at++) {
    if (at < to && isBase64(codeAt(text, at)) && text[at] !== '-') continue;
    longest = Math.max(longest, at - pieceStart);
    pieceStart = at + 1;
  }
  return longest;
}

/** End of a key whose footer is missing: as far as pieces of base64 go on, with white space, escapes and quotes between. */
function truncatedEnd(text: string, from: number): number {
  let end = from;
  let at = from;
  while (at < text.length) {
    const pieceStart = at;
    while (isBase64(codeAt(text, at)) && text[at] !== '-') at++;
    if (at > pieceStart && at - pieceStart < pieceMin) {
      // a short last line belongs to the key; prose would go on after one space
      return end === from || text[at] === ' ' ? end : at;
    }
    if (at - pieceStart >= pieceMin) end = at;
    const gapStart = at;
    while (isSpace(codeAt(text, at)) || (at < text.length && '\\"\'=+,>'.includes(text.charAt(at)))) at++;
    if (at === gapStart && at === pieceStart) break;
  }
  return end;
}

/** Private keys in PEM and OpenPGP armour, complete or cut off. */
export const pemDetector: Detector = {
  id: 'pem',
  literals: { strings: ['-----BEGIN '], ignoreCase: false },
  detect({ text }, out, places) {
    for (const [index, { at }] of places.entries()) {
      const next = places[index + 1]?.at ?? text.length;
      const bodyStart = matchEnd(header, text, at);
      if (bodyStart !== -1) {
        const limit = Math.min(next, bodyStart + bodyMax);
        const footerStart = text.slice(bodyStart, limit).indexOf('-----END ');
        const bodyEnd = footerStart === -1 ? -1 : bodyStart + footerStart;
        let end = bodyEnd === -1 ? truncatedEnd(text, bodyStart) : Math.max(matchEnd(footer, text, bodyEnd), bodyEnd);
        if (bodyEnd !== -1 && longestPiece(text, bodyStart, bodyEnd) < pieceMin) end = bodyStart;
        if (end > bodyStart)
          out.push({ type: 'PEM', rule: 'private-key', rank: 'secret', start: at, end, score: 0.99 });
      }
    }
  },
};
