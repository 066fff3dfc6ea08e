/** Texts longer than is kept of them: head and tail are masked, with what is around them, and the rest is not read. */
import type { TextMasking } from './text-masking.ts';

/**
 * Characters beyond a cut that are read with what is kept, so that what reaches over the cut is recognised. Twice what
 * the longest finding takes with what it is recognised by: a private key of 16,384 characters (`pem.ts`), also inside
 * base64. What goes on for longer is either masked to its end (a head sees where it begins) or passed over (a tail).
 */
export const marginChars = 32_768;

/** Room for the words that say what is missing. */
const leftOutWordsChars = 48;
/** What tokens, keys and base64 are made of; a run of it through all of a margin may be the end of one of them. */
const runEnd = /[^\w+/=.~%-]/g;

/** Whether a text is longer than masking all of it would be worth. */
export function isLong(masking: TextMasking, text: string): boolean {
  return text.length > readChars(masking, text);
}

/** Characters of a text that are masked, kept or not. */
export function readChars(masking: TextMasking, text: string): number {
  return Math.min(text.length, masking.textMaxChars + 2 * marginChars);
}

/** Characters that are kept of a long text at either end. */
export function halfOf(masking: TextMasking): number {
  return Math.max(0, Math.floor((masking.textMaxChars - leftOutWordsChars) / 2));
}

/** Head and tail of a long text, at most `textMaxChars` together with the words between them. */
export function maskLongText(masking: TextMasking, text: string, keyName: string): string {
  const half = halfOf(masking);
  const head = masking.part(text.slice(0, half + marginChars), keyName, 0, half);
  const around = text.slice(text.length - half - marginChars);
  const tail = masking.part(around, keyName, tailStart(around), around.length);
  return headAndTail(masking, text, head, tail);
}

export function headAndTail(masking: TextMasking, text: string, head: string, tail: string): string {
  const half = halfOf(masking);
  const [kept, end] = [head.slice(0, half).toWellFormed(), half === 0 ? '' : tail.slice(-half).toWellFormed()];
  return `${kept}\n${masking.leftOut(text.length - 2 * half)}\n${end}`;
}

/** Where a tail may begin: behind its margin, and where no run goes on that began before the margin. */
function tailStart(around: string): number {
  runEnd.lastIndex = 0;
  const first = runEnd.exec(around)?.index ?? around.length;
  return Math.max(first, marginChars);
}
