/** Text as words, gaps and marks, in a form that is the same however a value is spelt: for values that somebody listed. */

/** The id of white space, `-` and `_` between words, however many. */
export const gap = 1;

const kinds = { unknown: 0, word: 1, gap: 2, single: 3 } as const;
type Kind = (typeof kinds)[keyof typeof kinds];

/** Written without spaces between words, so that each character is taken by itself. */
export const unspaced =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u;
const apostrophes = /[\u2018\u2019\u02bc\u00b4\u0060]/;
const dashes = /[\p{Pd}_\u2212]/u;

/** Kind of each UTF-16 code, found out when it is first met. */
const kindOfCode = new Uint8Array(0x10000);

function kindOf(code: number): Kind {
  const known = kindOfCode[code] as Kind;
  if (known !== kinds.unknown) return known;
  const kind = foundKind(String.fromCharCode(code));
  kindOfCode[code] = kind;
  return kind;
}

function foundKind(char: string): Kind {
  if (/\s/.test(char) || dashes.test(char)) return kinds.gap;
  if (unspaced.test(char) || apostrophes.test(char)) return kinds.single;
  return /[\p{L}\p{M}\p{N}]/u.test(char) ? kinds.word : kinds.single;
}

/** Without case, accents and width; what is left of a letter when only its reading counts. */
export function folded(text: string): string {
  return unaccented(text).toLowerCase().replaceAll('ß', 'ss').replaceAll('ς', 'σ').replaceAll('ı', 'i');
}

/** The same with its case: compatibility forms and accents are undone, and the marks of one meaning are one. */
function unaccented(text: string): string {
  return text
    .normalize('NFKD')
    .replace(/[\u0300-\u036f]/g, '')
    .replace(/[\u2018\u2019\u02bc\u00b4\u0060]/g, "'");
}

/** As `folded`, for values whose case counts; gaps are one space. */
export function spelt(text: string): string {
  return unaccented(text).replace(/[\s\p{Pd}_\u2212]+/gu, ' ');
}

/** Told of each piece: its place, and whether it is a gap. */
export type Piece = (start: number, end: number, isGap: boolean) => void;

/** Takes a text apart in one pass: words, gaps, and every other character by itself. */
export function pieces(text: string, tell: Piece): void {
  for (let at = 0; at < text.length; ) {
    const start = at;
    const code = text.charCodeAt(at);
    const kind = kindOf(code);
    at += isHigh(code) && isLow(text.charCodeAt(at + 1)) ? 2 : 1;
    if (kind !== kinds.single) while (at < text.length && kindOf(text.charCodeAt(at)) === kind) at++;
    tell(start, at, kind === kinds.gap);
  }
}

const isHigh = (code: number): boolean => code >= 0xd800 && code <= 0xdbff;
const isLow = (code: number): boolean => code >= 0xdc00 && code <= 0xdfff;
