import type { DatabaseSync } from 'node:sqlite';
import type { Masked } from '../../masking/masked.ts';
import type { ExchangeDocument } from '../../transcript/document.ts';
import { decodeCursor, encodeCursor } from '../cursor.ts';
import { headlineOf, hitOf } from '../hit.ts';
import { checkedLimit } from '../limits.ts';
import {
  type IndexSearch,
  type IndexUsage,
  noiseCountMax,
  type SearchPage,
  type SearchQuery,
  type SessionDocuments,
  sessionDocumentsMax,
  type UsageQuery,
  type UsageRow,
} from '../port.ts';
import { beginningOf } from '../snippet.ts';
import { candidateRows, fillCandidates, prepareCandidates } from './candidates.ts';
import { openForReading, orIndexFailed } from './database.ts';
import { matchExpression } from './match.ts';
import { checkSchema, indexFile } from './schema.ts';
import { snippetsOf } from './snippet.ts';
import { restored } from './stored.ts';
import { sumUsage } from './usage.ts';

/** The reading side of the embedded index; opened read-only, so a search can never change what it searches. Must be closed. */
export class SqliteSearch implements IndexSearch, IndexUsage {
  readonly #database: DatabaseSync;

  constructor(database: DatabaseSync) {
    this.#database = database;
    prepareCandidates(database);
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
    const before = query.before === undefined ? null : decodeCursor(query.before);
    return orIndexFailed('search the index', () => {
      const candidates = fillCandidates(this.#database, query, match);
      const { from, conditions } = candidateRows(query, candidates, query.noise === true ? 'with' : 'without');
      if (before !== null) conditions.add('(time_ms, id) < (?, ?)', before.timeMs, before.id);
      const rows = this.#database
        .prepare(
          `select number, id, time_ms as timeMs from ${from} ${conditions.where()}
           order by time_ms desc, id desc limit ?`,
        )
        .all(...conditions.values, limit + 1)
        .map((row) => ({ number: Number(row.number), id: String(row.id), timeMs: Number(row.timeMs) }));
      const page = rows.slice(0, limit);
      const last = page.at(-1);
      return {
        hits: this.#hits(page, match),
        next: rows.length > limit && last !== undefined ? encodeCursor(last) : null,
        noiseHidden: query.noise === true ? 0 : this.#noiseMatches(query, candidates),
      };
    });
  }

  async get(id: string): Promise<Masked<ExchangeDocument> | null> {
    return orIndexFailed('read from the index', () => {
      const row = this.#database.prepare('select document from exchanges where id = ?').get(id);
      return row === undefined ? null : restored(row.document);
    });
  }

  async session(id: string): Promise<SessionDocuments> {
    return orIndexFailed('read a session from the index', () => {
      const rows = this.#database
        .prepare('select document from exchanges where session = ? order by time_ms, id limit ?')
        .all(id, sessionDocumentsMax + 1);
      return {
        documents: rows.slice(0, sessionDocumentsMax).map((row) => restored(row.document)),
        isWhole: rows.length <= sessionDocumentsMax,
      };
    });
  }

  async usage(query: UsageQuery): Promise<UsageRow[]> {
    return sumUsage(this.#database, query);
  }

  async close(): Promise<void> {
    this.#database.close();
  }

  /** Of the whole query, whatever the page. */
  #noiseMatches(query: SearchQuery, candidates: number | null): number {
    const { from, conditions } = candidateRows(query, candidates, 'only');
    const row = this.#database
      .prepare(`select count(*) as count from (select 1 from ${from} ${conditions.where()} limit ${noiseCountMax})`)
      .get(...conditions.values);
    return Number(row?.count);
  }

  #hits(page: readonly { number: number }[], match: string | null): SearchPage['hits'] {
    const snippets = match === null ? null : snippetsOf(this.#database, match, page);
    const select = this.#database.prepare('select document from exchanges where number = ?');
    return page.map(({ number }) => {
      const document = restored(select.get(number)?.document);
      const snippet = snippets === null ? beginningOf(headlineOf(document)) : snippets.get(number);
      return hitOf(document, snippet ?? { text: '', marks: [] });
    });
  }
}
