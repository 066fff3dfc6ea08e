import { rulesOf } from './figures.ts';
import { openTickets } from './schema.ts';
import { type Ticket, Tickets } from './tickets.ts';

/**
 * What a rule held. `decided*Ms` are from the opening of a ticket to its decision by people; null where nobody decided.
 * `requests` counts attempts: a client that is told to come again counts again.
 */
export type RuleStats = {
  rule: string;
  held: number;
  requests: number;
  approved: number;
  denied: number;
  expired: number;
  pending: number;
  decidedMedianMs: number | null;
  decidedP95Ms: number | null;
};

/** The newest ones; older ones are not looked at (inv. 10). */
export const statsTicketsMax = 100_000;

/** By rule, the one that held most first. A ticket that several rules held counts for each. */
export function ticketStats(file: string, { fromMs, nowMs }: { fromMs: number; nowMs: number }): RuleStats[] {
  const database = openTickets(file);
  const tickets = new Tickets(file);
  try {
    const sums = new Map<string, Sum>();
    const ids = database
      .prepare('select ticket from tickets where opened_ms >= ? order by ticket desc limit ?')
      .iterate(fromMs, statsTicketsMax);
    for (const { ticket: id } of ids) {
      const ticket = tickets.read(String(id), nowMs);
      if (ticket !== null) add(sums, ticket);
    }
    return [...sums.values()].map(statsOf).sort((a, b) => b.held - a.held || a.rule.localeCompare(b.rule));
  } finally {
    tickets.close();
    database.close();
  }
}

type Sum = Omit<RuleStats, 'decidedMedianMs' | 'decidedP95Ms'> & { decidedMs: number[] };

function add(sums: Map<string, Sum>, ticket: Ticket): void {
  const decision = ticket.events.find(({ kind }) => kind === 'granted' || kind === 'denied');
  const ended = decision === undefined ? (ticket.state.kind === 'pending' ? 'pending' : 'expired') : null;
  for (const rule of rulesOf(ticket)) {
    const none = { held: 0, requests: 0, approved: 0, denied: 0, expired: 0, pending: 0 };
    const sum: Sum = sums.get(rule) ?? { rule, ...none, decidedMs: [] };
    sums.set(rule, sum);
    sum.held += 1;
    sum.requests += ticket.events.filter(({ kind }) => kind === 'waiting').length;
    sum[decision?.kind === 'granted' ? 'approved' : decision?.kind === 'denied' ? 'denied' : (ended ?? 'expired')] += 1;
    if (decision !== undefined) sum.decidedMs.push(Math.max(0, decision.timeMs - ticket.openedMs));
  }
}

function statsOf({ decidedMs, ...counts }: Sum): RuleStats {
  const sorted = decidedMs.toSorted((a, b) => a - b);
  // The smallest time within which that share was decided.
  const within = (share: number) => sorted[Math.ceil(share * sorted.length) - 1] ?? null;
  return { ...counts, decidedMedianMs: within(0.5), decidedP95Ms: within(0.95) };
}
