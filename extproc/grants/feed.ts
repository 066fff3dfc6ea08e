import type { DatabaseSync } from 'node:sqlite';
import { type Ending, EventFeed, type NumberedEvent } from '../index/sqlite/event-feed.ts';
import type { GrantEvent } from './grant.ts';
import { type Grant, type GrantLimits, Grants } from './grants.ts';
import { openGrants } from './schema.ts';

/** The events of all that was asked for, in order, for whoever follows them. */
export class GrantFeed {
  readonly #database: DatabaseSync;
  readonly #grants: Grants;
  readonly #events: EventFeed<GrantEvent>;

  constructor(file: string, limits?: GrantLimits) {
    this.#database = openGrants(file);
    this.#grants = new Grants(file, limits);
    this.#events = new EventFeed(this.#database, 'id');
  }

  close(): void {
    this.#grants.close();
    this.#database.close();
  }

  get version(): number {
    return this.#events.version;
  }

  since(number: number, limit: number): NumberedEvent<GrantEvent>[] {
    return this.#events.since(number, limit);
  }

  read(id: string, nowMs: number): Grant | null {
    return this.#grants.read(id, nowMs);
  }

  /** What is undecided or in force. */
  endingBefore(untilMs: number, limit: number, after: Ending | null): Ending[] {
    return this.#events.endingBefore(untilMs, limit, after);
  }

  /** Adds what changes no state. */
  note(id: string, event: Extract<GrantEvent, { kind: 'notified' | 'not_notified' }>): void {
    this.#events.append(id, event);
  }
}
