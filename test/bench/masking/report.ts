import type { Interval } from '../statistics.ts';
import type { Growth } from './hostile.ts';
import type { Quality } from './quality.ts';
import type { SpeedSummary } from './speed.ts';

/** Below this a text is done before the clock has moved enough for a ratio to say something. */
const ratioMinMs = 5;
const worstShown = 20;

export function speedTable(summaries: readonly SpeedSummary[]): string {
  const rows = summaries.map(({ name, megabytesPerSecond, timesSlower }, index) => [
    name,
    withInterval(megabytesPerSecond, 3),
    index === 0 ? '' : `${withInterval(timesSlower, 3)}`,
  ]);
  return table([['', 'MB/s of one core', 'times slower'], ...rows]);
}

/** The slowest shapes, and what the worst of all were. */
export function growthTable(growth: readonly Growth[]): string {
  const slowest = [...growth].sort((a, b) => b.largeMs - a.largeMs);
  const rows = slowest.slice(0, worstShown).map((each) => [each.name, ms(each.smallMs), ms(each.largeMs), ratio(each)]);
  const ratios = growth.filter(({ smallMs }) => smallMs >= ratioMinMs).map(ratioOf);
  const worst = `of ${growth.length} shapes the slowest took ${ms(slowest[0]?.largeMs ?? 0)} ms for 1 MB`;
  const steepest = ratios.length === 0 ? '' : `; the time grew by at most ${Math.max(...ratios).toFixed(1)}`;
  return `${table([['', '100 kB, ms', '1 MB, ms', 'ratio'], ...rows])}  ${worst}${steepest}\n`;
}

export function qualityTable(tool: string, { types, without, clean }: Quality): string {
  const rows = types.map(({ type, labelled, exact, covered, found, right }) => [
    type,
    String(labelled),
    share(exact, labelled),
    share(covered, labelled),
    String(found),
    share(right, found),
  ]);
  const head = [tool, 'labelled', 'recall exact', 'covered', 'found', 'precision'];
  const rest = without === 0 ? '' : `  nothing found in ${share(clean, without)} of ${without} texts without a label\n`;
  return `${table([head, ...rows])}${rest}`;
}

function ratioOf({ smallMs, largeMs }: Growth): number {
  return largeMs / smallMs;
}

function ratio(growth: Growth): string {
  return growth.smallMs < ratioMinMs ? '-' : ratioOf(growth).toFixed(1);
}

function ms(value: number): string {
  return value.toFixed(value < 10 ? 1 : 0);
}

function share(part: number, whole: number): string {
  return whole === 0 ? '-' : (part / whole).toFixed(3);
}

function withInterval({ median, low, high }: Interval, digits: number): string {
  const text = (value: number) => (value >= 10 ** digits ? value.toFixed(0) : value.toPrecision(digits));
  return `${text(median)} [${text(low)} ${text(high)}]`;
}

function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const cell = (text: string, column: number) =>
    column === 0 ? text.padEnd(widths[column] ?? 0) : text.padStart(widths[column] ?? 0);
  return rows.map((row) => `  ${row.map(cell).join('  ').trimEnd()}\n`).join('');
}
