import { resolve } from 'node:path';
import { SkilltapeError } from '../errors.ts';
import { type DryRun, dryRun } from '../remask/dry-run.ts';
import { sanitisedJson } from '../terminal/sanitise.ts';
import { exitNothingFound, type LookingDependencies, recordLook } from './looking.ts';
import { rangeEnd, rangeStart } from './moment.ts';
import type { RecordedDependencies } from './recorded-of.ts';

export type RecordedFlags = { from?: string; to?: string; policies?: string; json?: true; why?: string };

/** `skilltape mask --recorded`: what masking would find in what is recorded, by counts alone. */
export async function maskRecorded(
  dependencies: LookingDependencies,
  recorded: RecordedDependencies,
  flags: RecordedFlags,
): Promise<void> {
  const now = dependencies.now();
  const fromMs = flags.from === undefined ? 0 : rangeStart('--from', flags.from, now).getTime();
  const toMs = flags.to === undefined ? Number.POSITIVE_INFINITY : rangeEnd('--to', flags.to, now).getTime();
  if (fromMs >= toMs)
    throw new SkilltapeError('usage', '--from is not before --to', { remedy: 'swap them, or leave one out' });
  recordLook(dependencies, 'mask', subjectOf(flags), flags.why);
  const policies = flags.policies === undefined ? undefined : resolve(flags.policies);
  const { parts, close } = await recorded.openRecorded(policies);
  try {
    const result = await dryRun({ fromMs, toMs }, parts);
    if (result.exchanges === 0) {
      dependencies.writeError('No raw bytes of that time are recorded any more.\n');
      dependencies.setExitCode(exitNothingFound);
    } else dependencies.write(flags.json === undefined ? pageOf(result) : `${sanitisedJson(result)}\n`);
  } finally {
    await close();
  }
}

function subjectOf({ from, to, policies }: RecordedFlags): string {
  const lines = Object.entries({ from, to, policies }).filter(([, value]) => value !== undefined);
  return ['recorded exchanges', ...lines.map(([name, value]) => `${name}: ${value}`)].join('\n');
}

function pageOf({ exchanges, notIndexed, failed, changed, byRule, byPlace }: DryRun): string {
  const failures = Object.entries(failed).map(([reason, count]) => `${count} cannot be masked: ${reason}`);
  const differences = byPlace.filter(({ indexed, would }) => indexed !== would);
  return [
    `${exchanges} exchanges read; ${changed} would differ from the index, ${notIndexed} are not in it.`,
    ...failures,
    '',
    ...tableOf(
      ['type', 'place', 'rule', 'found'],
      byRule.map(({ type, place, rule, would }) => [type, place, rule, would]),
    ),
    '',
    ...(differences.length === 0
      ? ['The index has the same.']
      : tableOf(
          ['type', 'place', 'in the index', 'found now'],
          differences.map(({ type, place, indexed, would }) => [type, place || '(not told)', indexed, would]),
        )),
    '',
  ].join('\n');
}

function tableOf(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string[] {
  const cells = [head, ...rows].map((row) => row.map(String));
  const widths = head.map((_, at) => Math.max(...cells.map((row) => row[at]?.length ?? 0)));
  return cells.map((row) =>
    row
      .map((cell, at) => cell.padEnd(widths[at] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}
