import type { DatabaseSync } from 'node:sqlite';
import { SkilltapeError } from '../errors.ts';
import { inTransaction, openPrivateDatabase } from '../index/sqlite/database.ts';
import { onlyGrows } from '../index/sqlite/only-grows.ts';

/** Who stops, as the operating system knows them, or a person in the console as their token names them. */
export type StoppedBy =
  | { osUser: string; uid: number }
  | {
      issuer: string;
      subject: string;
      /** For people; a claim that proves nothing. */
      name: string;
      address: string;
      authenticatedMs: number | null;
    };

/** How a record names them: by what stays theirs, and is no mail address that masking takes out. */
export function stopperName(by: StoppedBy): string {
  return 'osUser' in by ? `${by.osUser} (uid ${by.uid})` : `${by.subject} of ${by.issuer}`;
}

export type StopTarget = { kind: 'session' | 'exchange'; id: string };

/**
 * - `stopped`: what runs of it is to end; a session stays stopped until it is lifted
 * - `lifted`: requests of the session are taken again
 * - `ended`: a running exchange was ended because of the event with the number `stop`
 */
export type StopEvent = { timeMs: number } & (
  | { kind: 'stopped'; target: StopTarget; by: StoppedBy; reason: string }
  | { kind: 'lifted'; session: string; by: StoppedBy; reason: string }
  | { kind: 'ended'; stop: number; exchangeId: string }
);

export type NumberedStop = { number: number; event: StopEvent };

export type StoppedSession = { session: string; by: StoppedBy; reason: string; timeMs: number };

/** Each process keeps all of them in memory (inv. 10). */
export const stoppedSessionsMax = 10_000;

/** Events only come (inv. 8); which sessions are stopped is what they add up to, and can be made again. */
const schema = `
create table if not exists events (number integer primary key autoincrement, event text not null) strict;
create table if not exists stopped (
  session text primary key,
  number integer not null references events (number)
) strict;
${onlyGrows({ table: 'events', key: ['number'], refusal: 'an event does not change' })}
`;

/** What operators stopped in a data directory; several processes may have it open. */
export class Stops {
  readonly #database: DatabaseSync;

  constructor(file: string) {
    this.#database = openPrivateDatabase(file, 'FULL');
    this.#database.exec(schema);
  }

  close(): void {
    this.#database.close();
  }

  /** Changes whenever another connection wrote. */
  get version(): number {
    return Number(this.#database.prepare('pragma data_version').get()?.data_version);
  }

  get lastNumber(): number {
    return Number(this.#database.prepare('select max(number) as last from events').get()?.last ?? 0);
  }

  /** The number of the event. Throws SkilltapeError `usage` at `stoppedSessionsMax`. */
  stop(target: StopTarget, by: StoppedBy, reason: string, timeMs: number): number {
    return inTransaction(this.#database, () => {
      const count = Number(this.#database.prepare('select count(*) as n from stopped').get()?.n);
      if (target.kind === 'session' && count >= stoppedSessionsMax)
        throw new SkilltapeError('usage', `${stoppedSessionsMax} sessions are stopped already`, {
          remedy: 'lift those that need not be stopped any more; a policy denies whom it lists without a bound',
        });
      const number = this.#append({ kind: 'stopped', target, by, reason, timeMs });
      if (target.kind === 'session')
        this.#database.prepare('insert or replace into stopped values (?, ?)').run(target.id, number);
      return number;
    });
  }

  /** False when the session is not stopped. */
  lift(session: string, by: StoppedBy, reason: string, timeMs: number): boolean {
    return inTransaction(this.#database, () => {
      const { changes } = this.#database.prepare('delete from stopped where session = ?').run(session);
      if (Number(changes) === 0) return false;
      this.#append({ kind: 'lifted', session, by, reason, timeMs });
      return true;
    });
  }

  /** By whichever process had them. */
  ended(stop: number, exchangeIds: readonly string[], timeMs: number): void {
    inTransaction(this.#database, () => {
      for (const exchangeId of exchangeIds) this.#append({ kind: 'ended', stop, exchangeId, timeMs });
    });
  }

  since(number: number): NumberedStop[] {
    return this.#database
      .prepare('select number, event from events where number > ? order by number limit 10000')
      .all(number)
      .map((row) => ({ number: Number(row.number), event: JSON.parse(String(row.event)) as StopEvent }));
  }

  /** The sessions that are stopped, the newest first. */
  stopped(limit = stoppedSessionsMax): StoppedSession[] {
    return this.#database
      .prepare('select session, event from stopped join events using (number) order by number desc limit ?')
      .all(limit)
      .map((row) => {
        const { by, reason, timeMs } = JSON.parse(String(row.event)) as Extract<StopEvent, { kind: 'stopped' }>;
        return { session: String(row.session), by, reason, timeMs };
      });
  }

  #append(event: StopEvent): number {
    const { lastInsertRowid } = this.#database
      .prepare('insert into events (event) values (?)')
      .run(JSON.stringify(event));
    return Number(lastInsertRowid);
  }
}
