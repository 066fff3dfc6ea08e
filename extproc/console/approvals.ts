/** What one person may see and decide of what is held; pages and API do nothing with tickets but by this. */
import { createHash } from 'node:crypto';
import type { Decided, Decision } from '../approvals/decision.ts';
import { approverListsOf } from '../approvals/ticket.ts';
import type { Ticket } from '../approvals/tickets.ts';
import type { LookKind, LookLog } from '../looks/look-log.ts';
import type { Masked } from '../masking/masked.ts';
import type { ConsoleDecision, ConsoleInput } from '../policy/console.ts';
import { approverOf, lookingPerson, operatorOf, type Person } from './person.ts';
import { VisiblePages } from './visible.ts';

/** The tickets of this node (extproc/approvals). */
export type TicketDesk = {
  /** Changes whenever another process wrote. */
  readonly version: number;
  read(ticket: string, nowMs: number): Ticket | null;
  list(which: 'live' | 'all', limit: number, nowMs: number, after?: string): Ticket[];
  decide(ticket: string, decision: Decision, nowMs: number): Decided;
};

export type ConsolePolicy = { console(input: ConsoleInput): ConsoleDecision };

export type ApprovalsParts = {
  desk: TicketDesk;
  lookLog: Pick<LookLog, 'record'>;
  mask(text: string): Masked<string>;
  /** As it is in the files now. Rejects with SkilltapeError when it has a fault: nobody sees or decides anything then. */
  policy(): Promise<ConsolePolicy>;
  /** Of the provider where people log in: its groups are meant where policy does not say whose. */
  homeIssuer: string;
  now(): number;
};

/** What a person wants to decide. */
export type Wish =
  | { kind: 'approve'; reason: string; scope: Ticket['terms']['scopes'][number]; uses: number; forMs: number }
  | { kind: 'deny'; reason: string }
  | { kind: 'revoke'; reason: string };

export type Reason = ConsoleDecision['reasons'][number];

/** `hidden`: there is none, or they may not see it; the two are not told apart. */
export type Seen =
  | { kind: 'ticket'; ticket: Ticket; mayDecide: boolean; whyNot: readonly Reason[] }
  | { kind: 'hidden' };

/** `conflict`: what it was already when this came. */
export type Outcome =
  | { kind: 'recorded'; ticket: Ticket }
  | { kind: 'hidden' }
  | { kind: 'denied'; reasons: readonly Reason[] }
  | { kind: 'conflict'; why: Exclude<Extract<Decided, { kind: 'refused' }>['why'], 'not_found'>; ticket: Ticket };

/** `next`: the cursor of what comes next; null: that was all. */
export type Listed = { tickets: Ticket[]; next: string | null };

/** Stands in for a reason when it is asked whether somebody could decide at all. */
const anyReason = 'x'.repeat(500);

/** Another one for whatever a page would show otherwise; says nothing beside that. */
export function glanceOf(tickets: readonly Ticket[]): string {
  const states = tickets.map(({ ticket, state, events }) => `${ticket} ${state.kind} ${events.length}`);
  return createHash('sha256').update(states.join('\n')).digest('base64url').slice(0, 16);
}

export class Approvals {
  readonly #parts: ApprovalsParts;
  readonly #pages = new VisiblePages();

  constructor(parts: ApprovalsParts) {
    this.#parts = parts;
  }

  /** Records the look, and gives what the person may see; null where `after` is no cursor of this list. */
  async list(person: Person, which: 'live' | 'all', limit: number, after?: string): Promise<Listed | null> {
    this.#look(person, 'approvals', which === 'live' ? 'open tickets' : 'all tickets');
    return this.#visible(person, which, limit, after);
  }

