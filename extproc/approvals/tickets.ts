import { randomBytes } from 'node:crypto';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type {
  ApprovalAnswer,
  ApprovalRequest,
  ApprovalTerms,
  OfferedScope,
  TicketSummary,
} from '../exchange/approval-desk.ts';
import { inTransaction } from '../index/sqlite/database.ts';
import type { Masked } from '../masking/masked.ts';
import { type Decided, type Decision, grantOf, refusalOf } from './decision.ts';
import { openTickets } from './schema.ts';
import {
  agreed,
  type Grant,
  recordedNameOf,
  returnable,
  stateOf,
  type TicketEvent,
  type TicketState,
} from './ticket.ts';

export type Ticket = {
  ticket: string;
  openedMs: number;
  terms: ApprovalTerms;
  summary: Masked<TicketSummary>;
  events: TicketEvent[];
  state: TicketState;
};

export type TicketLimits = { ticketsMax: number; ticketsPerCallerMax: number };

/** A denial stands against the same request for as long; a person may have thought better of it then. */
export const denialStandsMs = 24 * 60 * 60 * 1_000;

/** Undecided tickets and unused grants at once (inv. 10). */
export const usualTicketLimits: TicketLimits = { ticketsMax: 10_000, ticketsPerCallerMax: 100 };

/**
 * Events of one ticket at which no more exchanges join it (inv. 10): all of them are read at each step, and whoever sends
 * the same request again and again adds two each time. A client that comes again as it is told has fewer in a week.
 */
export const eventsPerTicketMax = 5_000;

type Row = {
  ticket: string;
  caller: string;
  opened_ms: number;
  until_ms: number;
  terms: string;
  scopes: string;
  summary: string;
};

/**
 * All tickets of a data directory. Several processes may have them open: each step is one transaction that looks at what
 * is there before it adds to it, so of two decisions at once one comes first, and a grant is used as often as it says.
 */
export class Tickets {
  readonly #database: DatabaseSync;
  readonly #limits: TicketLimits;
  readonly #statements = new Map<string, StatementSync>();

  constructor(file: string, limits: TicketLimits = usualTicketLimits) {
    this.#database = openTickets(file);
    this.#limits = limits;
  }

  close(): void {
    this.#database.close();
  }

