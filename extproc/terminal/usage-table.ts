import type { UsageLine } from '../usage/summary.ts';
import { sanitiseLine } from './sanitise.ts';
import { styleFor } from './style.ts';
import type { TerminalOptions } from './transcript.ts';
import { columnsIn, cutLine } from './wrap.ts';

const groupColumnsMax = 48;
const gap = '  ';

/** `keys` name the columns of the groups; `total` null leaves its line out, `currency` null the column of costs. */
export type UsageTable = {
  keys: readonly string[];
  lines: readonly UsageLine[];
  total: UsageLine | null;
  currency: string | null;
};

/** Sums of tokens as a table; ends with a newline. Names of groups are what callers sent: made safe, and cut. */
export function renderUsage({ keys, lines, total, currency }: UsageTable, { color }: TerminalOptions): string {
  const style = styleFor(color);
  const head = [...keys, 'exchanges', 'input', 'cache read', 'cache write', 'output'];
  if (currency !== null) head.push(`cost (${currency})`);
  const rows = lines.map((line) => [...line.group.map(nameOf), ...cellsOf(line, currency)]);
  if (total !== null) rows.push(['total', ...keys.slice(1).map(() => ''), ...cellsOf(total, currency)]);
  const widths = head.map((name, column) =>
    Math.max(columnsIn(name), ...rows.map((row) => columnsIn(row[column] ?? ''))),
  );
  const lineOf = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => padded(cell, widths[column] ?? 0, column < keys.length))
      .join(gap)
      .trimEnd();
  const [title = '', ...body] = [head, ...rows].map(lineOf);
  const last = body.length - 1;
  const text = body.map((line, at) => (total !== null && at === last ? style.bold(line) : line));
  return `${[style.dim(title), ...text].join('\n')}\n`;
}

function nameOf(value: string): string {
  return value === '' ? '-' : cutLine(sanitiseLine(value), groupColumnsMax);
}

function cellsOf({ exchanges, tokens, cost }: UsageLine, currency: string | null): string[] {
  const cacheWrite = tokens.cacheCreation5m + tokens.cacheCreation1h;
  const counts = [exchanges, tokens.uncachedInput, tokens.cacheRead, cacheWrite, tokens.output];
  return [
    ...counts.map((count) => count.toLocaleString('en-US')),
    ...(currency === null ? [] : [cost === null ? '-' : cost.toFixed(4)]),
  ];
}

function padded(cell: string, columns: number, isText: boolean): string {
  const space = ' '.repeat(Math.max(0, columns - columnsIn(cell)));
  return isText ? cell + space : space + cell;
}
