import type { TicketFeed } from './feed.ts';
import type { TicketEvent } from './ticket.ts';
import type { Ticket } from './tickets.ts';

/** How a ticket ended; what became of a grant after it is not counted. */
export const ticketEnds = ['approved', 'denied', 'expired'] as const;
export type TicketEnd = (typeof ticketEnds)[number];

/** What happened to a ticket, for whoever counts; `afterMs` from its opening. */
export type Counted =
  | { kind: 'opened'; rules: string[] }
  | { kind: 'ended'; rules: string[]; how: TicketEnd; afterMs: number };

/** Tickets that are undecided or can still be used, as they are now. */
export type LiveFigures = {
  byRule: { rule: string; state: 'pending' | 'granted'; tickets: number }[];
  /** When the oldest undecided one was opened; null where there is none. */
  oldestPendingMs: number | null;
};

type Live = { rules: string[]; state: 'pending' | 'granted'; openedMs: number };

/** Follows the tickets and counts them by the rules that held them. */
export class TicketFigures {
  readonly #feed: TicketFeed;
  readonly #live = new Map<string, Live>();
  #cursor: number;

  /** Counts from now on; what is live already is known. */
  constructor(feed: TicketFeed, nowMs: number) {
    this.#feed = feed;
    this.#cursor = feed.lastNumber;
    for (const id of feed.live()) this.#look(id, feed.read(id, nowMs));
  }

  /** What happened since the last time, of at most `limit` events. */
  follow(limit: number, nowMs: number): { counted: Counted[]; isMore: boolean } {
    const events = this.#feed.since(this.#cursor, limit);
    this.#cursor = events.at(-1)?.number ?? this.#cursor;
    const counted = events.flatMap(({ id, event }) => {
      const ticket = this.#feed.read(id, nowMs);
      this.#look(id, ticket);
      return ticket === null ? [] : countedOf(event, ticket);
    });
    return { counted, isMore: events.length === limit };
  }

  live(): LiveFigures {
    const counts = new Map<string, { rule: string; state: Live['state']; tickets: number }>();
    let oldestPendingMs: number | null = null;
    for (const { rules, state, openedMs } of this.#live.values()) {
      if (state === 'pending') oldestPendingMs = Math.min(oldestPendingMs ?? openedMs, openedMs);
      for (const rule of rules) {
        const key = `${state} ${rule}`;
        const counted = counts.get(key) ?? { rule, state, tickets: 0 };
        counted.tickets += 1;
        counts.set(key, counted);
      }
    }
    return { byRule: [...counts.values()], oldestPendingMs };
  }

  #look(id: string, ticket: Ticket | null): void {
    const state = ticket?.state.kind;
    if (ticket !== null && (state === 'pending' || state === 'granted'))
      this.#live.set(id, { rules: rulesOf(ticket), state, openedMs: ticket.openedMs });
    else this.#live.delete(id);
  }
}

/** The rules that held it, each once. */
export function rulesOf({ summary }: Pick<Ticket, 'summary'>): string[] {
  return [...new Set(summary.reasons.map(({ rule }) => rule))];
}

function countedOf(event: TicketEvent, ticket: Ticket): Counted[] {
  const rules = rulesOf(ticket);
  const afterMs = Math.max(0, event.timeMs - ticket.openedMs);
  switch (event.kind) {
    case 'opened':
      return [{ kind: 'opened', rules }];
    case 'granted':
      return [{ kind: 'ended', rules, how: 'approved', afterMs }];
    case 'denied':
      return [{ kind: 'ended', rules, how: 'denied', afterMs }];
    case 'expired':
      // A grant that nobody used was decided before.
      return ticket.events.some(({ kind }) => kind === 'granted')
        ? []
        : [{ kind: 'ended', rules, how: 'expired', afterMs }];
    case 'waiting':
    case 'left':
    case 'approved':
    case 'used':
    case 'given_back':
    case 'revoked':
    case 'notified':
    case 'not_notified':
      return [];
    default:
      return event satisfies never;
  }
}
