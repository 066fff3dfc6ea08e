import { digitAt, remainder, weightedSum } from './check-digits.ts';
import { contextFinder } from './context.ts';
import type { Detector } from './detector.ts';

const dniLetters = 'TRWAGMYFPDXBNJZSQVHLCKE';
const hetuMarks = '0123456789ABCDEFHJKLMNPRSTUVWXY';

/** A national id with letters: `pattern` is bounded and has no group. */
type LetteredRule = { id: string; pattern: string; words: readonly string[]; check: (value: string) => boolean };

function isDni(value: string): boolean {
  const digits = value.slice(0, -1).replace(/^[XYZ]/, (letter) => String('XYZ'.indexOf(letter)));
  return dniLetters[remainder(digits, 23)] === value.at(-1);
}

function isRut(value: string): boolean {
  const digits = value.slice(0, -1);
  let sum = 0;
  for (let i = 0; i < digits.length; i++) sum += digitAt(digits, digits.length - 1 - i) * (2 + (i % 6));
  const check = 11 - (sum % 11);
  return (check === 11 ? '0' : check === 10 ? 'K' : String(check)) === value.at(-1);
}

/** Singapore: the first letter chooses the table of check letters (ICA). */
function isNric(value: string): boolean {
  const offset = /^[TG]/.test(value) ? 4 : value.startsWith('M') ? 3 : 0;
  const rest = (weightedSum(value.slice(1, 8), [2, 7, 6, 5, 4, 3, 2]) + offset) % 11;
  const letters = /^[ST]/.test(value) ? 'JZIHGFEDCBA' : value.startsWith('M') ? 'KLJNPQRTUWX' : 'XWUTRQPNMLK';
  return letters[value.startsWith('M') ? 10 - rest : rest] === value.at(-1);
}

const oddValues = [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23];

/** Italy: each character has a value by its place (D.M. 23 December 1976). */
function isCodiceFiscale(value: string): boolean {
  let sum = 0;
  for (let i = 0; i < 15; i++) {
    const code = value.charCodeAt(i);
    const plain = code < 65 ? code - 48 : code - 65;
    sum += i % 2 === 0 ? (oddValues[plain] ?? 0) : plain;
  }
  return value.charCodeAt(15) - 65 === sum % 26;
}

function isChineseId(value: string): boolean {
  const rest = weightedSum(value, [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]) % 11;
  return '10X98765432'[rest] === value.at(-1);
}

const rules: readonly LetteredRule[] = [
  { id: 'es-dni', pattern: '(?:\\d{8}|[XYZ]-?\\d{7})-?[A-Z]', words: [], check: isDni },
  { id: 'it-codice-fiscale', pattern: '[A-Z]{6}\\d{2}[A-Z]\\d{2}[A-Z]\\d{3}[A-Z]', words: [], check: isCodiceFiscale },
  {
    id: 'fi-hetu',
    pattern: '\\d{6}[-+A]\\d{3}[0-9A-Y]',
    words: [],
    check: (value) => hetuMarks[Number(value.slice(0, 6) + value.slice(7, 10)) % 31] === value.at(-1),
  },
  { id: 'sg-nric', pattern: '[STFGM]\\d{7}[A-Z]', words: [], check: isNric },
  { id: 'cl-rut', pattern: '\\d{1,2}\\.\\d{3}\\.\\d{3}-[0-9K]', words: [], check: isRut },
  {
    id: 'cn-resident',
    pattern: '[1-9]\\d{5}(?:19|20)\\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\\d|3[01])\\d{3}[0-9X]',
    words: [],
    check: isChineseId,
  },
  {
    id: 'uk-nino',
    pattern: '[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\\d{2} ?\\d{2} ?\\d{2} ?[A-D]',
    words: ['nino', 'national insurance', 'ni number', 'insurance number', 'nin'],
    check: (value) => !/^(?:BG|GB|KN|NK|NT|TN|ZZ)/.test(value),
  },
];

const any = new RegExp(`(?:${rules.map(({ pattern }) => `(?:${pattern})`).join('|')})(?![0-9A-Za-z_])`, 'g');
const compiled = rules.map((rule) => ({
  ...rule,
  whole: new RegExp(`^(?:${rule.pattern})$`),
  context: rule.words.length === 0 ? null : contextFinder({ near: rule.words, against: [] }),
}));

/** National ids that hold letters, by their check characters; where there is none, by a word beside them. */
export const letteredIdDetector: Detector = {
  id: 'lettered-id',
  detect({ text, keyName }, out) {
    any.lastIndex = 0;
    for (let found = any.exec(text); found !== null; found = any.exec(text)) {
      const [value] = found;
      const [start, end] = [found.index, found.index + value.length];
      if (/\w/.test(text.charAt(start - 1))) continue;
      const rule = compiled.find(({ whole, check, context }) => {
        if (!whole.test(value) || !check(bare(value))) return false;
        return context === null || context(text, keyName, start, end) === 'near';
      });
      if (rule === undefined) continue;
      out.push({ type: 'NATIONAL_ID', rule: rule.id, rank: 'validated', start, end, score: 0.85 });
    }
  },
};

/** Without the marks between groups; the century mark of a Finnish id is one of its characters. */
function bare(value: string): string {
  return /^\d{6}[-+A]\d{3}.$/.test(value) ? value : value.replace(/[ .-]/g, '');
}
