import { randomBytes } from 'node:crypto';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { inTransaction } from '../index/sqlite/database.ts';
import {
  type Actor,
  type GrantEvent,
  type GrantState,
  type GrantTerms,
  isSameActor,
  isSamePerson,
  type Person,
  stateOf,
  type Wanted,
} from './grant.ts';
import { holderColumns, openGrants } from './schema.ts';

export type Grant = {
  id: string;
  askedMs: number;
  wanted: Wanted;
  terms: GrantTerms;
  events: GrantEvent[];
  state: GrantState;
};

export type Asking = { wanted: Wanted; terms: GrantTerms; by: Actor; reason: string };

/** `forMs`: a shorter time than was asked for. */
export type GrantDecision =
  | { kind: 'approve'; by: Actor; reason: string; forMs?: number | undefined }
  | { kind: 'deny'; by: Actor; reason: string }
  | { kind: 'revoke'; by: Actor; reason: string };

export type GrantRefusal = 'not_found' | 'not_open' | 'own' | 'approved_before';

export type GrantDecided =
  | { kind: 'recorded'; grant: Grant }
  /** `state`: what it was already when this came. */
  | { kind: 'refused'; why: GrantRefusal; state: string };

export type GrantAsked =
  /** `isNew` is false where the same person asks for the same thing, which is still open. */
  { kind: 'recorded'; grant: Grant; isNew: boolean } | { kind: 'full'; limit: keyof GrantLimits };

/** Open requests and grants in force at once (inv. 10). */
export type GrantLimits = { grantsMax: number; grantsPerPersonMax: number };

export const usualGrantLimits: GrantLimits = { grantsMax: 1_000, grantsPerPersonMax: 20 };

/**
 * All grants of a data directory. Several processes may have them open: each step is one transaction that looks at what is
 * there before it adds to it, so of two decisions at once one comes first.
 */
export class Grants {
  readonly #database: DatabaseSync;
  readonly #limits: GrantLimits;
  readonly #statements = new Map<string, StatementSync>();

  constructor(file: string, limits: GrantLimits = usualGrantLimits) {
    this.#database = openGrants(file);
    this.#limits = limits;
  }

  close(): void {
    this.#database.close();
  }

  /** Changes whenever another process wrote. */
  get version(): number {
    return Number(this.#sql('pragma data_version').get()?.data_version);
  }

  ask({ wanted, terms, by, reason }: Asking, nowMs: number): GrantAsked {
    return inTransaction(this.#database, () => {
      this.#sweep(nowMs);
      const asker = JSON.stringify([by.person ?? by.uid, wanted.holder?.issuer, wanted.holder?.subject]);
      const own = this.#sql('select id from live where asker = ?').all(asker);
      const open = own.flatMap(({ id }) => this.#load(String(id), nowMs) ?? []);
      const same = open.find((grant) => grant.state.kind === 'pending' && isSameThing(grant.wanted, wanted));
      if (same !== undefined) return { kind: 'recorded', grant: same, isNew: false };
      if (own.length >= this.#limits.grantsPerPersonMax) return { kind: 'full', limit: 'grantsPerPersonMax' };
      const all = Number(this.#sql('select count(*) as count from live').get()?.count);
      if (all >= this.#limits.grantsMax) return { kind: 'full', limit: 'grantsMax' };
      const id = newGrantId(nowMs);
      const untilMs = nowMs + terms.openMs;
      const documents = [JSON.stringify(wanted), JSON.stringify(terms)];
      this.#sql('insert into asked values (?, ?, ?, ?, ?)').run(id, nowMs, untilMs, ...documents);
      this.#sql('insert into live values (?, ?, ?)').run(id, asker, untilMs);
      this.#append(id, { kind: 'asked', by, reason, timeMs: nowMs });
      return { kind: 'recorded', grant: this.#loaded(id, nowMs), isNew: true };
    });
  }

  decide(id: string, decision: GrantDecision, nowMs: number): GrantDecided {
    return inTransaction(this.#database, () => {
      const grant = this.#load(id, nowMs);
      if (grant === null) return { kind: 'refused', why: 'not_found', state: '' };
      const why = refusalOf(grant, decision);
      if (why !== null) return { kind: 'refused', why, state: grant.state.kind };
      this.#apply(grant, decision, nowMs);
      return { kind: 'recorded', grant: this.#loaded(id, nowMs) };
    });
  }

  /** Writes down what nobody decided in time, and what ended by its time (inv. 4). */
  sweep(nowMs: number): number {
    return inTransaction(this.#database, () => this.#sweep(nowMs));
  }

  read(id: string, nowMs: number): Grant | null {
    return this.#load(id, nowMs);
  }

  /** Those that wait for a decision or are in force, the oldest first; or all, the newest first; behind `after`. */
  list(which: 'live' | 'all', limit: number, nowMs: number, after?: string): Grant[] {
    const ids =
      which === 'live'
        ? this.#sql('select id from live where until_ms > ? and id > ? order by id limit ?').all(
            nowMs,
            after ?? '',
            limit,
          )
        : this.#sql('select id from asked where id < ? order by id desc limit ?').all(after ?? '~', limit);
    return ids.flatMap(({ id }) => this.#load(String(id), nowMs) ?? []);
  }

  /** What is or was for one person, the newest first; behind `after`. */
  listOf({ issuer, subject }: Person, limit: number, nowMs: number, after?: string): Grant[] {
    const ids = this.#sql(
      `select id from asked where (${holderColumns}) = (?, ?) and id < ? order by id desc limit ?`,
    ).all(issuer, subject, after ?? '~', limit);
    return ids.flatMap(({ id }) => this.#load(String(id), nowMs) ?? []);
  }

  #apply({ id, wanted, terms, state }: Grant, decision: GrantDecision, nowMs: number): void {
    const { by, reason } = decision;
    switch (decision.kind) {
      case 'deny':
        this.#end(id, { kind: 'denied', by, reason, timeMs: nowMs });
        return;
      case 'revoke':
        this.#end(id, { kind: 'revoked', by, reason, timeMs: nowMs });
        return;
      case 'approve': {
        const forMs = Math.min(decision.forMs ?? wanted.forMs, wanted.forMs, terms.grantMaxMs);
        this.#append(id, { kind: 'approved', by, reason, forMs, timeMs: nowMs });
        const given = [...(state.kind === 'pending' ? state.approvals : []).map((one) => one.forMs), forMs];
        if (given.length >= terms.quorum) this.#grant(id, nowMs + Math.min(...given), nowMs);
        return;
      }
      default:
        decision satisfies never;
    }
  }

  #grant(id: string, untilMs: number, nowMs: number): void {
    this.#append(id, { kind: 'granted', untilMs, timeMs: nowMs });
    this.#sql('update live set until_ms = ? where id = ?').run(untilMs, id);
    this.#sql('insert into in_force values (?)').run(id);
  }

  #sweep(nowMs: number): number {
    const due = this.#sql('select id from live where until_ms <= ? limit 1000').all(nowMs);
    for (const { id } of due) this.#end(String(id), { kind: 'expired', timeMs: nowMs });
    return due.length;
  }

  #end(id: string, event: GrantEvent): void {
    this.#append(id, event);
    this.#sql('delete from live where id = ?').run(id);
    this.#sql('delete from in_force where id = ?').run(id);
  }

  #append(id: string, event: GrantEvent): void {
    this.#sql('insert into events (id, event) values (?, ?)').run(id, JSON.stringify(event));
  }

  #loaded(id: string, nowMs: number): Grant {
    const grant = this.#load(id, nowMs);
    if (grant === null) throw new Error(`the grant ${id} is not there`);
    return grant;
  }

