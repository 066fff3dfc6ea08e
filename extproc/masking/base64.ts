import { isUtf8 } from 'node:buffer';
import { codeAt, isBase64 } from './characters.ts';

/** Shortest run that is decoded, and how much of a longer one. Both in characters of base64. */
export const base64RunMin = 40;
const decodeMax = 65_536;
const lineMin = 60;
/** Share of printable characters above which decoded bytes count as text. */
const printableMin = 0.9;

export type Base64Run = { start: number; end: number };

/** Runs of base64, wrapped lines joined. Looks at every fortieth character and backs up, so plain text costs little. */
export function base64Runs(text: string): Base64Run[] {
  const runs: Base64Run[] = [];
  let floor = 0;
  let probe = base64RunMin - 1;
  while (probe < text.length) {
    let start = probe + 1;
    while (start > floor && isBase64(codeAt(text, start - 1))) start--;
    if (probe + 1 - start < base64RunMin) {
      floor = Math.max(start, floor);
      probe = start > probe ? probe + base64RunMin : start + base64RunMin - 1;
      continue;
    }
    const end = runEnd(text, start);
    runs.push({ start, end });
    floor = end;
    probe = end + base64RunMin - 1;
  }
  return runs;
}

function runEnd(text: string, start: number): number {
  let end = start;
  for (let lineStart = start; ; lineStart = end) {
    while (isBase64(codeAt(text, end))) end++;
    const next = text.startsWith('\r\n', end) ? end + 2 : text[end] === '\n' ? end + 1 : -1;
    if (next === -1 || end - lineStart < lineMin || !isBase64(codeAt(text, next))) break;
    end = next;
  }
  while (text[end] === '=') end++;
  return end;
}

function isText(bytes: Buffer): boolean {
  let printable = 0;
  const length = Math.min(bytes.length, 512);
  for (let i = 0; i < length; i++) {
    const byte = bytes[i] ?? 0;
    if ((byte >= 32 && byte < 127) || byte === 9 || byte === 10 || byte === 13 || byte > 0xc1) printable++;
  }
  return length > 0 && printable >= length * printableMin;
}

/** The text a run holds, tried from each of the four places it could begin at, or undefined when it holds none. */
export function decodedText(text: string, run: Base64Run): string | undefined {
  const source = text.slice(run.start, Math.min(run.end, run.start + decodeMax));
  for (let skip = 0; skip < 4; skip++) {
    const head = Buffer.from(source.slice(skip, skip + 1024), 'base64');
    if (!isText(head)) continue;
    const bytes = Buffer.from(source.slice(skip), 'base64');
    return bytes.toString(isUtf8(bytes) ? 'utf8' : 'latin1');
  }
  return undefined;
}
