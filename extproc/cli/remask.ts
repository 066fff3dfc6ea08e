import type { Command } from 'commander';
import { SkilltapeError } from '../errors.ts';
import type { SearchQuery } from '../index/port.ts';
import {
  checkedExchangeId,
  type RemaskCounts,
  type RemaskResult,
  type RemaskSelection,
  remask,
} from '../remask/remask.ts';
import { sanitisedJson, sanitiseLine } from '../terminal/sanitise.ts';
import { exitNothingFound, type LookingDependencies, lookingCommand, recordLook, tellingUsage } from './looking.ts';
import { momentHelp, rangeEnd, rangeStart } from './moment.ts';
import type { RecordedDependencies } from './recorded-of.ts';

/** Some were not masked this time. */
const exitNotMasked = 3;

type Flags = {
  all?: true;
  user?: string;
  connection?: string;
  session?: string;
  from?: string;
  to?: string;
  before?: string;
  json?: true;
  reason: string;
};

/** `skilltape remask`: masks recorded exchanges again, by the rules and policies of now. */
export function remaskCommand(dependencies: LookingDependencies, recorded: RecordedDependencies): Command {
  return lookingCommand('remask', dependencies, {
    needsReason: true,
    exitCodes: '0 all were masked, 1 nothing to mask, 2 the command line is wrong.',
  })
    .description(
      'mask recorded exchanges again, and replace what the index has of them; those that failed, unless told',
    )
    .argument('[id...]', 'ids of exchanges, whether they failed or not')
    .option('--all', 'not only where masking failed; together with a filter')
    .option('--user <user>', 'id, e-mail address or name of the user, whole')
    .option('--connection <name>', 'name of the connection')
    .option('--session <id>', 'session id')
    .option('--from <time>', `not before: ${momentHelp}`)
    .option('--to <time>', 'before; a plain date includes that day')
    .option('--before <place>', 'go on where an earlier run ended')
    .addHelpText(
      'after',
      `             ${exitNotMasked} some failed again, have no raw bytes any more, or could not be written now.`,
    )
    .action((ids: string[], flags: Flags) => tellingUsage(dependencies, () => run(dependencies, recorded, ids, flags)));
}

async function run(
  dependencies: LookingDependencies,
  recorded: RecordedDependencies,
  ids: string[],
  flags: Flags,
): Promise<void> {
  const selection = selectionOf(ids, flags, dependencies.now());
  recordLook(dependencies, 'remask', subjectOf(selection), flags.reason);
  const { parts, replace, tokenKeeper, close } = await recorded.openRemask();
  try {
    const result = await remask(selection, {
      ...parts,
      replace,
      tokenKeeper,
      onProgress: (counts) => dependencies.writeError(`${told(counts)}\n`),
      onFailed: (exchangeId, reason) =>
        dependencies.writeError(`${sanitiseLine(`${exchangeId}  failed: ${reason}`)}\n`),
    });
    tell(dependencies, result, flags);
  } finally {
    await close();
  }
}

function tell(dependencies: LookingDependencies, { counts, waiting, next }: RemaskResult, flags: Flags): void {
  dependencies.write(
    flags.json === undefined ? `${told(counts)}\n` : `${sanitisedJson({ ...counts, waiting, next })}\n`,
  );
  if (waiting !== null) {
    const goOn = next === null ? 'repeat it' : `go on with --before ${next}`;
    dependencies.writeError(`The index cannot take more now: ${sanitiseLine(waiting)}\nThen ${goOn}.\n`);
  }
  if (waiting !== null || counts.failed > 0 || counts.gone > 0) dependencies.setExitCode(exitNotMasked);
  else if (counts.selected === 0) dependencies.setExitCode(exitNothingFound);
}

function told({ selected, remasked, unchanged, metadata, failed, gone, absent }: RemaskCounts): string {
  const left = absent === 0 ? '' : `, ${absent} no longer in the index`;
  const bare = metadata === 0 ? '' : ` (${metadata} of these have metadata alone)`;
  return `${selected} selected: ${remasked} masked anew, ${unchanged} unchanged${bare}, ${failed} failed, ${gone} without raw bytes${left}`;
}

function selectionOf(ids: string[], flags: Flags, now: Date): RemaskSelection {
  const { user, connection, session, from, to, before, all } = flags;
  const filters = [user, connection, session, from, to];
  const isFiltered = filters.some((filter) => filter !== undefined);
  if (ids.length > 0) {
    if (!isFiltered && all === undefined && before === undefined) return { ids: ids.map(checkedExchangeId) };
    throw new SkilltapeError('usage', 'both ids and filters are given', { remedy: 'give one of them' });
  }
  if (all !== undefined && !isFiltered)
    throw new SkilltapeError('usage', '--all is given without a filter', {
      remedy: 'say which, for example --from -30d',
    });
  const query: SearchQuery = {
    ...{ user, connection, session, before },
    from: from === undefined ? undefined : rangeStart('--from', from, now),
    to: to === undefined ? undefined : rangeEnd('--to', to, now),
    // Also what is no prompt of a person: it was masked by the same rules.
    noise: true,
    ...(all === undefined && { maskingFailed: true }),
  };
  if (query.from !== undefined && query.to !== undefined && query.from >= query.to)
    throw new SkilltapeError('usage', '--from is not before --to', { remedy: 'swap them, or leave one out' });
  return { query };
}

function subjectOf(selection: RemaskSelection): string {
  if ('ids' in selection) return selection.ids.join('\n');
  const lines = Object.entries(selection.query)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}: ${value instanceof Date ? value.toISOString() : value}`);
  return lines.join('\n');
}
