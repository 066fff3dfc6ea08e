import { randomInt } from 'node:crypto';
import { SkilltapeError } from '../../extproc/errors.ts';
import { tortures } from './list.ts';
import { parseTortureOptions } from './options.ts';
import type { Torture, TortureReport } from './torture.ts';

/** `npm run torture`: progress on standard error, one line of JSON for each torture on standard output. */
const help = `usage: npm run torture -- [--only NAME]… [--rounds N] [--seed N]

${tortures.map(({ name, description, roundsDefault }) => `  ${name.padEnd(16)} ${description} (${roundsDefault})`).join('\n')}

Status 0 only when nothing was violated. README.md beside run.ts says more.
`;

type Result = TortureReport & { name: string; seed: number; rounds: number; seconds: number };

async function runOne(torture: Torture, seed: number, rounds: number): Promise<Result> {
  const { name } = torture;
  const say = (line: string) => void process.stderr.write(`${name}: ${line}\n`);
  say(`seed ${seed}, ${rounds} rounds`);
  const startedAt = performance.now();
  const report = await torture.run({ seed, rounds, progress: say }).catch((thrown: unknown) => ({
    counts: {},
    violations: [`it could not go on: ${thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown)}`],
  }));
  const seconds = Math.round((performance.now() - startedAt) / 1000);
  return { name, seed, rounds, seconds, ...report };
}

async function main(args: readonly string[]): Promise<number> {
  const names = tortures.map(({ name }) => name);
  const options = parseTortureOptions(args, names, () => randomInt(2 ** 31));
  if (options === 'help') {
    process.stdout.write(help);
    return 0;
  }
  const chosen = tortures.filter(({ name }) => options.only.length === 0 || options.only.includes(name));
  let violations = 0;
  for (const torture of chosen) {
    const result = await runOne(torture, options.seed, options.rounds ?? torture.roundsDefault);
    violations += result.violations.length;
    process.stdout.write(`${JSON.stringify(result)}\n`);
  }
  process.stdout.write(`${chosen.length} run, ${violations} violations\n`);
  return violations === 0 ? 0 : 1;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof SkilltapeError)) throw error;
  process.stderr.write(`${error.message}\n${error.remedy === undefined ? '' : `${error.remedy}\n`}`);
  process.exitCode = error.code === 'usage' ? 2 : 1;
}
