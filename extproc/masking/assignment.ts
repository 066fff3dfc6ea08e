import { entropyBits, isAlnum, isSpace, isWord } from './characters.ts';
import type { Detector } from './detector.ts';
import { fitsWhole, matchEnd, sticky } from './pattern.ts';
import { isPlaceholder, isStandInWord } from './placeholder.ts';
import { isSensitiveKey } from './sensitive-key.ts';
import { tokenEnd } from './token.ts';

const nameMax = 48;
const valueMax = 256;
const gapMax = 4;
const operatorMarks = new Set(Array.from('=!<>:', (char) => char.charCodeAt(0)));
const quotes = new Set(Array.from('"\'`', (char) => char.charCodeAt(0)));
const bareEnders = new Set(Array.from('"\'`,;&)<>[]}|\\', (char) => char.charCodeAt(0)));
/** Names and calls of programs: `user.token2`, `getToken(`, `config["x"]`, paths and addresses. */
const codeShape = sticky(
  '(?:[A-Za-z_$][\\w$]{0,80}(?:[.([:]|->|::)|\\.{0,2}/|https?:|[A-Za-z]{1,40}\\d{0,2}$|[a-z]{1,30}(?:[_-][a-z]{1,30})?\\d{0,2}$)',
);
const passwordName = sticky('.{0,44}?(?:pass(?:word|wd|phrase|code)?s?|pwd|kennwort|passwort)$', 'i');

type Value = { start: number; end: number; quoted: boolean };

/** The identifier before the operator at `at`, with closing quotes, escapes and brackets between them skipped. */
function nameBefore(text: string, at: number, floor: number): { name: string; nameStart: number } {
  let end = at;
  for (let skipped = 0; skipped < 8 && end > floor; skipped++) {
    const code = text.charCodeAt(end - 1);
    if (!isSpace(code) && !quotes.has(code) && code !== 92 && code !== 93 && code !== 58 && code !== 63) break;
    end--;
  }
  let start = end;
  while (start > floor && end - start < nameMax && isWordOrDot(text.charCodeAt(start - 1))) start--;
  return { name: text.slice(start, end), nameStart: start };
}

const isWordOrDot = (code: number): boolean => isWord(code) || code === 46;

/** The value after the operator at `at`: a quoted string on one line, or a bare word. */
function valueAfter(text: string, at: number): Value | undefined {
  let start = at + 1;
  if (text[start] === '=' || text[start] === '>') start++;
  for (let gap = 0; gap < gapMax && (text[start] === ' ' || text[start] === '\t'); gap++) start++;
  const slashes = start;
  while (text[start] === '\\' && start - slashes < 8) start++;
  const quote = text.charCodeAt(start);
  if (!quotes.has(quote)) return start > slashes ? undefined : bareValue(text, start);
  start++;
  const limit = Math.min(text.length, start + valueMax);
  let end = start;
  while (end < limit && text.charCodeAt(end) !== quote && text[end] !== '\n' && text[end] !== '\\') end++;
  return { start, end, quoted: true };
}

function bareValue(text: string, start: number): Value {
  const limit = Math.min(text.length, start + valueMax);
  let end = start;
  while (end < limit && !isSpace(text.charCodeAt(end)) && !bareEnders.has(text.charCodeAt(end))) end++;
  return { start, end, quoted: false };
}

const hasBoth = (value: string): boolean => /\d/.test(value) && /[A-Za-z]/.test(value);

/** Whether a value under a telling name is made up rather than read, named or left open. Errs on the side of clean source. */
export function isAssignedSecret(name: string, value: string, quoted: boolean): boolean {
  if (isPlaceholder(value) || isStandInWord(value) || /\s/.test(value)) return false;
  const password = fitsWhole(passwordName, name);
  if (value.length < (password ? (quoted ? 6 : 8) : 16) || !hasBoth(value)) return false;
  if (quoted && password) return entropyBits(value) >= 2.2;
  if (matchEnd(codeShape, value, 0) !== -1) return false;
  // an identifier may hold one number, as in `readPassword2From`
  if (!quoted && !password && (value.match(/\d{1,256}/g)?.length ?? 0) < 2) return false;
  return entropyBits(value) >= (password ? 2.7 : 3.3);
}

/** `password=...`, `"api_key": "..."`, `TOKEN=...`: a telling name, one operator, and a value that looks made up. */
export const assignmentDetector: Detector = {
  id: 'assignment',
  detect({ text }, out) {
    const operator = /[=:]/g;
    let floor = 0;
    for (let found = operator.exec(text); found !== null; found = operator.exec(text)) {
      const at = found.index;
      const next = text.charCodeAt(at + 1);
      const before = text.charCodeAt(at - 1);
      if (operatorMarks.has(before) && before !== 58) continue;
      if (next === 61 && text[at] === '=') continue;
      const { name, nameStart } = nameBefore(text, at, floor);
      if (name.length < 3 || !isAlnum(name.charCodeAt(name.length - 1)) || !isSensitiveKey(name)) continue;
      // `[SECRET:...]` of ours is no assignment
      if (text[nameStart - 1] === '[' && tokenEnd(text, nameStart - 1) !== -1) continue;
      const value = valueAfter(text, at);
      if (value === undefined || value.end === value.start) continue;
      if (!isAssignedSecret(name, text.slice(value.start, value.end), value.quoted)) continue;
      // what is longer than we judge is masked to its end
      let end = value.end;
      if (end - value.start === valueMax) while (isWord(text.charCodeAt(end))) end++;
      out.push({
        type: 'SECRET',
        rule: 'assignment',
        rank: 'assignment',
        start: value.start,
        end,
        score: 0.8,
      });
      floor = end;
      operator.lastIndex = end;
    }
  },
};
