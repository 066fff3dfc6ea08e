import { parseArgs } from 'node:util';
import { SkilltapeError } from '../../extproc/errors.ts';

export type RunOptions = { seed: number; only: readonly string[]; rounds: number | null };

/** @throws SkilltapeError `usage` */
export function parseTortureOptions(
  args: readonly string[],
  names: readonly string[],
  drawSeed: () => number,
): RunOptions | 'help' {
  const { values } = parse(args);
  if (values.help) return 'help';
  const only = values.only ?? [];
  for (const name of only) {
    if (names.includes(name)) continue;
    throw new SkilltapeError('usage', `there is no torture "${name}"`, { remedy: `There are ${names.join(', ')}.` });
  }
  return {
    seed: values.seed === undefined ? drawSeed() : wholeNumber('--seed', values.seed, 0),
    only,
    rounds: values.rounds === undefined ? null : wholeNumber('--rounds', values.rounds, 1),
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        help: { type: 'boolean', default: false },
        seed: { type: 'string' },
        only: { type: 'string', multiple: true },
        rounds: { type: 'string' },
      },
    });
  } catch (thrown) {
    throw new SkilltapeError('usage', thrown instanceof Error ? thrown.message : String(thrown), {
      remedy: '--help shows the options.',
    });
  }
}

export function wholeNumber(option: string, text: string, min: number): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= min) return value;
  throw new SkilltapeError('usage', `${option} takes a whole number of at least ${min}, not "${text}"`);
}
