import { parseArgs } from 'node:util';
import { SkilltapeError } from '../../extproc/errors.ts';

/** Who stands behind Envoy: nobody, the empty processor in Go, or skilltape. */
export const variantNames = ['envoy', 'empty', 'skilltape'] as const;
export type VariantName = (typeof variantNames)[number];

export const workloadNames = ['json', 'code', 'sse'] as const;
export type WorkloadName = (typeof workloadNames)[number];

export type BenchOptions = {
  rounds: number;
  /** Measured time of one run. */
  seconds: number;
  warmupSeconds: number;
  concurrency: readonly number[];
  workloads: readonly WorkloadName[];
  variants: readonly VariantName[];
  seed: number;
  /** The JSON file to write; undefined: one named after the time, in the tool cache. */
  out: string | undefined;
  /** Folder for CPU profiles of the processor. */
  profile: string | undefined;
};

export const help = `usage: npm run bench -- [options]

Compares Envoy alone, Envoy with an empty external processor in Go, and Envoy with skilltape, in paired runs.

  --rounds N          rounds; in each, every variant runs once per workload and concurrency (default 8);
                      one more comes before them and counts for nothing
  --seconds S         measured time of one run (default 4)
  --warmup S          load before each measured time (default 2)
  --concurrency LIST  exchanges under way at once, comma-separated (default 1,16)
  --workload LIST     of ${workloadNames.join(', ')} (default all)
  --variant LIST      of ${variantNames.join(', ')} (default all)
  --seed N            seed of the intervals (default: drawn, and printed)
  --out FILE          where the result goes as JSON (default: a file in the tool cache; its path is printed)
  --profile FOLDER    write CPU profiles of skilltape's processor there; costs some speed
  --help              this text

Status 0 when every exchange of every run was answered right, 1 when one was not or a part is missing, 2 for a mistake in
the options.
`;

const optionTypes = {
  rounds: { type: 'string', default: '8' },
  seconds: { type: 'string', default: '4' },
  warmup: { type: 'string', default: '2' },
  concurrency: { type: 'string', default: '1,16' },
  workload: { type: 'string', default: workloadNames.join(',') },
  variant: { type: 'string', default: variantNames.join(',') },
  seed: { type: 'string' },
  out: { type: 'string' },
  profile: { type: 'string' },
  help: { type: 'boolean', default: false },
} as const;

/** @throws SkilltapeError `usage`, for everything that is not understood */
export function parseBenchOptions(args: readonly string[], drawSeed: () => number): BenchOptions | 'help' {
  const values = parsed(() => parseArgs({ args: [...args], options: optionTypes, allowPositionals: false }).values);
  if (values.help) return 'help';
  return {
    rounds: numberOf('rounds', values.rounds, 1, 1_000, true),
    seconds: numberOf('seconds', values.seconds, 0.1, 3_600, false),
    warmupSeconds: numberOf('warmup', values.warmup, 0, 3_600, false),
    concurrency: distinct('concurrency', values.concurrency).map((text) =>
      numberOf('concurrency', text, 1, 4_096, true),
    ),
    workloads: namesOf('workload', values.workload, workloadNames),
    variants: namesOf('variant', values.variant, variantNames),
    seed: values.seed === undefined ? drawSeed() : numberOf('seed', values.seed, 0, 2 ** 32 - 1, true),
    out: fileOf('out', values.out),
    profile: fileOf('profile', values.profile),
  };
}

/** @throws SkilltapeError `usage` in place of what `parseArgs` throws */
export function parsed<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw mistake(error instanceof Error ? error.message : String(error));
  }
}

/** @throws SkilltapeError `usage`, naming the option */
export function numberOf(name: string, text: string, min: number, max: number, whole: boolean): number {
  const value = /^[0-9]{1,10}(\.[0-9]{1,6})?$/.test(text) ? Number(text) : Number.NaN;
  if (value >= min && value <= max && (!whole || Number.isInteger(value))) return value;
  throw mistake(`--${name} takes ${whole ? 'a whole number' : 'a number'} from ${min} to ${max}, not "${text}"`);
}

function namesOf<Name extends string>(option: string, text: string, names: readonly Name[]): Name[] {
  return distinct(option, text).map((given) => {
    const found = names.find((name) => name === given);
    if (found === undefined) throw mistake(`--${option} knows ${names.join(', ')}, not "${given}"`);
    return found;
  });
}

function distinct(option: string, text: string): string[] {
  const parts = text.split(',').map((part) => part.trim());
  if (new Set(parts).size !== parts.length) throw mistake(`--${option} names one thing twice: "${text}"`);
  return parts;
}

function fileOf(name: string, value: string | undefined): string | undefined {
  if (value === '') throw mistake(`--${name} needs a path`);
  return value;
}

function mistake(message: string): SkilltapeError {
  return new SkilltapeError('usage', message, { remedy: '--help lists the options.' });
}
