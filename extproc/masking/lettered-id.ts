import { codeAt, isDigit, isLetter, isUpper, isWordChar } from './characters.ts';
import { digitAt, remainder, weightedSum } from './check-digits.ts';
import { contextFinder } from './context.ts';
import type { Detector, ScanInput } from './detector.ts';
import type { Candidate } from './finding.ts';
import { matchEnd, sticky } from './pattern.ts';
import { charKind } from './trigger.ts';

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
  { id: 'es-dni', pattern: '(?:\\d{8}|[XYZ]-?\\d{7})-?[A-Z]|\\d{2}\\.\\d{3}\\.\\d{3}-[A-Z]', words: [], check: isDni },
  {
    id: 'es-dni',
    pattern: '(?:\\d{8}|[xyz]-?\\d{7})-?[a-z]',
    words: ['dni', 'nif', 'nie', 'documento nacional'],
    check: (value) => isDni(value.toUpperCase()),
  },
  {
    id: 'it-codice-fiscale',
    pattern: '[a-z]{6}\\d{2}[a-z]\\d{2}[a-z]\\d{3}[a-z]',
    words: ['codice fiscale', 'cod fiscale', 'cf', 'c.f', 'fiscale'],
    check: (value) => isCodiceFiscale(value.toUpperCase()),
  },
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
    id: 'cl-rut',
    pattern: '\\d{7,8}-[0-9Kk]',
    words: ['rut', 'rol único', 'rol unico', 'run'],
    check: (value) => isRut(value.toUpperCase()),
  },
  {
    id: 'cn-resident',
    pattern: '[1-9]\\d{5}(?:19|20)\\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\\d|3[01])\\d{3}[0-9X]',
    words: [],
    check: isChineseId,
  },
  {
    id: 'uk-nino',
    pattern: '[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\\d{2} ?\\d{2} ?\\d{2} ?[A-D]',
    words: ['nino', 'national insurance', 'ni number', 'ni no', 'insurance number', 'nin'],
    check: (value) => !/^(?:BG|GB|KN|NK|NT|TN|ZZ)/.test(value),
  },
];

const any = sticky(`(?:${rules.map(({ pattern }) => `(?:${pattern})`).join('|')})(?![0-9A-Za-z_])`);
const compiled = rules.map((rule) => ({
  ...rule,
  whole: new RegExp(`^(?:${rule.pattern})$`),
  context: rule.words.length === 0 ? null : contextFinder({ near: rule.words, against: [] }),
}));

/** How far before its first digit an id with letters begins, by how many digits stand in a row. */
const lettersBefore: readonly (readonly number[])[] = [[], [], [6, 3, 2], [], [3, 2], [], [3, 2], [2, 1]];
/** How far before the end of its first digits an id begins that has its letters behind them. */
const beforeLetter = [18, 17, 8, 7, 6];
const beforePoint = [2, 1];
const nowhere: readonly number[] = [];

/** Whether what stands before a run of `length` digits can be the letters of an id. */
function followsLetters(text: string, start: number, length: number): boolean {
  const mark = codeAt(text, start - 1);
  const isDirect = isUpper(mark);
  if (length === 7)
    return isDirect || (mark >= lowerX && mark <= lowerX + 2) || (mark === 45 && isLetter(codeAt(text, start - 2)));
  if (!isDirect && mark !== 32) return length === 2 && isLetter(mark) && isLetter(codeAt(text, start - 6));
  return isUpper(codeAt(text, start - 2)) && (isDirect || isUpper(codeAt(text, start - 3)));
}

const lowerX = 120;
const dniDigits = 8;

/** How far before the end of the run `[start, end)` an id may begin that begins with it. */
function digitsBefore(text: string, start: number, end: number): readonly number[] {
  const after = codeAt(text, end);
  if (after === 46 && text[end + 4] === '.') return beforePoint;
  if (end - start < 6) return nowhere;
  if (isLetter(after) && !isUpper(after)) return end - start === dniDigits ? beforeLetter : nowhere;
  return isUpper(after) || after === 43 || after === 45 || end - start >= 18 ? beforeLetter : nowhere;
}

/** End of what has the form of an id at `start`, or -1. A finding is made of it when its check passes. */
function takeAt({ text, keyName }: ScanInput, start: number, out: Candidate[]): number {
  const end = matchEnd(any, text, start);
  if (end === -1 || isWordChar(codeAt(text, start - 1))) return end;
  const value = text.slice(start, end);
  const rule = compiled.find(({ whole, check, context }) => {
    if (!whole.test(value) || !check(bare(value))) return false;
    return context === null || context(text, keyName, start, end) === 'near';
  });
  if (rule !== undefined) out.push({ type: 'NATIONAL_ID', rule: rule.id, rank: 'validated', start, end, score: 0.85 });
  return end;
}

/** National ids that hold letters, by their check characters; where there is none, by a word beside them. */
export const letteredIdDetector: Detector = {
  id: 'lettered-id',
  needs: charKind.digit,
  detect(input, out) {
    const { text, triggers } = input;
    let next = 0;
    for (const start of triggers.digitRuns) {
      let end = start + 1;
      while (isDigit(codeAt(text, end))) end++;
      const letters = lettersBefore[end - start] ?? nowhere;
      if (letters.length > 0 && followsLetters(text, start, end - start)) {
        for (const count of letters)
          if (start - count >= next) next = Math.max(next, takeAt(input, start - count, out));
      }
      for (const count of digitsBefore(text, start, end)) {
        if (end - count >= Math.max(start, next)) next = Math.max(next, takeAt(input, end - count, out));
      }
    }
  },
};

/** Without the marks between groups; the century mark of a Finnish id is one of its characters. */
function bare(value: string): string {
  return /^\d{6}[-+A]\d{3}.$/.test(value) ? value : value.replace(/[ .-]/g, '');
}
