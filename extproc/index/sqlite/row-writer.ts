import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { ExchangeRow } from './row.ts';

/** Writes one document into all tables of the index. Must run inside a transaction of the caller. */
export class RowWriter {
  readonly #exchange: StatementSync;
  readonly #text: StatementSync;
  readonly #derived: DerivedRows;

  constructor(database: DatabaseSync) {
    this.#exchange = database.prepare(
      `insert into exchanges (id, time_ms, session, connection, outcome, user_id, user_email, user_name,
         noise, request_model, response_model, document)
       values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) on conflict (id) do nothing`,
    );
    this.#text = database.prepare('insert into exchange_text (rowid, input, output) values (?, ?, ?)');
    this.#derived = new DerivedRows(database);
  }

  /** False when the id is there already; then nothing was written. */
  insert(row: ExchangeRow): boolean {
    const { user } = row;
    const result = this.#exchange.run(
      ...[row.id, row.timeMs, row.session, row.connection, row.outcome],
      ...[user?.id ?? null, user?.email ?? null, user?.name ?? null],
      ...[row.noise, row.requestModel, row.responseModel, row.json],
    );
    if (result.changes === 0) return false;
    this.#text.run(result.lastInsertRowid, row.input, row.output);
    this.#derived.insert(result.lastInsertRowid, row);
    return true;
  }
}

/** The tables that searches by skill and by masked type and the sums of tokens read, so that neither reads documents. */
export class DerivedRows {
  readonly #skill: StatementSync;
  readonly #masked: StatementSync;
  readonly #usage: StatementSync;

  constructor(database: DatabaseSync) {
    this.#skill = database.prepare('insert into exchange_skills (skill, number) values (?, ?)');
    this.#masked = database.prepare('insert into exchange_findings (type, number) values (?, ?)');
    this.#usage = database.prepare(
      `insert into exchange_usage (number, time_ms, person, session, connection, model, service_tier, uncached_input,
         cache_read, cache_creation_5m, cache_creation_1h, output, web_search_requests)
       values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    );
  }

  insert(number: number | bigint, row: ExchangeRow): void {
    const { skills, billed, timeMs, session, connection } = row;
    for (const skill of skills) this.#skill.run(skill, number);
    this.insertMasked(number, row);
    if (billed === null) return;
    this.#usage.run(
      ...[number, timeMs, billed.person, session, connection, billed.model, billed.serviceTier],
      ...[billed.uncachedInput, billed.cacheRead, billed.cacheCreation5m, billed.cacheCreation1h],
      ...[billed.output, billed.webSearchRequests],
    );
  }

  insertMasked(number: number | bigint, { masked }: ExchangeRow): void {
    for (const type of masked) this.#masked.run(type, number);
  }
}
