/** What would go now, and what would not although it is due, and why. Pure: the clock and all that is there are given. */
import type { DayOfClass, IndexDay } from '../index/retention.ts';
import { planBudget } from './budget.ts';
import { dueAtMs } from './days.ts';
import { dayOfFamily, isFamilyStore, isMetadataFamily } from './families.ts';
import type { Hold } from './hold.ts';
import { judgedOf } from './judged.ts';
import { daysOf, type RetentionRules } from './rules.ts';

/**
 * - `archive`: exchanges with their content; `metadata`: what of them the archive keeps longer.
 * - `held`, `held_metadata`: what holds kept of families of either that went.
 */
export type Store = 'archive' | 'held' | 'metadata' | 'held_metadata' | 'index' | 'reveal';
export type Because = 'content_expired' | 'metadata_expired' | 'disk_budget';

/**
 * `items`: segments, documents or values; `bytes`: of the archive, 0 elsewhere.
 * - `delete`: all that there is, or of an index all but what `holds` cover.
 * - `reduce`: texts go, metadata stays; of what holds kept: what no hold covers any more goes.
 * - `move`: records that these `holds` cover are kept by themselves, and the rest goes for good.
 */
export type Step = DayOfClass & {
  store: Store;
  action: 'delete' | 'reduce' | 'move';
  items: number;
  bytes: number;
  because: Because;
  holds?: string[] | undefined;
};

/**
 * - `held`: by these holds.
 * - `hold_unknown`: the index cannot say now whether these holds cover it.
 * - `other_writer`: the key that could sign its deletion is not here.
 */
export type Kept = Omit<Step, 'holds'> & { why: 'held' | 'hold_unknown' | 'other_writer'; holds: string[] };

/** What is not due: so many classes' days, and when the next one is. */
export type Young = { store: Store; retentionClass: string; days: number; nextMs: number };

export type Disk = { sizeBytes: number; usedBytes: number };
export type Budget = { budgetBytes: number; usedBytes: number; freedBytes: number; isMet: boolean };
export type Plan = { steps: Step[]; kept: Kept[]; young: Young[]; budget: Budget | null };

/** `retentionClass`: as the archive names the family. */
export type PlannedFamily = DayOfClass & { isOurs: boolean; segments: number; bytes: number };

export type PlanInput = {
  nowMs: number;
  rules: RetentionRules;
  families: readonly PlannedFamily[];
  /** What holds kept of families. */
  heldFamilies: readonly PlannedFamily[];
  /** A hold was released since a sweep last looked through what holds kept of this family: there may be records that none covers any more. */
  isHoldReleased: (of: DayOfClass & { store: 'held' | 'held_metadata' }) => boolean;
  /** Null: the index cannot be asked now. */
  indexDays: readonly IndexDay[] | null;
  /** Of these documents so many that a hold covers. */
  indexHeldDays: readonly IndexDay[];
  revealDays: readonly (DayOfClass & { values: number })[];
  /** Of these values so many that a hold covers; of a day that is not among them nobody can say. */
  revealHeldDays: readonly (DayOfClass & { values: number })[];
  /** Those in force. */
  holds: readonly Hold[];
  /** What an earlier sweep could not do. */
  owed: readonly Step[];
  /** Null: there is no telling how full the volume is. */
  disk: Disk | null;
};

/** What is there of one class and day in one store, and when it is due. */
export type Candidate = { step: Step; dueMs: number; isOurs: boolean };

