/** The events of a database in which they only come, for whoever follows them: whichever process wrote one. */
import type { DatabaseSync, StatementSync } from 'node:sqlite';

/** `number` counts up in the order in which events were written, over all; `id` is of what it happened to. */
export type NumberedEvent<Event> = { number: number; id: string; event: Event };

/** What ends by itself, and when. */
export type Ending = { id: string; untilMs: number };

/** `key`: the column of `events` and `live` that has the id. */
export class EventFeed<Event> {
  readonly #database: DatabaseSync;
  readonly #since: StatementSync;
  readonly #version: StatementSync;
  readonly #ending: StatementSync;
  readonly #append: StatementSync;

  constructor(database: DatabaseSync, key: 'ticket' | 'id') {
    this.#database = database;
    this.#since = database.prepare(`select number, ${key} as id, event from events where number > ? limit ?`);
    this.#version = database.prepare('pragma data_version');
    this.#ending = database.prepare(
      `select ${key} as id, until_ms from live where until_ms < ? and (until_ms, ${key}) > (?, ?)
       order by until_ms, ${key} limit ?`,
    );
    this.#append = database.prepare(`insert into events (${key}, event) values (?, ?)`);
  }

  /** Changes whenever anybody else wrote. */
  get version(): number {
    return Number(this.#version.get()?.data_version);
  }

  get lastNumber(): number {
    return Number(this.#database.prepare('select max(number) as last from events').get()?.last ?? 0);
  }

  /** Each comes once after the number that was read last. */
  since(number: number, limit: number): NumberedEvent<Event>[] {
    return this.#since.all(number, limit).map((row) => ({
      number: Number(row.number),
      id: String(row.id),
      event: JSON.parse(String(row.event)) as Event,
    }));
  }

  /** What is live and ends before this time, the next first, behind one of them. */
  endingBefore(untilMs: number, limit: number, after: Ending | null): Ending[] {
    return this.#ending
      .all(untilMs, after?.untilMs ?? -1, after?.id ?? '', limit)
      .map((row) => ({ id: String(row.id), untilMs: Number(row.until_ms) }));
  }

  append(id: string, event: Event): void {
    this.#append.run(id, JSON.stringify(event));
  }
}
