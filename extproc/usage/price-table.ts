import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { dottedKey, type Fault } from '../config/fault.ts';
import { readYaml } from '../config/yaml.ts';
import { SkilltapeError } from '../errors.ts';

const amount = z.number('must be a number').min(0, 'must not be below 0').max(1_000_000, 'must be at most 1000000');

const modelPrices = z.strictObject({
  input: amount,
  output: amount,
  cacheRead: amount,
  cacheWrite5m: amount,
  cacheWrite1h: amount,
  webSearchPer1000: amount.optional(),
});

const schema = z.strictObject({
  currency: z.string('must be text').regex(/^[A-Z]{3}$/, 'must be three capital letters such as USD'),
  models: z.record(
    z.string().regex(/^[^*]{0,200}\*?$/, 'must be the name of a model; a * may stand at its end alone'),
    modelPrices,
    'must be a section with one entry for each model',
  ),
  serviceTiers: z.record(z.string(), amount).default({}),
});

/** Prices of one model in the table's currency: per million tokens, and per thousand web searches. */
export type ModelPrices = z.output<typeof modelPrices>;

/** What tokens cost. */
export type PriceTable = {
  /** ISO 4217. */
  currency: string;
  /** By the whole name of a model, or by how it begins when the last character is `*`. */
  models: ReadonlyMap<string, ModelPrices>;
  /** What the prices of tokens are multiplied by in a service tier. */
  serviceTiers: ReadonlyMap<string, number>;
};

/** Of the configuration; null without one. Throws like `loadPriceTable`. */
export function pricesOf({ usage: { pricesFile } }: { usage: { pricesFile?: string | undefined } }): PriceTable | null {
  return pricesFile === undefined ? null : loadPriceTable(pricesFile);
}

/** Throws SkilltapeError `config_invalid` that names every fault with its key, its line and the way out. */
export function loadPriceTable(file: string): PriceTable {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (thrown) {
    const why = thrown instanceof Error ? thrown.message : String(thrown);
    throw new SkilltapeError('config_invalid', `the price table ${file} cannot be read: ${why}`, {
      remedy: 'name the file with --prices or in usage.pricesFile; deploy/prices.yaml is an example',
      cause: thrown,
    });
  }
  return parsePriceTable(text, file);
}

export function parsePriceTable(text: string, file: string): PriceTable {
  const yaml = readYaml(text);
  if (!yaml.ok) throw faulty(file, yaml.faults);
  const data = yaml.data ?? {};
  const parsed = schema.safeParse(data);
  const faults = [
    ...yaml.faults,
    ...(parsed.success ? [] : parsed.error.issues.flatMap((issue) => explained(issue, data, yaml.lineOf))),
  ];
  if (!parsed.success || faults.length > 0) throw faulty(file, faults);
  const { currency, models, serviceTiers } = parsed.data;
  return {
    currency,
    models: new Map(Object.entries(models)),
    serviceTiers: new Map(Object.entries(serviceTiers)),
  };
}

type LineOf = (path: readonly PropertyKey[]) => number | undefined;

function explained(issue: z.core.$ZodIssue, data: unknown, lineOf: LineOf): Fault[] {
  const at = (path: readonly PropertyKey[], message: string, remedy?: string): Fault => {
    const line = lineOf(path);
    const key = dottedKey(path);
    return { key, message, ...(remedy === undefined ? {} : { remedy }), ...(line === undefined ? {} : { line }) };
  };
  if (issue.code === 'unrecognized_keys') {
    const known = Object.keys(issue.path.length === 0 ? schema.shape : modelPrices.shape).join(', ');
    return issue.keys.map((name) => at([...issue.path, name], 'is not a known key', `known here: ${known}`));
  }
  if (issue.code === 'invalid_key') return [at(issue.path, issue.issues[0]?.message ?? issue.message)];
  if (isThere(data, issue.path)) return [at(issue.path, issue.message)];
  const isPrice = issue.path[0] === 'models' && issue.path.length > 1;
  return [at(issue.path, 'is missing', isPrice ? 'write the price per million tokens; 0 when it is free' : undefined)];
}

function isThere(data: unknown, path: readonly PropertyKey[]): boolean {
  let value = data;
  for (const part of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, part)) return false;
    value = Reflect.get(value, part);
  }
  return true;
}

function faulty(file: string, faults: readonly Fault[]): SkilltapeError {
  const lines = faults.map(({ key, line, message, remedy }) => {
    const place = `${key === '' ? 'file' : key}${line === undefined ? '' : ` (line ${line})`}`;
    return `  ${place}: ${message}${remedy === undefined ? '' : `; ${remedy}`}`;
  });
  const count = faults.length === 1 ? '1 fault' : `${faults.length} faults`;
  return new SkilltapeError('config_invalid', [`${count} in the price table ${file}:`, ...lines].join('\n'));
}
