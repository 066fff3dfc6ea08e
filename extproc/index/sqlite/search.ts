import type { DatabaseSync, SQLInputValue } from 'node:sqlite';
import { SkilltapeError } from '../../errors.ts';
import type { Masked } from '../../masking/masked.ts';
import type { ExchangeDocument } from '../../transcript/document.ts';
import {
  type IndexSearch,
  type SearchPage,
  type SearchQuery,
  type Snippet,
  searchLimitDefault,
  searchLimitMax,
} from '../port.ts';
import type { RejectList } from '../rejects.ts';
import { decodeCursor, encodeCursor, type SearchPosition } from './cursor.ts';
import { openForReading, orIndexFailed } from './database.ts';
import { matchExpression } from './match.ts';
import { SqliteRejects } from './rejects.ts';
import { folded, hitOf, restored } from './row.ts';
import { checkSchema, indexFile } from './schema.ts';
import { beginningOf, newMarkers, parseMarked } from './snippet.ts';

/** Exchanges of one session that are held in memory at once. */
const sessionExchangesMax = 2_000;
const snippetTokens = 24;

/** The reading side of the embedded index; opened read-only, so a search can never change what it searches. Must be closed. */
export class SqliteSearch implements IndexSearch {
  readonly rejects: RejectList;
  readonly #database: DatabaseSync;

  constructor(database: DatabaseSync) {
    this.#database = database;
    this.rejects = new SqliteRejects(database, () => new Date());
  }

  /** Throws SkilltapeError `index_failed`. */
  static open(dataDirectory: string): SqliteSearch {
    return orIndexFailed('open the index', () => {
      const database = openForReading(indexFile(dataDirectory));
      try {
        checkSchema(database);
        return new SqliteSearch(database);
      } catch (thrown) {
        database.close();
        throw thrown;
      }
    });
  }

  async search(query: SearchQuery): Promise<SearchPage> {
    const limit = checkedLimit(query.limit);
    const match = query.text === undefined ? null : matchExpression(query.text);
    const { conditions, values } = conditionsOf(query, match);
    return orIndexFailed('search the index', () => {
      const rows = this.#database
        .prepare(
          `select number, id, time_ms, document from exchanges ${conditions}
           order by time_ms desc, id desc limit ?`,
        )
        .iterate(...values, limit + 1);
      const hits: SearchPage['hits'] = [];
      let last: SearchPosition = { timeMs: 0, id: '' };
      for (const row of rows) {
        if (hits.length === limit) return { hits, next: encodeCursor(last) };
        const document = restored(row.document);
        hits.push(hitOf(document, this.#snippet(document, Number(row.number), match)));
        last = { timeMs: Number(row.time_ms), id: String(row.id) };
      }
      return { hits, next: null };
    });
  }

  async get(id: string): Promise<Masked<ExchangeDocument> | null> {
    return orIndexFailed('read from the index', () => {
      const row = this.#database.prepare('select document from exchanges where id = ?').get(id);
      return row === undefined ? null : restored(row.document);
    });
  }

  async session(id: string): Promise<Masked<ExchangeDocument>[]> {
    return orIndexFailed('read a session from the index', () => {
      const rows = this.#database
        .prepare('select document from exchanges where session = ? order by time_ms, id limit ?')
        .all(id, sessionExchangesMax + 1);
      if (rows.length > sessionExchangesMax)
        throw new SkilltapeError('index_failed', `the session has more than ${sessionExchangesMax} exchanges`, {
          remedy: 'search with the session as a filter and show its exchanges one by one',
        });
      return rows.map((row) => restored(row.document));
    });
  }

  close(): void {
    this.#database.close();
  }

  #snippet(document: Masked<ExchangeDocument>, number: number, match: string | null): Snippet {
    if (match === null) return beginningOf(headlineOf(document));
    const markers = newMarkers();
    // Asked hit by hit: beside the sort, SQLite would build the snippet of every match, not only of this page.
    const row = this.#database
      .prepare(
        `select snippet(exchange_text, -1, ?, ?, '…', ${snippetTokens}) as snippet
         from exchange_text where exchange_text match ? and rowid = ?`,
      )
      // A number is bound as a double, and FTS5 passes over a rowid that is one: it would give another person's text.
      .get(markers.open, markers.close, match, BigInt(number));
    return parseMarked(String(row?.snippet ?? ''), markers);
  }
}

function checkedLimit(limit: number = searchLimitDefault): number {
  if (Number.isInteger(limit) && limit >= 1 && limit <= searchLimitMax) return limit;
  throw new SkilltapeError('usage', `the limit must be a whole number from 1 to ${searchLimitMax}`);
}

function conditionsOf(query: SearchQuery, match: string | null): { conditions: string; values: SQLInputValue[] } {
  const parts: string[] = [];
  const values: SQLInputValue[] = [];
  const add = (condition: string, ...bound: SQLInputValue[]): void => {
    parts.push(condition);
    values.push(...bound);
  };
  if (match !== null) add('number in (select rowid from exchange_text where exchange_text match ?)', match);
  if (query.user !== undefined) {
    const user = folded(query.user);
    add('(user_id = ? or user_email = ? or user_name = ?)', user, user, user);
  }
  if (query.connection !== undefined) add('connection = ?', query.connection);
  if (query.session !== undefined) add('session = ?', query.session);
  if (query.outcome !== undefined) add('outcome = ?', query.outcome);
  if (query.from !== undefined) add('time_ms >= ?', query.from.getTime());
  if (query.to !== undefined) add('time_ms < ?', query.to.getTime());
  if (query.before !== undefined) {
    const position = decodeCursor(query.before);
    add('(time_ms, id) < (?, ?)', position.timeMs, position.id);
  }
  return {
    conditions: parts.length === 0 ? '' : `where ${parts.join(' and ')}`,
    values,
  };
}

/** What the person asked last: clients put the system prompt and reminders of their own before it. */
function headlineOf({ skilltape, gen_ai }: ExchangeDocument): string {
  for (const message of skilltape.new_messages.toReversed()) {
    const { role, content } = Object(message) as { role?: unknown; content?: unknown };
    if (role !== 'user') continue;
    const texts = Array.isArray(content) ? content.map((block) => Object(block).text) : [content];
    const last = texts.findLast((text) => typeof text === 'string' && text !== '');
    if (typeof last === 'string') return last;
  }
  return gen_ai.input.text === '' ? gen_ai.output.text : gen_ai.input.text;
}