  #load(id: string, nowMs: number): Grant | null {
    const row = this.#sql('select * from asked where id = ?').get(id);
    if (row === undefined) return null;
    const events = this.#sql('select event from events where id = ? order by number').all(id);
    return grantOf(
      row,
      events.map(({ event }) => event),
      nowMs,
    );
  }

  #sql(text: string): StatementSync {
    const known = this.#statements.get(text);
    if (known !== undefined) return known;
    const statement = this.#database.prepare(text);
    this.#statements.set(text, statement);
    return statement;
  }
}

/** From a row of `asked` and the events as they were written, in their order. */
export function grantOf(row: Record<string, unknown>, written: readonly unknown[], nowMs: number): Grant {
  const events = written.map((event) => JSON.parse(String(event)) as GrantEvent);
  return {
    id: String(row.id),
    askedMs: Number(row.asked_ms),
    wanted: JSON.parse(String(row.wanted)),
    terms: JSON.parse(String(row.terms)),
    events,
    state: stateOf(events, Number(row.until_ms), nowMs),
  };
}

/** Whoever asks, and whoever it is for, decides nothing; taking back is open to them too. */
function refusalOf({ wanted, events, state }: Grant, decision: GrantDecision): GrantRefusal | null {
  if (decision.kind === 'revoke') return state.kind === 'in_force' || state.kind === 'pending' ? null : 'not_open';
  if (state.kind !== 'pending') return 'not_open';
  const asker = events.flatMap((event) => (event.kind === 'asked' ? [event.by] : []));
  const isOwn = asker.some((by) => isOneOf(wanted.kind, by, decision.by));
  if (isOwn || isSamePerson(wanted.holder, decision.by.person)) return 'own';
  if (decision.kind === 'deny') return null;
  return state.approvals.some(({ by }) => isSameActor(by, decision.by)) ? 'approved_before' : null;
}

/** A person asks for access with their token from any account, also from one that decides for others. */
function isOneOf(kind: Wanted['kind'], asker: Actor, decides: Actor): boolean {
  return kind === 'access' ? isSamePerson(asker.person, decides.person) : isSameActor(asker, decides);
}

function isSameThing(one: Wanted, other: Wanted): boolean {
  const keyOf = ({ kind, connection, skill, model, forMs }: Wanted) =>
    JSON.stringify([kind, connection, skill, model, forMs]);
  return keyOf(one) === keyOf(other);
}

/** Sorts by time, and is short enough to be read out; 40 random bits, because it only locates and never decides. */
function newGrantId(nowMs: number): string {
  const time = Math.floor(nowMs / 1000).toString(36);
  return `g-${time}-${randomBytes(5).toString('hex')}`;
}
