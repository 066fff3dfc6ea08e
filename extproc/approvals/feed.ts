import type { DatabaseSync } from 'node:sqlite';
import { type Ending, EventFeed, type NumberedEvent } from '../index/sqlite/event-feed.ts';
import { openTickets } from './schema.ts';
import type { TicketEvent } from './ticket.ts';
import { type Ticket, type TicketLimits, Tickets } from './tickets.ts';

/** The events of all tickets in order, for whoever follows them. */
export class TicketFeed {
  readonly #database: DatabaseSync;
  readonly #tickets: Tickets;
  readonly #events: EventFeed<TicketEvent>;

  constructor(file: string, limits: TicketLimits) {
    this.#database = openTickets(file);
    this.#tickets = new Tickets(file, limits);
    this.#events = new EventFeed(this.#database, 'ticket');
  }

  close(): void {
    this.#tickets.close();
    this.#database.close();
  }

  get version(): number {
    return this.#events.version;
  }

  get lastNumber(): number {
    return this.#events.lastNumber;
  }

  since(number: number, limit: number): NumberedEvent<TicketEvent>[] {
    return this.#events.since(number, limit);
  }

  read(ticket: string, nowMs: number): Ticket | null {
    return this.#tickets.read(ticket, nowMs);
  }

  /** Undecided tickets and grants. */
  endingBefore(untilMs: number, limit: number, after: Ending | null): Ending[] {
    return this.#events.endingBefore(untilMs, limit, after);
  }

  /** All that are undecided or can still be used. */
  live(): string[] {
    return this.#database
      .prepare('select ticket from live')
      .all()
      .map(({ ticket }) => String(ticket));
  }

  /** Writes down what nobody decided or used in time, also where no exchange waits for it any more (inv. 4). */
  sweep(nowMs: number): void {
    this.#tickets.sweep(nowMs);
  }

  /** Adds what changes no state. */
  note(ticket: string, event: Extract<TicketEvent, { kind: 'notified' | 'not_notified' }>): void {
    this.#events.append(ticket, event);
  }
}
