const digit = 1;
const letter = 2;
const wordMark = 4;
const base64Mark = 8;

/** Class bits of the ASCII characters; everything above is class 0. */
const classes = new Uint8Array(128);
for (let code = 0; code < 128; code++) {
  const char = String.fromCharCode(code);
  if (/[0-9]/.test(char)) classes[code] = digit;
  else if (/[A-Za-z]/.test(char)) classes[code] = letter;
  else if (/[_-]/.test(char)) classes[code] = wordMark;
  else if (/[+/]/.test(char)) classes[code] = base64Mark;
}

function has(code: number, bits: number): boolean {
  return code < 128 && ((classes[code] ?? 0) & bits) !== 0;
}

/** The UTF-16 code at a place, or 0, which is of no class either, outside the text: `charCodeAt` is slow there. */
export function codeAt(text: string, at: number): number {
  return at >= 0 && at < text.length ? text.charCodeAt(at) : 0;
}

/** All of these take a UTF-16 code; NaN (outside the text) belongs to no class. */
export const isDigit = (code: number): boolean => code >= 48 && code <= 57;
export const isHex = (code: number): boolean =>
  isDigit(code) || (code >= 65 && code <= 70) || (code >= 97 && code <= 102);
export const isLetter = (code: number): boolean => has(code, letter);
export const isAlnum = (code: number): boolean => has(code, digit | letter);
export const isUpper = (code: number): boolean => code >= 65 && code <= 90;
/** Letters, digits and `_`. */
export const isWordChar = (code: number): boolean => isAlnum(code) || code === 95;
/** Letters, digits, `_` and `-`. */
export const isWord = (code: number): boolean => has(code, digit | letter | wordMark);
/** Both base64 alphabets, without the padding. */
export const isBase64 = (code: number): boolean => has(code, digit | letter | wordMark | base64Mark);
export const isSpace = (code: number): boolean => code === 32 || (code >= 9 && code <= 13);

const backslash = 92;
const escapeLetters = new Set([98, 102, 110, 114, 116, 118]);

/** Whether the character at `at` is the letter of an escape such as `\n`, in text that holds escaped text. */
export function isEscapeLetter(text: string, at: number): boolean {
  return codeAt(text, at - 1) === backslash && escapeLetters.has(codeAt(text, at));
}

/** Whether a value may begin at `at`: no letter or digit before it, an escape apart. */
export function startsFresh(text: string, at: number): boolean {
  return at === 0 || !isAlnum(codeAt(text, at - 1)) || isEscapeLetter(text, at - 1);
}

const entropyMax = 256;
/** How often each code occurs in the value at hand; zero between calls. */
const occurrences = new Uint16Array(65_536);

/** Shannon entropy in bits for each character, of the first 256 characters. */
export function entropyBits(value: string): number {
  const length = Math.min(value.length, entropyMax);
  for (let i = 0; i < length; i++) {
    const code = value.charCodeAt(i);
    occurrences[code] = (occurrences[code] ?? 0) + 1;
  }
  let bits = 0;
  for (let i = 0; i < length; i++) {
    const code = value.charCodeAt(i);
    const share = (occurrences[code] ?? 0) / length;
    occurrences[code] = 0;
    if (share > 0) bits -= share * Math.log2(share);
  }
  return bits;
}
