/** Legal holds: what was added, what was found to be covered, what was released; nothing of it is ever taken away. */
import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { SkilltapeError } from '../errors.ts';
import type { DayOfClass } from '../index/retention.ts';
import { EventLog, type EventLogParts, type Numbered } from './event-log.ts';
import type { Hold, HoldScope } from './hold.ts';

const text = z.string().max(4_096);
const moment = z.int().nonnegative();
const numbered = {
  version: z.literal(1),
  number: z.int().positive(),
  previous: z.string().nullable(),
  timeMs: moment,
  id: z.string().max(32),
};
const scope = z.strictObject({
  person: z.strictObject({ issuer: text, subject: text }).optional(),
  session: text.optional(),
  connection: text.optional(),
  fromMs: moment.optional(),
  toMs: moment.optional(),
});
const days = z.array(z.strictObject({ retentionClass: z.string(), day: z.iso.date() }));
const holdEvent = z.discriminatedUnion('kind', [
  z.strictObject({ ...numbered, kind: z.literal('added'), scope, by: text, reason: text }),
  z.strictObject({ ...numbered, kind: z.literal('covered'), days }),
  z.strictObject({ ...numbered, kind: z.literal('released'), by: text, reason: text }),
]);
type HoldEvent = z.output<typeof holdEvent> & Numbered;

/** Each is looked at for each day of each store. */
const holdsInForceMax = 1_000;

export class Holds {
  readonly #log: EventLog<HoldEvent>;
  readonly #nowMs: () => number;

  private constructor(log: EventLog<HoldEvent>, nowMs: () => number) {
    this.#log = log;
    this.#nowMs = nowMs;
  }

  /** @throws SkilltapeError `archive_corrupt` */
  static async open(parts: EventLogParts & { nowMs: () => number }): Promise<Holds> {
    return new Holds(await EventLog.open<HoldEvent>(parts, 'hold', holdEvent as z.ZodType<HoldEvent>), parts.nowMs);
  }

  /** Oldest first, released ones too. */
  list(): Hold[] {
    const holds = new Map<string, Hold>();
    for (const event of this.#log.events) {
      const { id, timeMs } = event;
      const hold = holds.get(id);
      switch (event.kind) {
        case 'added': {
          const { by, reason } = event;
          holds.set(id, { id, scope: event.scope, addedMs: timeMs, by, reason, covered: [], released: null });
          break;
        }
        case 'covered':
          if (hold !== undefined) holds.set(id, { ...hold, covered: [...hold.covered, ...event.days] });
          break;
        case 'released': {
          const { by, reason } = event;
          if (hold !== undefined) holds.set(id, { ...hold, released: { timeMs, by, reason } });
          break;
        }
        default:
          event satisfies never;
      }
    }
    return [...holds.values()];
  }

  inForce(): Hold[] {
    return this.list().filter(({ released }) => released === null);
  }

  /** @throws SkilltapeError `usage` */
  async add(holdScope: HoldScope, by: string, reason: string): Promise<Hold> {
    if (this.inForce().length >= holdsInForceMax) {
      throw new SkilltapeError('usage', `there are ${holdsInForceMax} holds in force`, { remedy: 'release one first' });
    }
    const id = `hold-${randomBytes(4).toString('hex')}`;
    await this.#append({ kind: 'added', id, timeMs: this.#nowMs(), scope: holdScope, by, reason });
    return this.#get(id);
  }

  /** Remembers what of these days is new for it. */
  async cover(id: string, found: readonly DayOfClass[]): Promise<Hold> {
    const known = new Set(this.#get(id).covered.map(nameOf));
    const fresh = found.filter((one) => !known.has(nameOf(one)));
    if (fresh.length > 0) await this.#append({ kind: 'covered', id, timeMs: this.#nowMs(), days: fresh });
    return this.#get(id);
  }

  /** @throws SkilltapeError `usage` when there is no such hold in force */
  async release(id: string, by: string, reason: string): Promise<Hold> {
    if (!this.inForce().some((hold) => hold.id === id)) {
      throw new SkilltapeError('usage', `there is no hold ${id} in force`, { remedy: 'see `skilltape hold list`' });
    }
    await this.#append({ kind: 'released', id, timeMs: this.#nowMs(), by, reason });
    return this.#get(id);
  }

  #get(id: string): Hold {
    const hold = this.list().find((one) => one.id === id);
    if (hold === undefined) throw new SkilltapeError('internal', `no hold ${id}`);
    return hold;
  }

  async #append(event: Unnumbered<HoldEvent>): Promise<void> {
    await this.#log.append(event as Omit<HoldEvent, 'version' | 'number' | 'previous'>);
  }
}

type Unnumbered<T> = T extends unknown ? Omit<T, 'version' | 'number' | 'previous'> : never;

function nameOf({ retentionClass, day }: DayOfClass): string {
  return `${retentionClass}/${day}`;
}
