/** What is left of a day of the index, by what was swept and by what is due: for whoever makes the index anew. */
import type { DayOfClass } from '../index/retention.ts';
import { dueAtMs } from './days.ts';
import { type Hold, keepsIndexed } from './hold.ts';
import type { Step } from './plan.ts';
import type { Receipt } from './receipts.ts';
import { daysOf, type RetentionRules } from './rules.ts';

export type LeftInput = {
  nowMs: number;
  rules: RetentionRules;
  /** Those in force. */
  holds: readonly Hold[];
  receipts: readonly Receipt[];
};

/**
 * What was swept stays swept, whatever the rules or holds say now: a hold keeps what is there and brings nothing back.
 * Of a sweep that was killed all counts that it was about to do, since the next one would do the rest.
 */
export function leftOfDay(input: LeftInput): (of: DayOfClass) => 'all' | 'metadata' | 'nothing' {
  const swept = sweptDays(input.receipts);
  return (of) => {
    const gone = swept.get(nameOf(of));
    if (gone === 'delete') return 'nothing';
    const due = dueOf(of, input);
    return gone === 'reduce' && due === 'all' ? 'metadata' : due;
  };
}

function dueOf(of: DayOfClass, { nowMs, rules, holds }: LeftInput): 'all' | 'metadata' | 'nothing' {
  if (holds.some((hold) => keepsIndexed(hold, of))) return 'all';
  const { contentDays, metadataDays } = daysOf(rules, of.retentionClass);
  if (dueAtMs(of.day, metadataDays) <= nowMs) return 'nothing';
  return dueAtMs(of.day, contentDays) <= nowMs ? 'metadata' : 'all';
}

function sweptDays(receipts: readonly Receipt[]): Map<string, Step['action']> {
  const swept = new Map<string, Step['action']>();
  const ended = new Set(receipts.flatMap((receipt) => (receipt.kind === 'sweep_ended' ? [receipt.run] : [])));
  for (const receipt of receipts) {
    for (const step of stepsOf(receipt, ended)) {
      // What went around holds left the records that they cover; what else the archive may have is due still.
      if (step.store !== 'index' || step.holds !== undefined || swept.get(nameOf(step)) === 'delete') continue;
      swept.set(nameOf(step), step.action);
    }
  }
  return swept;
}

function stepsOf(receipt: Receipt, ended: ReadonlySet<string>): readonly Step[] {
  switch (receipt.kind) {
    case 'sweep_begun':
      return ended.has(receipt.run) ? [] : receipt.steps;
    case 'sweep_ended':
      return receipt.done;
    case 'erase':
      return [];
    default:
      return receipt satisfies never;
  }
}

function nameOf({ retentionClass, day }: DayOfClass): string {
  return `${retentionClass}/${day}`;
}