  /** Changes whenever another connection wrote. */
  get version(): number {
    return Number(this.#sql('pragma data_version').get()?.data_version);
  }

  /** Uses a grant that there is, joins the ticket that is open for the same request, or opens one. */
  ask(request: ApprovalRequest, nowMs: number): ApprovalAnswer {
    return inTransaction(this.#database, () => {
      const granted = this.#grantFor(request.scopes, nowMs);
      if (granted !== null) return this.#use(granted, request.exchangeId, nowMs);
      // By the order in which they came: a clock may have been set back between two of them.
      const found = this.#sql('select ticket from tickets where binding = ? order by rowid desc limit 1').get(
        request.binding,
      );
      const latest = found === undefined ? null : this.#load(String(found.ticket), nowMs);
      return this.#answerOf(latest, request.exchangeId, nowMs) ?? this.#open(request, nowMs);
    });
  }

  /** The same for an exchange that waits, once its ticket was decided; null when somebody else has used the grant. */
  askAgain(ticket: string, exchangeId: string, nowMs: number): ApprovalAnswer | null {
    return inTransaction(this.#database, () => this.#answerOf(this.#load(ticket, nowMs), exchangeId, nowMs, false));
  }

  /** The exchange goes without an answer. */
  leave(ticket: string, exchangeId: string, nowMs: number): void {
    this.#append(ticket, { kind: 'left', exchangeId, timeMs: nowMs });
  }

  /** An exchange used a grant and nothing of it went upstream: it can be used once more, as long as it would have been. */
  giveBack(id: string, exchangeId: string, nowMs: number): void {
    inTransaction(this.#database, () => {
      const ticket = this.#load(id, nowMs);
      const grant = ticket === null ? null : returnable(ticket, exchangeId, nowMs);
      if (ticket === null || grant === null) return;
      this.#append(id, { kind: 'given_back', exchangeId, timeMs: nowMs });
      if (ticket.state.kind === 'used') this.#makeUsable(id, grant);
    });
  }

  decide(id: string, decision: Decision, nowMs: number): Decided {
    return inTransaction(this.#database, () => {
      const ticket = this.#load(id, nowMs);
      if (ticket === null) return { kind: 'refused', why: 'not_found', state: '' };
      const refused = refusalOf(ticket, decision);
      if (refused !== null) return { kind: 'refused', why: refused, state: ticket.state.kind };
      this.#apply(ticket, decision, nowMs);
      const after = this.#load(id, nowMs) ?? ticket;
      return { kind: 'recorded', ticket: after };
    });
  }

  /** Writes down what no one decided or used in time (inv. 4). */
  sweep(nowMs: number): number {
    return inTransaction(this.#database, () => {
      const due = this.#sql('select ticket from live where until_ms <= ? limit 1000').all(nowMs);
      for (const { ticket } of due) this.#end(String(ticket), { kind: 'expired', timeMs: nowMs });
      return due.length;
    });
  }

  read(ticket: string, nowMs: number): Ticket | null {
    return this.#load(ticket, nowMs);
  }

  /**
   * Those that wait for a decision or can still be used, the oldest first; or all, the newest first. `after` is the last
   * one of the page before.
   */
  list(which: 'live' | 'all', limit: number, nowMs: number, after?: string): Ticket[] {
    const ids =
      which === 'live'
        ? this.#sql('select ticket from live where ticket > ? order by ticket limit ?').all(after ?? '', limit)
        : this.#sql('select ticket from tickets where ticket < ? order by ticket desc limit ?').all(
            after ?? '~',
            limit,
          );
    return ids.flatMap(({ ticket }) => this.#load(String(ticket), nowMs) ?? []);
  }

  #grantFor(scopes: readonly OfferedScope[], nowMs: number): Ticket | null {
    for (const { key } of scopes) {
      const rows = this.#sql('select ticket from grants where key = ? and until_ms > ?').all(key, nowMs);
      for (const { ticket } of rows) {
        const found = this.#load(String(ticket), nowMs);
        if (found?.state.kind === 'granted') return found;
      }
    }
    return null;
  }

  /** Null where a new ticket is to be opened. */
  #answerOf(found: Ticket | null, exchangeId: string, nowMs: number, joins = true): ApprovalAnswer | null {
    if (found === null) return null;
    const { ticket, state, events } = found;
    switch (state.kind) {
      case 'pending':
        if (joins && events.length >= eventsPerTicketMax) return { kind: 'full', limit: 'eventsPerTicketMax' };
        if (joins) this.#append(ticket, { kind: 'waiting', exchangeId, timeMs: nowMs });
        return { kind: 'pending', ticket, untilMs: state.untilMs };
      case 'granted':
        return this.#use(found, exchangeId, nowMs);
      case 'denied':
        return nowMs - state.sinceMs < denialStandsMs ? { kind: 'denied', ticket, reason: state.reason } : null;
      case 'expired':
      case 'revoked':
        return joins ? null : { kind: 'expired', ticket };
      case 'used':
        return null;
      default:
        return state satisfies never;
    }
  }

  #use(found: Ticket, exchangeId: string, nowMs: number): ApprovalAnswer {
    const used: TicketEvent = { kind: 'used', exchangeId, timeMs: nowMs };
    if (found.state.kind === 'granted' && found.state.usesLeft > 1) this.#append(found.ticket, used);
    else this.#end(found.ticket, used);
    const approvedBy = found.events.flatMap((event) => (event.kind === 'approved' ? [recordedNameOf(event.by)] : []));
    return { kind: 'granted', ticket: found.ticket, approvedBy };
  }

  #open({ exchangeId, binding, caller, scopes, terms, summary }: ApprovalRequest, nowMs: number): ApprovalAnswer {
    const limit = this.#limitMet(caller);
    if (limit !== null) return { kind: 'full', limit };
    const ticket = newTicketId(nowMs);
    const untilMs = nowMs + terms.openMs;
    this.#sql('insert into tickets values (?, ?, ?, ?, ?, ?, ?, ?)').run(
      ...[ticket, binding, caller, nowMs, untilMs],
      ...[JSON.stringify(terms), JSON.stringify(scopes), JSON.stringify(summary)],
    );
    this.#sql('insert into live values (?, ?, ?)').run(ticket, caller, untilMs);
    this.#append(ticket, { kind: 'opened', timeMs: nowMs });
    this.#append(ticket, { kind: 'waiting', exchangeId, timeMs: nowMs });
    return { kind: 'pending', ticket, untilMs };
  }

  #limitMet(caller: string): 'ticketsMax' | 'ticketsPerCallerMax' | null {
    const count = (row: Record<string, unknown> | undefined): number => Number(row?.count);
    if (count(this.#sql('select count(*) as count from live').get()) >= this.#limits.ticketsMax) return 'ticketsMax';
    const own = count(this.#sql('select count(*) as count from live where caller = ?').get(caller));
    return own >= this.#limits.ticketsPerCallerMax ? 'ticketsPerCallerMax' : null;
  }

  #apply({ ticket, terms, state }: Ticket, decision: Decision, nowMs: number): void {
    const { by, reason } = decision;
    switch (decision.kind) {
      case 'deny':
        this.#end(ticket, { kind: 'denied', by, reason, timeMs: nowMs });
        return;
      case 'revoke':
        this.#end(ticket, { kind: 'revoked', by, reason, timeMs: nowMs });
        return;
      case 'approve': {
        const grant = grantOf(decision, terms, nowMs);
        this.#append(ticket, { kind: 'approved', by, reason, grant, timeMs: nowMs });
        const before = state.kind === 'pending' ? state.approvals : [];
        const all = [...before, { grant, forMs: grant.untilMs - nowMs }];
        if (all.length >= terms.quorum) this.#grant(ticket, agreed(all, nowMs), nowMs);
        return;
      }
      default:
        decision satisfies never;
    }
  }

  #grant(ticket: string, grant: Grant, nowMs: number): void {
    this.#append(ticket, { kind: 'granted', grant, timeMs: nowMs });
    this.#makeUsable(ticket, grant);
  }

  #makeUsable(ticket: string, grant: Grant): void {
    const row = this.#sql('select caller, scopes from tickets where ticket = ?').get(ticket);
    this.#sql('insert or replace into live values (?, ?, ?)').run(ticket, String(row?.caller), grant.untilMs);
    for (const { kind, key } of JSON.parse(String(row?.scopes)) as OfferedScope[]) {
      if (kind === grant.scope) this.#sql('insert into grants values (?, ?, ?)').run(key, ticket, grant.untilMs);
    }
  }

  #end(ticket: string, event: TicketEvent): void {
    this.#append(ticket, event);
    this.#sql('delete from live where ticket = ?').run(ticket);
    this.#sql('delete from grants where ticket = ?').run(ticket);
  }

  #append(ticket: string, event: TicketEvent): void {
    this.#sql('insert into events (ticket, event) values (?, ?)').run(ticket, JSON.stringify(event));
  }

  #load(ticket: string, nowMs: number): Ticket | null {
    const row = this.#sql('select * from tickets where ticket = ?').get(ticket) as Row | undefined;
    if (row === undefined) return null;
    const events = this.#sql('select event from events where ticket = ? order by number')
      .all(ticket)
      .map(({ event }) => JSON.parse(String(event)) as TicketEvent);
    const state = stateOf(events, row.until_ms, nowMs);
    const { opened_ms: openedMs, terms, summary } = row;
    return { ticket, openedMs, terms: JSON.parse(terms), summary: JSON.parse(summary), events, state };
  }

  #sql(text: string): StatementSync {
    const known = this.#statements.get(text);
    if (known !== undefined) return known;
    const statement = this.#database.prepare(text);
    this.#statements.set(text, statement);
    return statement;
  }
}

/** Sorts by time, and is short enough to be read out; 40 random bits, because it only locates and never decides. */
function newTicketId(nowMs: number): string {
  const time = Math.floor(nowMs / 1000).toString(36);
  return `t-${time}-${randomBytes(5).toString('hex')}`;
}
