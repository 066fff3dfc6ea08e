import type { Billed } from '../index/billed.ts';
import { costOf } from './cost.ts';
import type { PriceTable } from './price-table.ts';

/** What one answer costs, in the table's currency; null where it has no price, or where there is no table. */
export function spendOf(billed: Omit<Billed, 'person'>, table: PriceTable | null): number | null {
  if (table === null) return null;
  const { model, serviceTier, webSearchRequests, ...tokens } = billed;
  const cost = costOf({ model, serviceTier, webSearchRequests, tokens }, table);
  return cost.kind === 'known' ? cost.amount : null;
}
