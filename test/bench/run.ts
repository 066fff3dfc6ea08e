import { randomInt } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { SkilltapeError } from '../../extproc/errors.ts';
import { cacheDirectory } from '../../extproc/tools/cache.ts';
import { runBench } from './bench.ts';
import { help, parseBenchOptions } from './options.ts';
import { renderTable } from './table.ts';

/** `npm run bench`: progress on standard error, the table on standard output, everything measured in a file. */
async function main(args: readonly string[]): Promise<number> {
  const options = parseBenchOptions(args, () => randomInt(2 ** 32));
  if (options === 'help') {
    process.stdout.write(help);
    return 0;
  }
  const stopped = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stopped.abort());
  const progress = (line: string) => void process.stderr.write(`${line}\n`);
  const result = await runBench(options, { progress, signal: stopped.signal });
  const file = resolve(options.out ?? join(cacheDirectory(process.env), 'bench', `${stamp(result.startedAt)}.json`));
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify(result, null, 2)}\n`);
  process.stdout.write(`${renderTable(result)}\nEverything measured is in ${file}\n`);
  return result.valid ? 0 : 1;
}

/** A file name on every file system. */
function stamp(isoTime: string): string {
  return isoTime.replaceAll(':', '-');
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (error instanceof Error && error.name === 'AbortError') process.exitCode = 130;
  else if (!(error instanceof SkilltapeError)) throw error;
  else {
    process.stderr.write(`${error.message}\n${error.remedy === undefined ? '' : `${error.remedy}\n`}`);
    process.exitCode = error.code === 'usage' ? 2 : 1;
  }
}
