import type { RuleStats } from '../approvals/stats.ts';
import { sanitiseLine } from './sanitise.ts';

const heads = ['rule', 'held', 'approved', 'denied', 'expired', 'pending', 'attempts', 'median', 'p95'];

/** One line for each rule, below a head. */
export function ticketStatsPage(stats: readonly RuleStats[]): string {
  const rows = stats.map((one) => [
    ...[sanitiseLine(one.rule), one.held, one.approved, one.denied, one.expired, one.pending, one.requests].map(String),
    ...[time(one.decidedMedianMs), time(one.decidedP95Ms)],
  ]);
  const widths = heads.map((head, at) => Math.max(head.length, ...rows.map((row) => row[at]?.length ?? 0)));
  const line = (cells: readonly string[]) =>
    cells.map((cell, at) => (at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0))).join('  ');
  return `${[heads, ...rows].map((row) => line(row).trimEnd()).join('\n')}\n`;
}

function time(ms: number | null): string {
  if (ms === null) return '-';
  if (ms < 120_000) return `${Math.round(ms / 1_000)} s`;
  return ms < 7_200_000 ? `${Math.round(ms / 60_000)} min` : `${Math.round(ms / 3_600_000)} h`;
}