  /** Says nothing but whether what a person may see is as it was: one ticket, or what `list` gives of the live ones. */
  async glance(person: Person, of: { ticket: string } | { limit: number }): Promise<string> {
    const policy = await this.#parts.policy();
    const nowMs = this.#parts.now();
    const one = 'ticket' in of ? this.#parts.desk.read(of.ticket, nowMs) : null;
    const tickets =
      'limit' in of
        ? ((await this.#visible(person, 'live', of.limit))?.tickets ?? [])
        : [one].filter((ticket) => ticket !== null && this.#maySee(policy, person, ticket));
    return glanceOf(tickets.filter((ticket) => ticket !== null));
  }

  async read(person: Person, id: string): Promise<Seen> {
    this.#look(person, 'approvals', id);
    const policy = await this.#parts.policy();
    const ticket = this.#parts.desk.read(id, this.#parts.now());
    if (ticket === null || !this.#maySee(policy, person, ticket)) return { kind: 'hidden' };
    const { verdict, reasons } = policy.console(this.#asked(person, ticket, 'decide', anyReason));
    return { kind: 'ticket', ticket, mayDecide: verdict === 'allow', whyNot: reasons };
  }

  /** The attempt is recorded before anything is asked, and what was refused once more with why. */
  async decide(person: Person, id: string, wish: Wish): Promise<Outcome> {
    const reason = this.#parts.mask(wish.reason);
    this.#look(person, 'decision', `${wish.kind} ${id}`, reason);
    const policy = await this.#parts.policy();
    const { desk, now } = this.#parts;
    const ticket = desk.read(id, now());
    if (ticket === null || !this.#maySee(policy, person, ticket)) {
      this.refused(person, `${wish.kind} ${id}`, 'not to be seen');
      return { kind: 'hidden' };
    }
    const { verdict, reasons } = policy.console(this.#asked(person, ticket, 'decide', wish.reason));
    if (verdict !== 'allow') {
      this.refused(person, `${wish.kind} ${id}`, reasons.map(({ rule }) => rule).join(', '));
      return { kind: 'denied', reasons };
    }
    const decided = desk.decide(id, { ...wish, reason, by: approverOf(person) }, now());
    if (decided.kind === 'recorded') return decided;
    this.refused(person, `${wish.kind} ${id}`, `${decided.why} ${decided.state}`.trim());
    if (decided.why === 'not_found') return { kind: 'hidden' };
    return { kind: 'conflict', why: decided.why, ticket: desk.read(id, now()) ?? ticket };
  }

  /** Writes down that something was not done. */
  refused(person: Person, what: string, why: string): void {
    this.#look(person, 'decision', `refused: ${what} (${why})`);
  }

  async #visible(person: Person, which: 'live' | 'all', limit: number, cursor?: string): Promise<Listed | null> {
    const policy = await this.#parts.policy();
    const list = {
      name: which,
      idOf: ({ ticket }: Ticket) => ticket,
      read: (after: string | undefined, count: number) => this.#parts.desk.list(which, count, this.#parts.now(), after),
      isVisible: (ticket: Ticket) => this.#maySee(policy, person, ticket),
    };
    const page = await this.#pages.page(person, list, limit, cursor);
    return page && { tickets: page.items, next: page.next };
  }

  #maySee(policy: ConsolePolicy, person: Person, ticket: Ticket): boolean {
    return policy.console(this.#asked(person, ticket, 'approvals', '')).verdict === 'allow';
  }

  #asked(person: Person, ticket: Ticket, action: ConsoleInput['action'], reason: string): ConsoleInput {
    const { summary, terms, events } = ticket;
    const whose = summary.person;
    return {
      version: 1,
      action,
      operator: operatorOf(person, this.#parts.homeIssuer),
      person: whose === null ? null : { issuer: whose.issuer, subject: whose.subject, email: whose.email, groups: [] },
      ...{ connection: summary.connection, session: summary.session, retention_class: '' },
      exchange: events.find((event) => event.kind === 'waiting')?.exchangeId ?? '',
      ...{ types: [], values: 0, reason },
      last_hour: { operator_values: 0, person_values: 0 },
      approvers: approverListsOf(terms),
      time: new Date(this.#parts.now()).toISOString(),
    };
  }

  #look(person: Person, what: LookKind, subject: string, why?: Masked<string>): void {
    const { lookLog, mask } = this.#parts;
    lookLog.record({ who: lookingPerson(person), what, subject: mask(subject), why });
  }
}
