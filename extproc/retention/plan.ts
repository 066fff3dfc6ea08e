/** What would go now, and what would not although it is due, and why. Pure: the clock and all that is there are given. */
import type { DayOfClass, IndexDay } from '../index/retention.ts';
import { planBudget } from './budget.ts';
import { dueAtMs } from './days.ts';
import { type Hold, indexedDaysOf, keepsArchived, keepsIndexed, needsIndex } from './hold.ts';
import { daysOf, type RetentionRules } from './rules.ts';

export type Store = 'archive' | 'index' | 'reveal';
export type Because = 'content_expired' | 'metadata_expired' | 'disk_budget';

/** `items`: segments, documents or values; `bytes`: of the archive, 0 elsewhere. */
export type Step = DayOfClass & {
  store: Store;
  action: 'delete' | 'reduce';
  items: number;
  bytes: number;
  because: Because;
};

/**
 * - `held`: by these holds.
 * - `hold_unknown`: the index cannot say now whether these holds cover it.
 * - `other_writer`: the key that could sign its deletion is not here.
 */
export type Kept = Step & { why: 'held' | 'hold_unknown' | 'other_writer'; holds: string[] };

/** What is not due: so many classes' days, and when the next one is. */
export type Young = { store: Store; retentionClass: string; days: number; nextMs: number };

export type Disk = { sizeBytes: number; usedBytes: number };
export type Budget = { budgetBytes: number; usedBytes: number; freedBytes: number; isMet: boolean };
export type Plan = { steps: Step[]; kept: Kept[]; young: Young[]; budget: Budget | null };

export type PlannedFamily = DayOfClass & { isOurs: boolean; segments: number; bytes: number };

export type PlanInput = {
  nowMs: number;
  rules: RetentionRules;
  families: readonly PlannedFamily[];
  /** Null: the index cannot be asked now. */
  indexDays: readonly IndexDay[] | null;
  revealDays: readonly (DayOfClass & { values: number })[];
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
  const candidates = [...archived(input), ...indexed(input), ...revealed(input)];
  const due = candidates.filter(({ dueMs }) => dueMs <= input.nowMs);
  const young = candidates.filter(({ dueMs }) => dueMs > input.nowMs);
  const judged = due.map((candidate) => ({ candidate, kept: keptOf(candidate, input) }));
  const steps = judged.flatMap(({ candidate, kept }) => (kept === null ? [candidate.step] : []));
  const { early, budget } = planBudget(input, steps, young, (candidate) => keptOf(candidate, input) === null);
  const planned = [...steps, ...early];
  const owed = input.owed.flatMap((step) => owedNow(step, planned, candidates));
  const owedJudged = owed.map((candidate) => ({ candidate, kept: keptOf(candidate, input) }));
  const all = [...planned, ...owedJudged.flatMap(({ candidate, kept }) => (kept === null ? [candidate.step] : []))];
  return {
    steps: all,
    kept: [...judged, ...owedJudged].flatMap(({ kept }) => (kept === null ? [] : [kept])),
    young: summed(young.filter(({ step }) => !all.some((other) => isSame(other, step)))),
    budget,
  };
}

function archived({ families, rules }: PlanInput): Candidate[] {
  return families.map(({ retentionClass, day, isOurs, segments, bytes }) => ({
    step: {
      ...{ store: 'archive', action: 'delete', retentionClass, day, items: segments, bytes },
      because: 'content_expired',
    },
    dueMs: dueAtMs(day, daysOf(rules, retentionClass).contentDays),
    isOurs,
  }));
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

/** Null: nothing keeps it. */
function keptOf({ step, isOurs }: Candidate, input: PlanInput): Kept | null {
  const keeps = step.store === 'index' ? keepsIndexed : keepsArchived;
  const holding = input.holds.filter((hold) => keeps(hold, step));
  if (holding.length > 0) return { ...step, why: 'held', holds: holding.map(({ id }) => id) };
  const unknown = step.store === 'index' || isKnown(step, input.indexDays) ? [] : input.holds.filter(isByRecord);
  if (unknown.length > 0) return { ...step, why: 'hold_unknown', holds: unknown.map(({ id }) => id) };
  return isOurs ? null : { ...step, why: 'other_writer', holds: [] };
}

function isByRecord({ scope }: Hold): boolean {
  return needsIndex(scope);
}

/** Whether the index has what it needs to say that nothing of it is held: documents of the days it may be of. */
function isKnown({ retentionClass, day }: DayOfClass, indexDays: readonly IndexDay[] | null): boolean {
  const days = indexedDaysOf(day);
  return (indexDays ?? []).some(
    (one) => one.retentionClass === retentionClass && one.documents > 0 && days.includes(one.day),
  );
}

/** What was owed and is there still, unless it is planned anyway. */
function owedNow(owed: Step, planned: readonly Step[], candidates: readonly Candidate[]): Candidate[] {
  if (planned.some((step) => isSame(step, owed))) return [];
  return candidates
    .filter(({ step }) => isSame(step, owed) && step.action === owed.action)
    .map(({ step, isOurs }) => ({ step: { ...step, because: owed.because }, dueMs: 0, isOurs }));
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
