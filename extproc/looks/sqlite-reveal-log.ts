import type { DatabaseSync } from 'node:sqlite';
import { inTransaction } from '../index/sqlite/database.ts';
import { onlyGrows } from '../index/sqlite/only-grows.ts';
import type { LastHour, RevealAttempt, RevealLog, RevealVerdict } from './reveal-log.ts';
import { insertLook, withLooks } from './sqlite-look-log.ts';

const hourMs = 3_600_000;

const schema = `
create table if not exists reveals (
  look integer not null references looks (number),
  time_ms integer not null,
  uid integer not null,
  person text not null,
  shown integer not null,
  primary key (look, person)
) strict;
create index if not exists reveals_by_time on reveals (time_ms);
${onlyGrows({ table: 'reveals', key: ['look', 'person'], refusal: 'a recorded look does not change' })}
`;

/** Beside the looks, in the same file, so that a count and its look are on disk together or not at all. */
export class SqliteRevealLog implements RevealLog {
  readonly #dataDirectory: string;
  readonly #now: () => Date;

  constructor(dataDirectory: string, now: () => Date = () => new Date()) {
    this.#dataDirectory = dataDirectory;
    this.#now = now;
  }

  attempt<V extends RevealVerdict>(attempt: RevealAttempt, decide: (lastHour: LastHour) => V): V {
    return withLooks(this.#dataDirectory, (database) => {
      database.exec(schema);
      return inTransaction(database, () => {
        const now = this.#now();
        const verdict = decide(lastHourOf(database, attempt, now.getTime()));
        const look = insertLook(database, verdict.look, now);
        const add = database.prepare('insert into reveals (look, time_ms, uid, person, shown) values (?, ?, ?, ?, ?)');
        const shown = verdict.isShown ? attempt.values : 0;
        for (const person of attempt.persons) add.run(look, now.getTime(), attempt.uid, person, shown);
        return verdict;
      });
    });
  }
}

/** A look in the future, by a clock that was set back since, counts as well. */
function lastHourOf(database: DatabaseSync, { uid, persons }: RevealAttempt, nowMs: number): LastHour {
  const from = nowMs - hourMs;
  const sum = (condition: string, value: string | number) => {
    const row = database.prepare(
      `select coalesce(sum(shown), 0) as sum from reveals where time_ms > ? and ${condition}`,
    );
    return Number(row.get(from, value)?.sum ?? 0);
  };
  const byPerson = persons.map((person) => sum('person = ?', person));
  return { operatorValues: sum('uid = ?', uid), personValues: Math.max(0, ...byPerson) };
}
