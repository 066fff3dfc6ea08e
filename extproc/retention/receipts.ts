/** What was deleted, when, why and by whom: one line when a run begins, so that a kill in the middle shows, and one when it ends. */
import { z } from 'zod';
import type { DayOfClass } from '../index/retention.ts';
import { EventLog, type EventLogParts, type Numbered } from './event-log.ts';
import { familyOf, isFamilyStore } from './families.ts';
import type { Step } from './plan.ts';

const text = z.string().max(4_096);
const count = z.int().nonnegative();
const numbered = {
  version: z.literal(1),
  number: z.int().positive(),
  previous: z.string().nullable(),
  timeMs: count,
  /** The same in the lines of one run. */
  run: z.string().max(64),
};
const step = {
  store: z.enum(['archive', 'held', 'metadata', 'held_metadata', 'index', 'reveal']),
  action: z.enum(['delete', 'reduce', 'move']),
  retentionClass: z.string(),
  day: z.iso.date(),
  items: count,
  bytes: count,
  because: z.enum(['content_expired', 'metadata_expired', 'disk_budget']),
};
const plannedStep = z.strictObject({ ...step, holds: z.array(z.string()).optional() });
plannedStep satisfies z.ZodType<Step>;
/** `held`: exchanges that stay, and what they take, of a step that went around holds. */
const doneStep = z.strictObject({
  ...plannedStep.shape,
  held: z.strictObject({ exchanges: count, bytes: count }).optional(),
});
const keptStep = z.strictObject({
  ...step,
  why: z.enum(['held', 'hold_unknown', 'other_writer']),
  holds: z.array(z.string()),
});
/** What is still to do, and why it could not be done now. */
const toDoStep = z.strictObject({ ...plannedStep.shape, reason: text });
const sums = z.record(z.string(), z.strictObject({ items: count, bytes: count }));

const receipt = z.discriminatedUnion('kind', [
  z.strictObject({ ...numbered, kind: z.literal('sweep_begun'), by: text, reason: text, steps: z.array(plannedStep) }),
  z.strictObject({
    ...{ ...numbered, kind: z.literal('sweep_ended') },
    done: z.array(doneStep),
    kept: z.array(keptStep),
    toDo: z.array(toDoStep),
    /** Stores that could not be asked at all, and why. */
    away: z.record(z.string(), text),
    /** Of what was done, by store. */
    sums,
    /** Erasures that were finished by this run, and those that still are not, by the run that began them. */
    erasures: z.strictObject({
      finished: z.array(text),
      waiting: z.array(text),
      /** Nothing but the journals has what the person said, until they let go of it. */
      inJournal: z.array(text).optional(),
    }),
  }),
  z.strictObject({
    ...{ ...numbered, kind: z.literal('erase') },
    by: text,
    reason: text,
    /** A keyed hash. */
    person: text,
    /** `left_journals`: after `erased`, when the journals had nothing of the person's any more. */
    outcome: z.enum(['erased', 'waiting', 'refused', 'left_journals']),
    /** By which it was refused; none where it could not be told whether there is one. */
    holds: z.array(text),
    keys: count,
    documents: count,
    rejects: count,
    values: count,
    toDo: z.array(text),
  }),
]);
export type Receipt = z.output<typeof receipt> & Numbered;
export type SweepEnded = Extract<Receipt, { kind: 'sweep_ended' }>;
export type EraseReceipt = Extract<Receipt, { kind: 'erase' }>;

type Unnumbered<T> = T extends unknown ? Omit<T, 'version' | 'number' | 'previous'> : never;

export class Receipts {
  readonly #log: EventLog<Receipt>;

  private constructor(log: EventLog<Receipt>) {
    this.#log = log;
  }

  /** @throws SkilltapeError `archive_corrupt` */
  static async open(parts: EventLogParts): Promise<Receipts> {
    return new Receipts(await EventLog.open<Receipt>(parts, 'receipt', receipt as z.ZodType<Receipt>));
  }

  list(): readonly Receipt[] {
    return this.#log.events;
  }

  /** What the last sweep left; of one that was killed, all that it was about to do. */
  owed(): Step[] {
    for (const event of this.#log.events.toReversed()) {
      if (event.kind === 'sweep_begun') return event.steps;
      if (event.kind === 'sweep_ended') return event.toDo.map(({ reason: _reason, ...owed }) => owed);
    }
    return [];
  }

  /**
   * When the sweep began that last looked through what holds kept of this family, or moved it; 0 before the first. One
   * that could not, since the index was away or lacked the day, does not count. Milliseconds since the epoch.
   */
  lookedThroughMs(): (of: DayOfClass & { store: 'held' | 'held_metadata' }) => number {
    const begun = new Map<string, number>();
    const looked = new Map<string, number>();
    for (const event of this.#log.events) {
      if (event.kind === 'sweep_begun') begun.set(event.run, event.timeMs);
      if (event.kind !== 'sweep_ended') continue;
      for (const { store, action, ...of } of event.done) {
        if (!isFamilyStore(store)) continue;
        const isKeptByHolds = store === 'held' || store === 'held_metadata';
        if (isKeptByHolds || action === 'move')
          looked.set(nameOf(familyOf({ store, ...of })), begun.get(event.run) ?? 0);
      }
    }
    return (of) => looked.get(nameOf(familyOf(of))) ?? 0;
  }

  /** Durable on return. */
  async append<T extends Unnumbered<Receipt>>(event: T): Promise<Receipt> {
    return this.#log.append(event as unknown as Omit<Receipt, 'version' | 'number' | 'previous'>);
  }
}

function nameOf({ retentionClass, day }: DayOfClass): string {
  return `${retentionClass}/${day}`;
}
