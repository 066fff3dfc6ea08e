import { resolve } from 'node:path';
import type { Command } from 'commander';
import { SkilltapeError } from '../errors.ts';
import type { TimeRange } from '../remask/recorded-exchanges.ts';
import { sanitise, sanitisedJson, sanitiseLine } from '../terminal/sanitise.ts';
import type { Step, WhatIf } from '../whatif/what-if.ts';
import { type LookingDependencies, lookingCommand, recordLook, tellingUsage } from './looking.ts';
import { momentHelp, rangeEnd, rangeStart } from './moment.ts';

export type WhatIfDependencies = {
  /** By the policies of a directory. Throws SkilltapeError `policy_invalid` with all faults. */
  whatIf(policiesDirectory: string, range: TimeRange, onProgress: (judged: number) => void): Promise<WhatIf>;
};

type Flags = { from?: string; to?: string; policies: string; json?: true; why?: string };

const exitNothing = 1;
/** Of the changes; JSON has more. */
const changesShown = 20;
const rowsShown = 50;

/** `skilltape policy whatif`: which verdicts other policies would have given. */
export function withWhatIf(policy: Command, dependencies: LookingDependencies, whatif: WhatIfDependencies): Command {
  const exitCodes =
    '0 compared, 1 nothing is recorded of that time or the policies have faults, 2 the command line is wrong.';
  return policy.addCommand(
    lookingCommand('whatif', dependencies, { exitCodes })
      .description('say which recorded verdicts would be others by the policies of another folder; changes nothing')
      .requiredOption('--policies <folder>', 'the policies to try')
      .option('--from <time>', `of requests that came not before: ${momentHelp}`)
      .option('--to <time>', 'before; a plain date includes that day')
      .action((flags: Flags) => tellingUsage(dependencies, () => run(dependencies, whatif, flags))),
  );
}

async function run(dependencies: LookingDependencies, { whatIf }: WhatIfDependencies, flags: Flags): Promise<void> {
  const { from, to, policies, why, json } = flags;
  const now = dependencies.now();
  const fromMs = from === undefined ? 0 : rangeStart('--from', from, now).getTime();
  const toMs = to === undefined ? Number.POSITIVE_INFINITY : rangeEnd('--to', to, now).getTime();
  if (fromMs >= toMs)
    throw new SkilltapeError('usage', '--from is not before --to', { remedy: 'swap them, or leave one out' });
  const asked = Object.entries({ policies, from, to }).filter(([, value]) => value !== undefined);
  recordLook(dependencies, 'whatif', asked.map(([name, value]) => `${name}: ${value}`).join('\n'), why);
  try {
    const onProgress = (judged: number) => dependencies.writeError(`${judged} judged\n`);
    const result = await whatIf(resolve(policies), { fromMs, toMs }, onProgress);
    dependencies.write(json === undefined ? pageOf(result) : `${sanitisedJson(result)}\n`);
    if (result.judged === 0) dependencies.setExitCode(exitNothing);
  } catch (thrown) {
    if (!(thrown instanceof SkilltapeError) || thrown.code !== 'policy_invalid') throw thrown;
    dependencies.writeError(`${sanitise(thrown.message)}\n`);
    dependencies.setExitCode(exitNothing);
  }
}

function pageOf(result: WhatIf): string {
  const { judged, changed, otherRules, undecided, unopened, withoutFindings, withoutTotals, withoutExcerpt, changes } =
    result;
  const notes = [
    [otherRules, 'would have the same verdict for other rules'],
    [undecided, 'were refused before a policy was asked'],
    [unopened, 'are of persons who were erased'],
    [withoutFindings, 'were judged without findings, which are not recorded of them: rules on findings refuse these'],
    [
      withoutTotals,
      'were judged without what was used before, which is not recorded of them: rules on budgets refuse these',
    ],
    [
      withoutExcerpt,
      'were judged without an excerpt of the prompt, which is never recorded: rules on excerpts refuse these',
    ],
  ] as const;
  const listed = changes.slice(0, changesShown);
  const rules = ({ gained, lost }: WhatIf['changes'][number]) =>
    [...gained.map((rule) => `+${rule}`), ...lost.map((rule) => `-${rule}`)].join(' ');
  return [
    `${judged} requests judged again; ${changed} would have another verdict.`,
    ...notes.filter(([count]) => count > 0).map(([count, what]) => `${count} ${what}.`),
    ...section(['verdict', 'requests'], result.byVerdict, (row) => [stepOf(row), row.count]),
    ...section(['rule', 'verdict', 'fires now', 'no more'], result.byRule, (row) => [
      ...[row.rule, stepOf(row), row.gained, row.lost],
    ]),
    ...section(['person', 'verdict', 'requests'], result.byPerson, (row) => [row.person, stepOf(row), row.count]),
    ...section(['exchange', 'verdict', 'rules'], listed, (row) => [row.exchangeId, stepOf(row), rules(row)]),
    ...(changed > listed.length ? [`(and ${changed - listed.length} more)`] : []),
    '',
  ].join('\n');
}

function stepOf({ from, to }: Step): string {
  return `${from} -> ${to}`;
}

function section<T>(head: string[], rows: readonly T[], cellsOf: (row: T) => (string | number)[]): string[] {
  if (rows.length === 0) return [];
  const shown = rows.slice(0, rowsShown).map((row) => cellsOf(row).map((cell) => sanitiseLine(String(cell))));
  const cells = [head, ...shown];
  const widths = head.map((_, at) => Math.max(...cells.map((row) => row[at]?.length ?? 0)));
  const lines = cells.map((row) =>
    row
      .map((cell, at) => cell.padEnd(widths[at] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  return ['', ...lines, ...(rows.length > rowsShown ? [`(and ${rows.length - rowsShown} rows more)`] : [])];
}
