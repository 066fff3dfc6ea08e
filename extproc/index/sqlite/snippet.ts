import { randomBytes } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import type { Snippet } from '../port.ts';

/** In UTF-16 units; a "word" of a hostile text may be as long as the text. */
const snippetMaxLength = 320;
const contextBeforeMatchMax = 120;
const snippetTokens = 24;

export type SnippetMarkers = { open: string; close: string };

/** Fresh random markers for each search, so that an indexed text cannot contain them and forge a match. */
export function newMarkers(): SnippetMarkers {
  const nonce = randomBytes(16).toString('hex');
  return { open: `<${nonce}`, close: `${nonce}>` };
}

/**
 * The extracts of one page by row number. Asked for the page alone and after it is known: beside a sort, SQLite would
 * make the snippet of every match. One statement for all rows: a prefix of many words is looked up once.
 */
export function snippetsOf(
  database: DatabaseSync,
  match: string,
  page: readonly { number: number }[],
): Map<number, Snippet> {
  if (page.length === 0) return new Map();
  const markers = newMarkers();
  const numbers = page.map(({ number }) => number);
  const least = numbers.reduce((a, b) => Math.min(a, b));
  const greatest = numbers.reduce((a, b) => Math.max(a, b));
  const rows = database
    .prepare(
      `select rowid as number, snippet(exchange_text, -1, ?, ?, '…', ${snippetTokens}) as snippet from exchange_text
       where exchange_text match ? and rowid between ? and ? and +rowid in (select value from json_each(?))`,
    )
    // A number is bound as a double, and FTS5 passes over a rowid that is one.
    .all(markers.open, markers.close, match, BigInt(least), BigInt(greatest), JSON.stringify(numbers));
  return new Map(rows.map((row) => [Number(row.number), parseMarked(String(row.snippet), markers)]));
}

/** Takes the markers that FTS5 put into `marked` out again and gives their places as ranges. */
export function parseMarked(marked: string, { open, close }: SnippetMarkers): Snippet {
  let text = '';
  const marks: Snippet['marks'] = [];
  for (const part of marked.split(open)) {
    const end = part.indexOf(close);
    if (end < 0) {
      text += part;
      continue;
    }
    marks.push({ start: text.length, end: text.length + end });
    text += part.slice(0, end) + part.slice(end + close.length);
  }
  return cut({ text, marks });
}

/** The beginning of a text, for searches without words. */
export function beginningOf(text: string): Snippet {
  return cut({ text, marks: [] });
}

function cut({ text, marks }: Snippet): Snippet {
  if (text.length <= snippetMaxLength) return { text, marks };
  const start = notInsidePair(text, Math.max(0, (marks[0]?.start ?? 0) - contextBeforeMatchMax));
  const end = notInsidePair(text, start + snippetMaxLength);
  const shift = start > 0 ? 1 - start : 0;
  return {
    text: `${start > 0 ? '…' : ''}${text.slice(start, end)}${end < text.length ? '…' : ''}`,
    marks: marks
      .filter((mark) => mark.start < end)
      .map((mark) => ({
        start: mark.start + shift,
        end: Math.min(mark.end, end) + shift,
      })),
  };
}

function notInsidePair(text: string, offset: number): number {
  const unit = text.charCodeAt(offset);
  return unit >= 0xdc00 && unit <= 0xdfff ? Math.max(0, offset - 1) : offset;
}
