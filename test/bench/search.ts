import { parseArgs } from 'node:util';
import { SkilltapeError } from '../../extproc/errors.ts';
import type { IndexSearch, SearchQuery } from '../../extproc/index/port.ts';
import { type Corpus, makeCorpus } from './search-corpus.ts';
import { type IndexName, indexNames, openStand } from './search-stand.ts';
import { quantile, seededRandom } from './statistics.ts';

/** Measures how long searches take in each index: `node test/bench/search.ts --help`. */
const help = `usage: node_modules/.bin/node test/bench/search.ts [options]

Fills an index with exchanges of about 8 kB of text over 30 days and asks it different queries, each once.

  --index NAME     ${indexNames.join(', ')} or both (default both)
  --exchanges N    (default 20000)
  --queries N      (default 200)
  --seed N         (default 1)
`;

const warmUpQueries = 20;

type Options = { indices: readonly IndexName[]; exchanges: number; queries: number; seed: number };
type Row = { name: string; ms: number[]; hits: number };

function optionsOf(args: readonly string[]): Options | 'help' {
  const options = {
    index: { type: 'string', default: 'both' },
    exchanges: { type: 'string', default: '20000' },
    queries: { type: 'string', default: '200' },
    seed: { type: 'string', default: '1' },
    help: { type: 'boolean', default: false },
  } as const;
  const { values } = parsed(() => parseArgs({ args: [...args], options }));
  if (values.help) return 'help';
  const indices = indexNames.filter((name) => values.index === name || values.index === 'both');
  if (indices.length === 0) throw new SkilltapeError('usage', `--index knows ${indexNames.join(', ')} and both`);
  const count = (name: 'exchanges' | 'queries' | 'seed'): number => {
    if (/^[1-9][0-9]{0,6}$/.test(values[name])) return Number(values[name]);
    throw new SkilltapeError('usage', `--${name} takes a whole number from 1 to 9999999, not "${values[name]}"`);
  };
  return { indices, exchanges: count('exchanges'), queries: count('queries'), seed: count('seed') };
}

function parsed<T>(parse: () => T): T {
  try {
    return parse();
  } catch (thrown) {
    throw new SkilltapeError('usage', thrown instanceof Error ? thrown.message : String(thrown));
  }
}

/** The same queries as a whole, and with fewer filters: what each costs without the help of the others. */
const kinds: readonly (readonly [name: string, of: (query: SearchQuery) => SearchQuery])[] = [
  ['phrase + person + time', (query) => query],
  ['phrase', ({ text }) => ({ text })],
  ['one word', ({ text }) => ({ text: text?.split(' ')[1] })],
  ['person + time', ({ text: _, ...filters }) => filters],
];

async function measure(search: IndexSearch, corpus: Corpus, queries: number): Promise<Row[]> {
  for (let at = 0; at < warmUpQueries; at += 1) await search.search(corpus.query());
  const asked = Array.from({ length: queries }, () => corpus.query());
  const rows: Row[] = [];
  for (const [name, of] of kinds) {
    const row: Row = { name, ms: [], hits: 0 };
    for (const query of asked) {
      const began = performance.now();
      const { hits } = await search.search(of(query));
      row.ms.push(performance.now() - began);
      if (hits.length === 0) throw new Error(`${name} found nothing: ${JSON.stringify(query)}`);
      row.hits += hits.length;
    }
    rows.push(row);
  }
  return rows;
}

function tell(rows: readonly Row[]): void {
  for (const { name, ms, hits } of rows) {
    const sorted = ms.toSorted((a, b) => a - b);
    const at = (share: number): string => `${quantile(sorted, share).toFixed(1).padStart(8)} ms`;
    const perQuery = (hits / ms.length).toFixed(1).padStart(5);
    process.stdout.write(
      `  ${name.padEnd(24)} p50 ${at(0.5)}   p95 ${at(0.95)}   max ${at(1)}   hits shown ${perQuery}\n`,
    );
  }
}

async function main({ indices, exchanges, queries, seed }: Options): Promise<void> {
  for (const name of indices) {
    const corpus = makeCorpus(exchanges, seededRandom, seed);
    process.stderr.write(`${name}: filling with ${exchanges} exchanges\n`);
    const stand = await openStand(name, corpus, exchanges);
    try {
      const rows = await measure(stand.search, corpus, queries);
      process.stdout.write(`${name}: ${exchanges} exchanges, filled in ${stand.fillSeconds.toFixed(0)} s\n`);
      tell(rows);
    } finally {
      await stand.close();
    }
  }
}

try {
  const options = optionsOf(process.argv.slice(2));
  if (options === 'help') process.stdout.write(help);
  else await main(options);
} catch (error) {
  if (!(error instanceof SkilltapeError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = error.code === 'usage' ? 2 : 1;
}
