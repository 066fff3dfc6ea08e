import { Command } from 'commander';
import type { Config } from '../config/config.ts';
import { SkilltapeError } from '../errors.ts';
import { type ElasticsearchOptions, readerOptions, writerOptions } from '../index/elasticsearch/options.ts';
import { SqliteSearch } from '../index/sqlite/search.ts';
import { sanitisedJson, sanitiseLine } from '../terminal/sanitise.ts';
import { exitUsage, type LookingDependencies } from './looking.ts';

export type Output = Pick<LookingDependencies, 'write' | 'writeError' | 'setExitCode'>;

/** One use of the index. `problem`: why it is not possible, or null; `excess`: privileges that it does not need. */
type Standing = { use: 'shipping' | 'searching'; problem: string | null; excess: string[] };

const exitNotReady = 1;

/** `skilltape index check`: whether what is configured works, before anything depends on it. */
export function indexCheckCommand(config: () => Config, output: Output): Command {
  return new Command('check')
    .description('say whether the index can be shipped to and searched; writes and reads no document')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `\nExit codes: 0 it can, ${exitNotReady} it cannot, ${exitUsage} the configuration or the command line is wrong.`,
    )
    .action(async (flags: { json?: true }) => tell(await standingsOf(config()), output, flags));
}

function tell(
  standings: readonly Standing[],
  { write, writeError, setExitCode }: Output,
  flags: { json?: true },
): void {
  if (flags.json !== undefined) write(`${sanitisedJson(standings)}\n`);
  else for (const { use, problem } of standings) write(`${sanitiseLine(`${use}: ${problem ?? 'ready'}`)}\n`);
  for (const { use, excess } of standings)
    if (excess.length > 0) writeError(`The credential for ${use} may do more than it needs: ${excess.join(', ')}.\n`);
  if (standings.some(({ problem }) => problem !== null)) setExitCode(exitNotReady);
}

async function standingsOf({ index, dataDirectory }: Config): Promise<Standing[]> {
  if (index.kind === 'sqlite') return [await standingOfSqlite(dataDirectory)];
  return [await standingOf('shipping', writerOptions(index)), await standingOf('searching', readerOptions(index))];
}

async function standingOf(use: Standing['use'], options: ElasticsearchOptions): Promise<Standing> {
  // Loaded only where it is needed: its client takes longer to load than most commands to run.
  const { checkElasticsearch } = await import('../index/elasticsearch/open.ts');
  return { use, ...(await checkElasticsearch(options, use)) };
}

/** Shipping makes its file itself. */
async function standingOfSqlite(dataDirectory: string): Promise<Standing> {
  try {
    await SqliteSearch.open(dataDirectory).close();
    return { use: 'searching', problem: null, excess: [] };
  } catch (thrown) {
    return { use: 'searching', problem: SkilltapeError.from(thrown).message, excess: [] };
  }
}
