import { type Counts, type Finding, findings, type Gap } from '../coverage/finding.ts';
import { sanitiseLine } from './sanitise.ts';
import { styleFor } from './style.ts';
import type { TerminalOptions } from './transcript.ts';

const gap = '  ';
const alarm: Finding = 'forwarded_not_recorded';

export type CoverageTable = {
  days: readonly { day: string; counts: Counts }[];
  total: Counts;
  gaps: readonly Gap[];
  comparedUntil: string | null;
};

/** One line for each finding with its sum and its days, then the newest gaps; ends with a newline. */
export function renderCoverage(
  { days, total, gaps, comparedUntil }: CoverageTable,
  { color }: Pick<TerminalOptions, 'color'>,
): string {
  const style = styleFor(color);
  const shown = days.slice(0, daysShownMax);
  const head = ['', 'total', ...shown.map(({ day }) => day)];
  const rows = findings.map((finding) => [
    finding,
    ...[total, ...shown.map(({ counts }) => counts)].map((counts) => counts[finding].toLocaleString('en-US')),
  ]);
  const widths = head.map((cell, at) => Math.max(cell.length, ...rows.map((row) => row[at]?.length ?? 0)));
  const lineOf = (cells: readonly string[]): string =>
    cells
      .map((cell, at) => (at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0)))
      .join(gap)
      .trimEnd();
  const body = rows.map((row) => (row[0] === alarm && total[alarm] > 0 ? style.bold(lineOf(row)) : lineOf(row)));
  const until = comparedUntil === null ? 'nothing was compared yet' : `compared until ${comparedUntil}`;
  return `${[style.dim(lineOf(head)), ...body, until, ...gaps.map(gapLine)].join('\n')}\n`;
}

/** More columns than a terminal has; `--json` has all days. */
const daysShownMax = 5;

function gapLine({ kind, timeMs, exchangeId, envoyRequestId, reason }: Gap): string {
  const ids = [exchangeId && `exchange ${exchangeId}`, envoyRequestId && `request ${envoyRequestId}`];
  const parts = [new Date(timeMs).toISOString(), kind, ...ids.filter((id) => id !== ''), reason];
  return sanitiseLine(parts.join(gap));
}
