import type { Command } from 'commander';
import type { RebuildCounts } from '../rebuild/progress.ts';
import type { RebuildResult } from '../rebuild/rebuild.ts';
import { sanitisedJson, sanitiseLine } from '../terminal/sanitise.ts';
import { exitNothingFound, type LookingDependencies, lookingCommand, recordLook, tellingUsage } from './looking.ts';
import type { RebuildDependencies } from './rebuild-of.ts';

/** It is to be repeated, or some are not in the index. */
const exitNotWhole = 3;

/** `skilltape rebuild-index`: a new index out of what is recorded, in the place of one that was lost. */
export function rebuildIndexCommand(dependencies: LookingDependencies, rebuild: RebuildDependencies): Command {
  return lookingCommand('rebuild-index', dependencies, {
    needsReason: true,
    exitCodes:
      '0 the index is in place and whole, 1 nothing is recorded, 2 the command line is wrong, or it may not be.',
  })
    .description('make the index anew from the archive and the journals, masked by the rules in force')
    .addHelpText('after', `             ${exitNotWhole} it is to be repeated, or some exchanges are not in it.`)
    .action((flags: { json?: true; reason: string }) =>
      tellingUsage(dependencies, () => run(dependencies, rebuild, flags)),
    );
}

async function run(
  dependencies: LookingDependencies,
  { rebuild }: RebuildDependencies,
  flags: { json?: true; reason: string },
): Promise<void> {
  recordLook(dependencies, 'rebuild', 'the whole index', flags.reason);
  const { writeError } = dependencies;
  const result = await rebuild({
    onProgress: (counts) => writeError(`${told(counts)}\n`),
    onFailed: (exchangeId, reason) => writeError(`${sanitiseLine(`${exchangeId}  ${reason}`)}\n`),
  });
  tell(dependencies, result, flags);
}

function tell(dependencies: LookingDependencies, result: RebuildResult, flags: { json?: true }): void {
  const { counts } = result;
  dependencies.write(flags.json === undefined ? `${told(counts)}\n` : `${sanitisedJson(result)}\n`);
  dependencies.writeError(`${sanitiseLine(ending(result))}\n`);
  if (result.kind !== 'in_place' || counts.damaged + counts.rejected > 0) dependencies.setExitCode(exitNotWhole);
  else if (counts.indexed + counts.metadata === 0) dependencies.setExitCode(exitNothingFound);
}

function ending(result: RebuildResult): string {
  switch (result.kind) {
    case 'in_place':
      return 'The index is in place. Start the gateway.';
    case 'prepared':
      return (
        `The archive is in the new index so far. A gateway runs (${result.holder}): stop it, move the old index away ` +
        'if there is one, and repeat this; it adds what came meanwhile and puts the new index in place.'
      );
    case 'waiting':
      return `The index cannot take more now: ${result.reason}. Repeat this; it goes on from here.`;
    default:
      return result satisfies never;
  }
}

function told({ indexed, maskingFailed, metadata, erased, expired, damaged, rejected }: RebuildCounts): string {
  const parts = [
    [maskingFailed, 'with metadata only'],
    [metadata, 'more with the metadata that is left of them'],
    [erased, 'of erased persons left out'],
    [expired, 'older than their metadata is kept'],
    [damaged, 'damaged'],
    [rejected, 'rejected by the index'],
  ] as const;
  const said = parts.filter(([count]) => count > 0).map(([count, what]) => `, ${count} ${what}`);
  return `${indexed} exchanges indexed${said.join('')}`;
}
