import type { DatabaseSync } from 'node:sqlite';
import type { Snippet } from '../port.ts';
import { newMarkers, parseMarked } from '../snippet.ts';

const snippetTokens = 24;

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
