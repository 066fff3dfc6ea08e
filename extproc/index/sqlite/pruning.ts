import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { uuidFloor } from './uuid-floor.ts';

const dayMs = 24 * 60 * 60 * 1_000;
/** More than what is remembered at one time, so that forgetting keeps up; few enough to hold nobody up. */
const prunedAtOnceMax = 5_000;

/**
 * Forgets turns, links and owners by the age of the exchange that brought them, so that the file grows with the traffic of that
 * time and not for ever (inv. 10). What is forgotten is new again: a conversation that goes on is indexed whole once more,
 * and a thing is nobody's.
 */
export class Pruning {
  readonly #statements: readonly StatementSync[];
  readonly #now: () => Date;
  readonly #rememberedMs: number;

  constructor(database: DatabaseSync, now: () => Date, rememberedDays: number) {
    this.#now = now;
    this.#rememberedMs = rememberedDays * dayMs;
    this.#statements = [
      `delete from seen_turns where (scope, hash) in
         (select scope, hash from seen_turns where exchange_id < ? limit ${prunedAtOnceMax})`,
      `delete from owners where key in (select key from owners where exchange_id < ? limit ${prunedAtOnceMax})`,
      `delete from links where key in (select key from links where event_id < ? limit ${prunedAtOnceMax})`,
    ].map((text) => database.prepare(text));
  }

  /** Must run inside a transaction of the caller. */
  prune(): void {
    const floor = uuidFloor(this.#now().getTime() - this.#rememberedMs);
    for (const statement of this.#statements) statement.run(floor);
  }
}
