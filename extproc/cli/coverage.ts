import type { Command } from 'commander';
import { type Counts, countsOf, type Finding, findings } from '../coverage/finding.ts';
import type { CoverageLook } from '../coverage/look.ts';
import { renderCoverage } from '../terminal/coverage-table.ts';
import { sanitisedJson } from '../terminal/sanitise.ts';
import { type LookingDependencies, lookingCommand, recordLook, tellingUsage, wholeNumber } from './looking.ts';
import { momentHelp, rangeStart } from './moment.ts';

const exitForwardedNotRecorded = 1;
const exitNothingCompared = 3;
const gapsDefault = 20;
const gapsMax = 100_000;

type Flags = { since?: string; limit: string; json?: true; why?: string };

/** `openCoverage` gives null where nothing was ever compared. */
export type CoverageDependencies = { openCoverage(): CoverageLook | null };

/** `skilltape coverage`: what the comparison of Envoy's log with the record found. */
export function coverageCommand(dependencies: LookingDependencies, coverage: CoverageDependencies): Command {
  return lookingCommand('coverage', dependencies, {
    exitCodes:
      '0 nothing went upstream without a record, 1 something did, 2 the command line is wrong, 3 nothing was compared.',
  })
    .description("compare Envoy's access log with the record: sums by finding and day, and the newest gaps")
    .option('--since <time>', `not before: ${momentHelp}`)
    .option('--limit <count>', `gaps to show, 1 to ${gapsMax}`, String(gapsDefault))
    .action((flags: Flags) => tellingUsage(dependencies, async () => show(dependencies, coverage, flags)));
}

function show(dependencies: LookingDependencies, { openCoverage }: CoverageDependencies, flags: Flags): void {
  const limit = wholeNumber('--limit', flags.limit, 1, gapsMax);
  const since = flags.since === undefined ? new Date(0) : rangeStart('--since', flags.since, dependencies.now());
  recordLook(dependencies, 'coverage', flags.since === undefined ? 'all' : `since: ${since.toISOString()}`, flags.why);
  const look = openCoverage();
  if (look === null) {
    dependencies.writeError('Nothing was compared: coverage.accessLogFile names no log, or serve has not run since.\n');
    dependencies.setExitCode(exitNothingCompared);
    return;
  }
  try {
    print(dependencies, look, { since, limit, json: flags.json !== undefined });
  } finally {
    look.close();
  }
}

function print(
  dependencies: LookingDependencies,
  look: CoverageLook,
  { since, limit, json }: { since: Date; limit: number; json: boolean },
): void {
  const days = look.days(since);
  const total = sumOf(days.map(({ counts }) => counts));
  const comparedUntil = look.comparedUntil();
  const gaps = look.gaps(since, limit);
  if (json) {
    const newest = gaps.map(({ timeMs, ...gap }) => ({ time: new Date(timeMs).toISOString(), ...gap }));
    dependencies.write(`${sanitisedJson({ compared_until: comparedUntil, total, days, gaps: newest })}\n`);
  } else dependencies.write(renderCoverage({ days, total, gaps, comparedUntil }, dependencies));
  if (comparedUntil === null) dependencies.setExitCode(exitNothingCompared);
  if (total.forwarded_not_recorded > 0) dependencies.setExitCode(exitForwardedNotRecorded);
}

function sumOf(all: readonly Counts[]): Counts {
  const sum = (finding: Finding) => all.reduce((total, counts) => total + counts[finding], 0);
  return countsOf(new Map(findings.map((finding) => [finding, sum(finding)])));
}
