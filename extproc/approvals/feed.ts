import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { openTickets } from './schema.ts';
import type { TicketEvent } from './ticket.ts';
import { type Ticket, type TicketLimits, Tickets } from './tickets.ts';

/** `number` counts up in the order in which events were written, over all tickets. */
export type NumberedEvent = { number: number; ticket: string; event: TicketEvent };

/** What ends by itself, and when. */
export type Ending = { id: string; untilMs: number };

/**
 * The events of all tickets in order, for whoever follows them: whichever process wrote one, it comes once after the
 * number that was read last.
 */
export class TicketFeed {
  readonly #database: DatabaseSync;
  readonly #tickets: Tickets;
  readonly #since: StatementSync;
  readonly #version: StatementSync;

  constructor(file: string, limits: TicketLimits) {
    this.#database = openTickets(file);
    this.#tickets = new Tickets(file, limits);
    this.#since = this.#database.prepare('select number, ticket, event from events where number > ? limit ?');
    this.#version = this.#database.prepare('pragma data_version');
  }

  close(): void {
    this.#tickets.close();
    this.#database.close();
  }

  /** Changes whenever anybody else wrote. */
  get version(): number {
    return Number(this.#version.get()?.data_version);
  }

  get lastNumber(): number {
    return Number(this.#database.prepare('select max(number) as last from events').get()?.last ?? 0);
  }

  since(number: number, limit: number): NumberedEvent[] {
    return this.#since.all(number, limit).map((row) => ({
      number: Number(row.number),
      ticket: String(row.ticket),
      event: JSON.parse(String(row.event)) as TicketEvent,
    }));
  }

  read(ticket: string, nowMs: number): Ticket | null {
    return this.#tickets.read(ticket, nowMs);
  }

  /** Undecided tickets and grants that end before this time, the next first, behind one of them. */
  endingBefore(untilMs: number, limit: number, after: Ending | null): Ending[] {
    return this.#database
      .prepare(
        `select ticket, until_ms from live where until_ms < ? and (until_ms, ticket) > (?, ?)
         order by until_ms, ticket limit ?`,
      )
      .all(untilMs, after?.untilMs ?? -1, after?.id ?? '', limit)
      .map((row) => ({ id: String(row.ticket), untilMs: Number(row.until_ms) }));
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
    this.#database.prepare('insert into events (ticket, event) values (?, ?)').run(ticket, JSON.stringify(event));
  }
}
