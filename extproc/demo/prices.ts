import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';

const example = fileURLToPath(new URL('../../deploy/prices.yaml', import.meta.url));

const heading =
  '# Invented prices for the models of the fake Claude, so that `skilltape usage` has something to show.\n';
const invented = {
  currency: 'USD',
  models: {
    'claude-opus-5-5': { input: 5, output: 25, cacheRead: 0.5, cacheWrite5m: 6.25, cacheWrite1h: 10 },
    'claude-haiku-5-5': { input: 1, output: 5, cacheRead: 0.1, cacheWrite5m: 1.25, cacheWrite1h: 2 },
  },
  serviceTiers: { batch: 0.5 },
};

/** The price table of the demo: the example for the real API, an invented one for the fake. */
export function demoPricesFile(directory: string, isFake: boolean): string {
  if (!isFake) return example;
  const file = join(directory, 'prices.yaml');
  writeFileSync(file, heading + stringify(invented), { mode: 0o600 });
  return file;
}
