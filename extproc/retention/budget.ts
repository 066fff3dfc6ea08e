/** What goes before its time because the volume is fuller than it may be: the oldest content, never what is below the floor. */
import { dueAtMs } from './days.ts';
import type { Budget, Candidate, PlanInput, Step } from './plan.ts';

/**
 * Only files of the archive give room back, so they are what is counted; index and values of the same class and day lose
 * their content with them, since the index is a copy (inv. 7).
 */
export function planBudget(
  { disk, rules, nowMs }: Pick<PlanInput, 'disk' | 'rules' | 'nowMs'>,
  due: readonly Step[],
  young: readonly Candidate[],
  isFree: (candidate: Candidate) => boolean,
): { early: Step[]; budget: Budget | null } {
  if (disk === null) return { early: [], budget: null };
  const budgetBytes = Math.floor((disk.sizeBytes * rules.diskBudgetPercent) / 100);
  const overBytes = disk.usedBytes - budgetBytes;
  // How much a hold keeps of what is moved is known only when it is done.
  let freedBytes = due.reduce((sum, { action, bytes }) => sum + (action === 'delete' ? bytes : 0), 0);
  const early: Step[] = [];
  const isOld = ({ step }: Candidate) => dueAtMs(step.day, rules.contentFloorDays) <= nowMs;
  const families = young
    .filter((candidate) => candidate.step.store === 'archive' && isOld(candidate) && isFree(candidate))
    .sort((a, b) => order(a.step, b.step));
  for (const { step } of families) {
    if (freedBytes >= overBytes) break;
    freedBytes += step.bytes;
    early.push({ ...step, because: 'disk_budget' });
    for (const candidate of young) {
      const { store, action, retentionClass, day } = candidate.step;
      const isCopy = store === 'reveal' || (store === 'index' && action === 'reduce');
      if (!isCopy || retentionClass !== step.retentionClass || day !== step.day || !isFree(candidate)) continue;
      const isPlanned = early.some(
        (one) => one.store === store && one.retentionClass === retentionClass && one.day === day,
      );
      if (!isPlanned) early.push({ ...candidate.step, because: 'disk_budget' });
    }
  }
  const isMet = disk.usedBytes - freedBytes <= budgetBytes;
  return { early, budget: { budgetBytes, usedBytes: disk.usedBytes, freedBytes, isMet } };
}

function order(a: Step, b: Step): number {
  if (a.day !== b.day) return a.day < b.day ? -1 : 1;
  return a.retentionClass < b.retentionClass ? -1 : 1;
}
