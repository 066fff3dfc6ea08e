import { randomInt } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { SkilltapeError } from '../../../extproc/errors.ts';
import { cacheDirectory } from '../../../extproc/tools/cache.ts';
import { wholeNumber } from '../options.ts';
import { runSoak } from './soak.ts';

/** `npm run soak`: samples on standard error, the verdict on standard output, everything measured in a file. */
const help = `usage: npm run soak -- [--minutes N (60)] [--rate REQUESTS_A_SECOND (10)] [--seed N] [--out FILE]

Status 0 only when every request was answered and nothing grew; ../README.md has the bounds.
`;

async function main(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      help: { type: 'boolean', default: false },
      minutes: { type: 'string', default: '60' },
      rate: { type: 'string', default: '10' },
      seed: { type: 'string', default: String(randomInt(2 ** 31)) },
      out: { type: 'string' },
    },
  });
  if (values.help) {
    process.stdout.write(help);
    return 0;
  }
  const stopped = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stopped.abort());
  const result = await runSoak({
    seed: wholeNumber('--seed', values.seed, 0),
    minutes: wholeNumber('--minutes', values.minutes, 1),
    requestsPerSecond: wholeNumber('--rate', values.rate, 1),
    progress: (line) => void process.stderr.write(`${line}\n`),
    signal: stopped.signal,
  });
  const stamp = new Date().toISOString().replaceAll(':', '-');
  const file = resolve(values.out ?? join(cacheDirectory(process.env), 'soak', `${stamp}.json`));
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify(result, null, 2)}\n`);
  const { samples, ...verdict } = result;
  process.stdout.write(`${JSON.stringify(verdict, null, 2)}\n${samples.length} samples are in ${file}\n`);
  return result.passed ? 0 : 1;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof SkilltapeError) && (error as { code?: string }).code?.startsWith('ERR_PARSE_ARGS') !== true)
    throw error;
  process.stderr.write(`${(error as Error).message}\n`);
  process.exitCode = 2;
}