export function planRetention(input: PlanInput): Plan {
  // The index last: it says which of the others are held.
  const { families, heldFamilies, rules } = input;
  const archived = families.map((family) => ofFamily(family, rules, isMetadataFamily(family) ? 'metadata' : 'archive'));
  // It was due when it was moved.
  const held = heldFamilies.map((family) =>
    ofFamily(family, rules, isMetadataFamily(family) ? 'held_metadata' : 'held'),
  );
  const candidates = [...archived, ...held, ...revealed(input), ...indexed(input)];
  const due = candidates.filter(({ dueMs }) => dueMs <= input.nowMs);
  const young = candidates.filter(({ dueMs }) => dueMs > input.nowMs);
  const judged = due.map((candidate) => judgedOf(candidate, input));
  const steps = judged.flatMap(({ step }) => step ?? []);
  const isFree = (candidate: Candidate) => {
    const { step, kept } = judgedOf(candidate, input);
    return kept === null && step?.action === candidate.step.action;
  };
  const { early, budget } = planBudget(input, steps, young, isFree);
  const planned = [...steps, ...early];
  const owed = input.owed
    .flatMap((step) => owedNow(step, planned, candidates))
    .map((candidate) => judgedOf(candidate, input));
  const all = [...planned, ...owed.flatMap(({ step }) => step ?? [])];
  return {
    steps: all,
    kept: [...judged, ...owed].flatMap(({ kept }) => kept ?? []),
    young: summed(young.filter(({ step }) => !all.some((other) => isSame(other, step)))),
    budget,
  };
}

function ofFamily(family: PlannedFamily, rules: RetentionRules, store: Step['store']): Candidate {
  const { retentionClass, day } = dayOfFamily(family);
  const { isOurs, segments, bytes } = family;
  const { contentDays, metadataDays } = daysOf(rules, retentionClass);
  const step = { store, action: 'delete' as const, retentionClass, day, items: segments, bytes };
  return isMetadataFamily(family)
    ? { step: { ...step, because: 'metadata_expired' }, dueMs: dueAtMs(day, metadataDays), isOurs }
    : { step: { ...step, because: 'content_expired' }, dueMs: dueAtMs(day, contentDays), isOurs };
}

/** A day's documents go whole when their metadata is due, and lose their texts before. */
function indexed({ indexDays, rules, nowMs }: PlanInput): Candidate[] {
  return (indexDays ?? []).map(({ retentionClass, day, documents, withContent }) => {
    const { contentDays, metadataDays } = daysOf(rules, retentionClass);
    const metadataDueMs = dueAtMs(day, metadataDays);
    const of = { store: 'index' as const, retentionClass, day, bytes: 0 };
    if (metadataDueMs <= nowMs || withContent === 0)
      return {
        step: { ...of, action: 'delete', items: documents, because: 'metadata_expired' },
        ...{ dueMs: metadataDueMs, isOurs: true },
      };
    return {
      step: { ...of, action: 'reduce', items: withContent, because: 'content_expired' },
      ...{ dueMs: dueAtMs(day, contentDays), isOurs: true },
    };
  });
}

function revealed({ revealDays, rules }: PlanInput): Candidate[] {
  return revealDays.map(({ retentionClass, day, values }) => ({
    step: {
      ...{ store: 'reveal', action: 'delete', retentionClass, day, items: values, bytes: 0 },
      because: 'content_expired',
    },
    dueMs: dueAtMs(day, daysOf(rules, retentionClass).contentDays),
    isOurs: true,
  }));
}

/** What was owed and is there still, unless it is planned anyway. */
function owedNow(owed: Step, planned: readonly Step[], candidates: readonly Candidate[]): Candidate[] {
  if (planned.some((step) => isSame(step, owed))) return [];
  return (
    candidates
      // How much of a family goes is for the holds of now to say.
      .filter(({ step }) => isSame(step, owed) && (step.action === owed.action || isFamilyStore(step.store)))
      .map(({ step, isOurs }) => ({ step: { ...step, because: owed.because }, dueMs: 0, isOurs }))
  );
}

export function isSame(one: DayOfClass & { store: Store }, other: DayOfClass & { store: Store }): boolean {
  return one.store === other.store && one.retentionClass === other.retentionClass && one.day === other.day;
}

function summed(young: readonly Candidate[]): Young[] {
  const sums = new Map<string, Young>();
  for (const { step, dueMs } of young) {
    const { store, retentionClass } = step;
    const name = `${store}/${retentionClass}`;
    const sum = sums.get(name) ?? { store, retentionClass, days: 0, nextMs: dueMs };
    sums.set(name, { ...sum, days: sum.days + 1, nextMs: Math.min(sum.nextMs, dueMs) });
  }
  return [...sums.values()];
}
