import { existsSync, statSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import type { HeldGrant } from '../exchange/held-grants.ts';
import { openForReading } from '../index/sqlite/database.ts';
import type { Person } from './grant.ts';
import { type Grant, grantOf } from './grants.ts';

/** How old what is known may be; what a person took back is out of force everywhere after so long. */
export const lookIntervalMs = 250;

/** As many as any configuration lets be in force at once (inv. 10). */
const inForceMax = 10_000;

type InForce = { grant: Grant; fromMs: number; untilMs: number };

/**
 * The grants that are in force, for one process, in memory. Whenever it is asked and the last look is older than
 * `lookIntervalMs`, it looks whether the file changed, which costs microseconds. What cannot be read is in force for nobody.
 */
export class GrantsInForce {
  readonly #file: string;
  readonly #onFault: (fault: unknown) => void;
  readonly #elapsedMs: () => number;
  #database: { reader: DatabaseSync; inode: number } | null = null;
  #version = -1;
  #lookedAtMs = Number.NEGATIVE_INFINITY;
  #all: InForce[] = [];
  #byHolder = new Map<string, InForce[]>();
  #hasFault = false;

  /** @param elapsedMs a clock that is never set back */
  constructor(file: string, onFault: (fault: unknown) => void = () => {}, elapsedMs = () => performance.now()) {
    this.#file = file;
    this.#onFault = onFault;
    this.#elapsedMs = elapsedMs;
  }

  close(): void {
    this.#database?.reader.close();
    this.#database = null;
  }

  /** Of this person on this connection, with those for everybody. */
  holding(holder: Person | null, connection: string, nowMs: number): HeldGrant[] {
    if (holder === null) return [];
    this.#look(nowMs);
    if (this.#byHolder.size === 0) return [];
    const own = this.#byHolder.get(keyOf(holder)) ?? [];
    const found = [...own, ...(this.#byHolder.get(keyOf(null)) ?? [])].filter(
      (one) => holdsAt(one, nowMs) && isFor(one.grant, connection),
    );
    return found.map(heldOf);
  }

  /** All that are in force now. */
  all(nowMs: number): readonly Grant[] {
    this.#look(nowMs);
    return this.#all.filter((one) => holdsAt(one, nowMs)).map(({ grant }) => grant);
  }

  /** Whether something that was asked for or given has ended by its time, and nobody wrote it down. Reads the file. */
  isDue(nowMs: number): boolean {
    this.#look(nowMs);
    const due = this.#database?.reader.prepare('select 1 from live where until_ms <= ? limit 1').get(nowMs);
    return due !== undefined;
  }

  #look(nowMs: number): void {
    const elapsedMs = this.#elapsedMs();
    if (elapsedMs - this.#lookedAtMs < lookIntervalMs) return;
    this.#lookedAtMs = elapsedMs;
    try {
      this.#readIfChanged(nowMs);
      this.#hasFault = false;
    } catch (thrown) {
      // Nobody knows what was taken back since (inv. 2).
      this.#forget();
      if (!this.#hasFault) this.#onFault(thrown);
      this.#hasFault = true;
    }
  }

  #readIfChanged(nowMs: number): void {
    if (!existsSync(this.#file)) {
      this.#forget();
      return;
    }
    const inode = statSync(this.#file).ino;
    if (this.#database !== null && this.#database.inode !== inode) this.#forget();
    this.#database ??= { reader: openForReading(this.#file), inode };
    const { reader } = this.#database;
    const version = Number(reader.prepare('pragma data_version').get()?.data_version);
    if (version === this.#version) return;
    this.#take(readInForce(reader, nowMs));
    this.#version = version;
  }

  #take(grants: readonly Grant[]): void {
    this.#all = grants.flatMap((grant) =>
      grant.state.kind === 'in_force' ? [{ grant, fromMs: grant.state.fromMs, untilMs: grant.state.untilMs }] : [],
    );
    this.#byHolder = Map.groupBy(this.#all, ({ grant }) => keyOf(grant.wanted.holder));
  }

  #forget(): void {
    this.close();
    this.#version = -1;
    this.#take([]);
  }
}

function readInForce(reader: DatabaseSync, nowMs: number): Grant[] {
  reader.exec('begin');
  try {
    const rows = reader
      .prepare('select asked.* from in_force join asked using (id) order by id limit ?')
      .all(inForceMax);
    const eventsOf = reader.prepare('select event from events where id = ? order by number');
    return rows.map((row) =>
      grantOf(
        row,
        eventsOf.all(String(row.id)).map(({ event }) => event),
        nowMs,
      ),
    );
  } finally {
    reader.exec('commit');
  }
}

/** A clock that was set back before its beginning does not make a grant longer. */
function holdsAt({ fromMs, untilMs }: InForce, nowMs: number): boolean {
  return fromMs <= nowMs && nowMs < untilMs;
}

function isFor({ wanted }: Grant, connection: string): boolean {
  return wanted.connection === null || wanted.connection === connection;
}

function keyOf(holder: Person | null): string {
  return holder === null ? '' : JSON.stringify([holder.issuer, holder.subject]);
}

function heldOf({ grant: { id, wanted, events }, untilMs }: InForce): HeldGrant {
  const asked = events.find((event) => event.kind === 'asked');
  const by = events.flatMap((event) => (event.kind === 'approved' ? [event.by.name] : []));
  // Break-glass takes those who asked for it as much as those who confirmed it.
  const all = wanted.kind === 'break_glass' && asked !== undefined ? [asked.by.name, ...by] : by;
  const reason = asked?.reason ?? '';
  return { id, kind: wanted.kind, skill: wanted.skill, model: wanted.model, untilMs, by: all, reason };
}
