/** What holds let go of something that is due: all of it, what they do not cover, or nothing. */
import type { DayOfClass, IndexDay } from '../index/retention.ts';
import { dueAtMs } from './days.ts';
import { archivedDaysOf, type Hold, indexedDaysOf, keepsArchived, keepsIndexed, needsIndex } from './hold.ts';
import type { Candidate, Kept, PlanInput, Step } from './plan.ts';
import { daysOf } from './rules.ts';

/** Both: a part goes, and a part is kept. */
export type Judged = { step: Step | null; kept: Kept | null };

export function judgedOf(candidate: Candidate, input: PlanInput): Judged {
  const { step } = candidate;
  const keeps = step.store === 'index' ? keepsIndexed : keepsArchived;
  const holding = input.holds.filter((hold) => keeps(hold, step));
  switch (step.store) {
    case 'archive':
    case 'metadata':
      return judgedFamily(candidate, holding, input);
    case 'held':
    case 'held_metadata':
      return judgedHeld(candidate, { ...step, store: step.store }, holding, input);
    case 'index': {
      const asking = stillAsking(step, input);
      if (asking.length > 0) return keptBy(step, asking);
      return holding.length === 0 ? { step, kept: null } : judgedDocuments(step, holding, input);
    }
    case 'reveal':
      return judgedValues(step, holding, input);
    default:
      return step.store satisfies never;
  }
}

/** Which records of it are held can be told by the index, or without it where no hold in force needs it. */
function judgedFamily({ step, isOurs }: Candidate, holding: readonly Hold[], input: PlanInput): Judged {
  const unknown = unknownOf(step, input);
  if (holding.length > 0)
    return unknown !== null || !isOurs
      ? keptBy(step, holding)
      : { step: { ...step, action: 'move', holds: idsOf(holding) }, kept: null };
  if (unknown !== null) return unknown;
  return isOurs ? { step, kept: null } : { step: null, kept: { ...step, why: 'other_writer', holds: [] } };
}

/** Looked through only after a hold ended: what is in it was held when it was moved. */
function judgedHeld(
  candidate: Candidate,
  step: Step & { store: 'held' | 'held_metadata' },
  holding: readonly Hold[],
  input: PlanInput,
): Judged {
  const judged = judgedFamily(candidate, holding, input);
  if (holding.length === 0) return judged;
  const isLookedThrough = judged.kept === null && candidate.isOurs && input.isHoldReleased(step);
  const { kept } = keptBy(step, holding);
  return { step: isLookedThrough ? { ...step, action: 'reduce', holds: idsOf(holding) } : null, kept };
}

/** Which of them are held is told by their sessions, which the index knows. */
function judgedValues(step: Step, holding: readonly Hold[], input: PlanInput): Judged {
  const unknown = unknownOf(step, input);
  if (holding.length === 0) return unknown ?? { step, kept: null };
  const held = input.revealHeldDays.find((one) => isOf(one, step));
  return unknown !== null || held === undefined ? keptBy(step, holding) : around(step, holding, held.values);
}

/**
 * What ended after midnight is in the archive under a later day than its document, and due later. Until then the document
 * has to say that no hold covers it: without it nobody can, and it would stay as long as the hold.
 */
function stillAsking({ action, retentionClass, day }: Step, { holds, rules, nowMs }: PlanInput): Hold[] {
  if (action !== 'delete') return [];
  const { metadataDays } = daysOf(rules, retentionClass);
  const young = archivedDaysOf(day).filter((archived) => dueAtMs(archived, metadataDays) > nowMs);
  return holds.filter(
    (hold) =>
      needsIndex(hold.scope) && young.some((archived) => keepsArchived(hold, { retentionClass, day: archived })),
  );
}

function judgedDocuments(step: Step, holding: readonly Hold[], { indexHeldDays }: PlanInput): Judged {
  const of = indexHeldDays.find((one) => isOf(one, step));
  return around(step, holding, (step.action === 'reduce' ? of?.withContent : of?.documents) ?? 0);
}

/** Of all of it so many are held. */
function around(step: Step, holding: readonly Hold[], held: number): Judged {
  const free = step.items - held;
  return {
    step: free > 0 ? { ...step, items: free, holds: idsOf(holding) } : null,
    kept: held > 0 ? { ...step, items: held, why: 'held', holds: idsOf(holding) } : null,
  };
}

function isOf(one: DayOfClass, { retentionClass, day }: DayOfClass): boolean {
  return one.retentionClass === retentionClass && one.day === day;
}

function keptBy(step: Step, holding: readonly Hold[]): Judged {
  return { step: null, kept: { ...step, why: 'held', holds: idsOf(holding) } };
}

/** Null: whether a hold covers any of it is known. */
function unknownOf(step: Step, { holds, indexDays }: PlanInput): Judged | null {
  const byRecord = holds.filter(({ scope }) => needsIndex(scope));
  if (byRecord.length === 0 || isKnown(step, indexDays)) return null;
  return { step: null, kept: { ...step, why: 'hold_unknown', holds: idsOf(byRecord) } };
}

/** Whether the index has what it needs to say that nothing of it is held: documents of the days it may be of. */
function isKnown({ retentionClass, day }: DayOfClass, indexDays: readonly IndexDay[] | null): boolean {
  const days = indexedDaysOf(day);
  return (indexDays ?? []).some(
    (one) => one.retentionClass === retentionClass && one.documents > 0 && days.includes(one.day),
  );
}

function idsOf(holds: readonly Hold[]): string[] {
  return holds.map(({ id }) => id);
}
