import { assignedName, isPasswordWord, quotes } from './assigned-name.ts';
import { codeAt, entropyBits, isAlnum, isSpace, isWord } from './characters.ts';
import type { Detector } from './detector.ts';
import { fitsWhole, matchEnd, sticky } from './pattern.ts';
import { isPlaceholder, isStandInWord, looksInvented } from './placeholder.ts';
import { tokenEnd } from './token.ts';
import { charKind } from './trigger.ts';

const valueMax = 256;
/** Of values that lie within each other so many are judged; nobody writes more, and then it is rather masked than slow. */
const overlapsMax = 16;
const gapMax = 4;
const elementGapMax = 16;
const operatorMarks = new Set(Array.from('=!<>:', (char) => char.charCodeAt(0)));
const bareEnders = new Set(Array.from('"\'`,;)<>[]}|\\', (char) => char.charCodeAt(0)));
/** Names and calls of programs: `user.token2`, `getToken(`, `config["x"]`, paths and addresses. */
const codeShape = sticky(
  '(?:[A-Za-z_$][\\w$]{0,80}(?:[.([:]|->|::)|\\.{0,2}/|https?:|[A-Za-z]{1,40}\\d{0,2}$|[a-z]{1,30}(?:[_-][a-z]{1,30})?\\d{0,2}$)',
);
const passwordName = sticky('.{0,44}?(?:pass(?:word|wd|phrase|code)?s?|pwd|psk|kennwort|passwort)$', 'i');

type Value = { start: number; end: number; quoted: boolean };

/** The value after the operator at `at`: a quoted string on one line, or a bare word. */
function valueAfter(text: string, at: number): Value | undefined {
  let start = at + 1;
  if (text[start] === '=' || text[start] === '>') start++;
  // the text of an element may stand on a line of its own
  const isGap = text[at] === '>' ? (code: number) => isSpace(code) : (code: number) => code === 32 || code === 9;
  for (let gap = 0; gap < (text[at] === '>' ? elementGapMax : gapMax) && isGap(codeAt(text, start)); gap++) start++;
  const slashes = start;
  while (text[start] === '\\' && start - slashes < 8) start++;
  const quote = codeAt(text, start);
  if (!quotes.has(quote)) return start > slashes ? undefined : bareValue(text, start);
  start++;
  const limit = Math.min(text.length, start + valueMax);
  let end = start;
  while (end < limit && codeAt(text, end) !== quote && text[end] !== '\n' && text[end] !== '\\') end++;
  return { start, end, quoted: true };
}

/** In a query `&` begins the next parameter; anywhere else it may stand in a password. */
const nextParameter = sticky('&(?:amp;)?(?:[\\w.%~\\[\\]-]{1,64}=|[\\s"\'#<]|$)');

function bareValue(text: string, start: number): Value {
  const limit = Math.min(text.length, start + valueMax);
  let end = start;
  for (; end < limit; end++) {
    const code = codeAt(text, end);
    if (code === 38 ? matchEnd(nextParameter, text, end) !== -1 : isSpace(code) || bareEnders.has(code)) break;
  }
  return { start, end, quoted: false };
}

const hasBoth = (value: string): boolean => /\d/.test(value) && /[A-Za-z]/.test(value);
const longDigits = sticky('\\d{16,64}$');
const uuid = sticky(`[0-9a-fA-F]{8}${'-[0-9a-fA-F]{4}'.repeat(3)}-[0-9a-fA-F]{12}$`);
const paddedBase64 = sticky('[A-Za-z+/]{6,250}={1,2}$');
const randomRun = /[A-Za-z0-9]{20,256}/g;

/** A run that nobody writes by hand: names and calls in source have none. */
function holdsRandomRun(value: string): boolean {
  for (const [run] of value.matchAll(randomRun)) {
    if ((run.match(/\d/g)?.length ?? 0) >= 3 && /[A-Za-z]/.test(run) && entropyBits(run) >= 3.3) return true;
  }
  return false;
}

/** As the values of a Kubernetes secret are: base64 with its padding, of text. */
function isEncodedText(value: string): boolean {
  return value.length % 4 === 0 && fitsWhole(paddedBase64, value) && !/[^\x20-\x7e\n]/.test(atob(value));
}

