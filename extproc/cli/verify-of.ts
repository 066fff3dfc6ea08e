import type { Command } from 'commander';
import { archiveDirectory } from '../archive/places.ts';
import type { Config } from '../config/config.ts';
import { SkilltapeError } from '../errors.ts';
import type { StoredCheckpoints } from '../index/checkpoints.ts';
import { readerOptions } from '../index/elasticsearch/options.ts';
import { openSqliteCheckpoints } from '../index/sqlite/checkpoints.ts';
import { verifyCommand } from './verify.ts';

/** Over the archive and the index that the configuration names. */
export function verifyOf(config: () => Config, output: Parameters<typeof verifyCommand>[0]): Command {
  const ownArchive = () => archiveDirectory(config().dataDirectory);
  return verifyCommand(output, ownArchive, () => indexedCheckpointsOf(config()));
}

/** As of a file of them: at one a minute it is years. */
const checkpointsMaxChars = 256 * 1024 * 1024;

/** The checkpoints that the index was given, one a line. Throws SkilltapeError `index_failed`. */
async function indexedCheckpointsOf({ index, dataDirectory }: Config): Promise<string> {
  const stored = index.kind === 'sqlite' ? openSqliteCheckpoints(dataDirectory) : await ofElasticsearch(index);
  try {
    const lines: string[] = [];
    let chars = 0;
    for await (const line of stored.lines()) {
      lines.push(`${line}\n`);
      chars += line.length;
      if (chars > checkpointsMaxChars)
        throw new SkilltapeError('usage', `the index has more than ${checkpointsMaxChars} characters of checkpoints`, {
          remedy: 'give those that matter as a file: --checkpoints',
        });
    }
    return lines.join('');
  } finally {
    await stored.close();
  }
}

async function ofElasticsearch(index: Config['index']): Promise<StoredCheckpoints> {
  const { openStoredCheckpoints } = await import('../index/elasticsearch/open.ts');
  return openStoredCheckpoints(readerOptions(index));
}
