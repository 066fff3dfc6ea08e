import type { UsageRow } from '../index/port.ts';
import { costOf } from './cost.ts';
import type { PriceTable } from './price-table.ts';

/** The sums of one group over all its models and service tiers. */
export type UsageLine = {
  group: string[];
  exchanges: number;
  /** Of these, how many broke off or failed, with the tokens that were reported until then. */
  partial: number;
  tokens: UsageRow['tokens'];
  webSearchRequests: number;
  /** In the table's currency; null when a part of it has no price, or when there is no table. */
  cost: number | null;
  /** What the table has no price for, each once. */
  unpriced: string[];
};

/** One line for each group, in the order of their values. A table of prices that is null leaves every cost unknown. */
export function linesOf(rows: readonly UsageRow[], table: PriceTable | null): UsageLine[] {
  const groups = new Map<string, UsageRow[]>();
  for (const row of rows) {
    const key = JSON.stringify(row.group);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [row]);
    else group.push(row);
  }
  return [...groups.values()]
    .map((group) => sumOf(group[0]?.group ?? [], group, table))
    .toSorted((a, b) => compareGroups(a.group, b.group));
}

/** Everything together; no sum of it may be made where one exchange stands in several rows. */
export function totalOf(rows: readonly UsageRow[], table: PriceTable | null): UsageLine {
  return sumOf([], rows, table);
}

function sumOf(group: string[], rows: readonly UsageRow[], table: PriceTable | null): UsageLine {
  const line: UsageLine = {
    group,
    exchanges: 0,
    partial: 0,
    tokens: { uncachedInput: 0, cacheRead: 0, cacheCreation5m: 0, cacheCreation1h: 0, output: 0 },
    webSearchRequests: 0,
    cost: table === null ? null : 0,
    unpriced: [],
  };
  const unpriced = new Set<string>();
  for (const row of rows) {
    line.exchanges += row.exchanges;
    line.partial += row.partial;
    line.webSearchRequests += row.webSearchRequests;
    line.tokens = added(line.tokens, row.tokens);
    if (table === null) continue;
    const cost = costOf(row, table);
    if (cost.kind === 'unknown') unpriced.add(cost.missing);
    else if (line.cost !== null) line.cost += cost.amount;
  }
  line.unpriced = [...unpriced];
  // A sum that leaves something out would read as the whole.
  return unpriced.size === 0 ? line : { ...line, cost: null };
}

function added(a: UsageRow['tokens'], b: UsageRow['tokens']): UsageRow['tokens'] {
  return {
    uncachedInput: a.uncachedInput + b.uncachedInput,
    cacheRead: a.cacheRead + b.cacheRead,
    cacheCreation5m: a.cacheCreation5m + b.cacheCreation5m,
    cacheCreation1h: a.cacheCreation1h + b.cacheCreation1h,
    output: a.output + b.output,
  };
}

function compareGroups(a: readonly string[], b: readonly string[]): number {
  for (const [at, value] of a.entries()) {
    const other = b[at] ?? '';
    if (value !== other) return value < other ? -1 : 1;
  }
  return 0;
}