/** Whether a value under a telling name is made up rather than read, named or left open. Errs on the side of clean source. */
export function isAssignedSecret(name: string, value: string, quoted: boolean): boolean {
  // cheapest first: without a digit none of the rules below takes a value
  if (!/\d/.test(value)) return isEncodedText(value);
  if (isPlaceholder(value) || /\s/.test(value)) return false;
  if (holdsRandomRun(value) || fitsWhole(uuid, value)) return !looksInvented(value);
  if (isStandInWord(value) || looksInvented(value)) return false;
  const password = fitsWhole(passwordName, name) || isPasswordWord(name);
  if (quoted && matchEnd(longDigits, value, 0) !== -1) return entropyBits(value) >= 2.5;
  if (value.length < (password ? (quoted ? 6 : 8) : quoted ? 14 : 16) || !hasBoth(value)) return false;
  if (quoted && password) return entropyBits(value) >= 2.2;
  if (matchEnd(codeShape, value, 0) !== -1) return false;
  // an identifier may hold one number, as in `readPassword2From`
  if (!quoted && !password && (value.match(/\d{1,256}/g)?.length ?? 0) < 2) return false;
  return entropyBits(value) >= (password ? 2.7 : 3.3);
}

/** Whether a quoted string names what follows it. */
function isKey(text: string, { end, quoted }: Value): boolean {
  return quoted && text[end + 1] === ':';
}

/** Whether an element ends behind its text: `</` after white space. */
function closesElement(text: string, end: number): boolean {
  let at = end;
  for (let gap = 0; gap < elementGapMax && isSpace(codeAt(text, at)); gap++) at++;
  return text.startsWith('</', at);
}

/** `,` in `set("TOKEN", "...")`, `>` in `<token>...</token>` and in `<string name="token">...</string>` assign as well. */
function mayAssign(text: string, at: number): boolean {
  const operator = codeAt(text, at);
  const before = codeAt(text, at - 1);
  const isQuoted = before === 34 || before === 39;
  if (operator === 44) return isQuoted;
  return operator !== 62 || isAlnum(before) || before === 95 || isQuoted;
}

/** Of the attributes of an element it is the name that says what is in it. */
const nameAttribute = /\b(?:name|key|id)=["']$/i;

function isAttribute(text: string, at: number, nameStart: number): boolean {
  return (
    text[at] === '>' &&
    !isAlnum(codeAt(text, at - 1)) &&
    !nameAttribute.test(text.slice(Math.max(0, nameStart - 6), nameStart))
  );
}

/** `password=...`, `"api_key": "..."`, `TOKEN=...`: a telling name, one operator, and a value that looks made up. */
export const assignmentDetector: Detector = {
  id: 'assignment',
  needs: charKind.operator,
  detect({ text, triggers }, out) {
    let floor = 0;
    let [reached, overlaps] = [0, 0];
    for (const at of triggers.operators) {
      if (at < floor || !mayAssign(text, at)) continue;
      const next = codeAt(text, at + 1);
      const before = codeAt(text, at - 1);
      if (operatorMarks.has(before) && before !== 58) continue;
      if (next === 61 && text[at] === '=') continue;
      const named = assignedName(text, at, floor);
      if (named === undefined) continue;
      const { name, start: nameStart } = named;
      // `[SECRET:...]` of ours is no assignment
      if (text[nameStart - 1] === '[' && tokenEnd(text, nameStart - 1) !== -1) continue;
      // of a list of strings only a whole one names the next
      if (text[at] === ',' && !quotes.has(codeAt(text, nameStart - 1))) continue;
      if (isAttribute(text, at, nameStart)) continue;
      const value = valueAfter(text, at);
      if (value === undefined || value.end === value.start) continue;
      if (text[at] === ',' && isKey(text, value)) continue;
      if (text[at] === '>' && !closesElement(text, value.end)) continue;
      overlaps = value.start < reached ? overlaps + 1 : 0;
      reached = Math.max(reached, value.end);
      if (overlaps < overlapsMax && !isAssignedSecret(name, text.slice(value.start, value.end), value.quoted)) continue;
      // what is longer than we judge is masked to its end
      let end = value.end;
      if (end - value.start === valueMax) while (isWord(codeAt(text, end))) end++;
      out.push({
        type: 'SECRET',
        rule: 'assignment',
        rank: 'assignment',
        start: value.start,
        end,
        score: 0.8,
      });
      floor = end;
    }
  },
};
