/** What the benches have in common that compare two ways of running the same load. */
import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { SkilltapeError } from '../../extproc/errors.ts';
import { numberOf, parsed } from './options.ts';
import { medianInterval } from './statistics.ts';

const countMax = 2 ** 32 - 1;

/** Whole numbers from 1, with these defaults, and a seed that is drawn where none is given. @throws SkilltapeError `usage` */
export function countsOf<Name extends string>(
  args: readonly string[],
  defaults: Readonly<Record<Name, number>>,
): Record<Name | 'seed', number> | 'help' {
  const all: Record<string, number> = { ...defaults, seed: randomInt(1, countMax) };
  const options = Object.fromEntries(
    Object.entries(all).map(([name, count]) => [name, { type: 'string', default: String(count) } as const]),
  );
  const help = { type: 'boolean', default: false } as const;
  const { help: isHelp, ...values } = parsed(
    () => parseArgs({ args: [...args], options: { ...options, help } }).values,
  );
  if (isHelp === true) return 'help';
  const counts = Object.entries(values).map(([name, value]) => [
    name,
    numberOf(name, String(value), 1, countMax, true),
  ]);
  return Object.fromEntries(counts) as Record<Name | 'seed', number>;
}

/** The median with its 95 % interval, in words. */
export function toldInterval(ratios: readonly number[], random: () => number): string {
  const { median, low, high } = medianInterval([...ratios], random);
  return `${median.toFixed(3)} [${low.toFixed(3)} ${high.toFixed(3)}]`;
}

/** Runs a bench as a program: its status, or 2 for a mistake in its command line. */
export async function runProgram<Options>(
  { help, optionsOf }: { help: string; optionsOf: (args: readonly string[]) => Options | 'help' },
  measure: (options: Exclude<Options, 'help'>) => Promise<number>,
): Promise<void> {
  try {
    const options = optionsOf(process.argv.slice(2));
    if (options === 'help') process.stdout.write(help);
    else process.exitCode = await measure(options as Exclude<Options, 'help'>);
  } catch (error) {
    if (!(error instanceof SkilltapeError)) throw error;
    process.stderr.write(`${error.message}\n${error.remedy === undefined ? '' : `${error.remedy}\n`}`);
    process.exitCode = error.code === 'usage' ? 2 : 1;
  }
}
