import { codeAt, isHex } from './characters.ts';
import type { Detector } from './detector.ts';
import { matchEnd, sticky } from './pattern.ts';
import { charKind } from './trigger.ts';

const pair = '[0-9A-Fa-f]{2}';
const quad = '[0-9A-Fa-f]{4}';
/** IEEE 802 in its three spellings: `00:1b:44:11:3a:b7`, `00-1B-44-11-3A-B7` and `001b.4411.3ab7`. */
const spellings = [
  { mark: ':', kind: charKind.colon, partLength: 2, address: sticky(Array(6).fill(pair).join(':')) },
  { mark: '-', kind: charKind.hyphen, partLength: 2, address: sticky(Array(6).fill(pair).join('-')) },
  { mark: '.', kind: charKind.dot, partLength: 4, address: sticky(Array(3).fill(quad).join('\\.')) },
] as const;
/** Broadcast and unset: they name no device. */
const namesNone = /^(?:f{12}|0{12})$/i;
/** Whether a row of pairs goes on at `at`, in the direction of `step`. */
function continues(text: string, at: number, mark: string, step: 1 | -1): boolean {
  const char = text.charAt(at);
  return /[0-9A-Za-z]/.test(char) || (char === mark && /[0-9A-Fa-f]/.test(text.charAt(at + step)));
}

/** Hardware addresses. A longer row of such pairs is a fingerprint of a key and stays. */
export const macDetector: Detector = {
  id: 'mac',
  needs: charKind.colon | charKind.hyphen | charKind.dot,
  detect({ text, triggers }, out) {
    for (const { mark, kind, partLength, address } of spellings) {
      if ((triggers.kinds & kind) === 0) continue;
      for (let at = text.indexOf(mark, partLength); at !== -1; at = text.indexOf(mark, at + 1)) {
        if (text[at + partLength + 1] !== mark || !isHex(codeAt(text, at - 1))) continue;
        const start = at - partLength;
        const end = matchEnd(address, text, start);
        if (end === -1 || continues(text, start - 1, mark, -1) || continues(text, end, mark, 1)) continue;
        if (namesNone.test(text.slice(start, end).replace(/[:.-]/g, ''))) continue;
        out.push({ type: 'MAC', rule: 'mac', rank: 'validated', start, end, score: 0.9 });
        at = end;
      }
    }
  },
};
