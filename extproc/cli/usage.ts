import type { Command } from 'commander';
import { SkilltapeError } from '../errors.ts';
import { type UsageKey, type UsageQuery, type UsageRow, usageKeys } from '../index/port.ts';
import { sanitisedJson, sanitiseLine } from '../terminal/sanitise.ts';
import { renderUsage } from '../terminal/usage-table.ts';
import { loadPriceTable, type PriceTable } from '../usage/price-table.ts';
import { linesOf, totalOf, type UsageLine } from '../usage/summary.ts';
import {
  exitNothingFound,
  type LookingDependencies,
  lookingCommand,
  recordLook,
  tellingUsage,
  withIndex,
} from './looking.ts';
import { momentHelp, rangeEnd, rangeStart } from './moment.ts';

type Flags = {
  by: string;
  from?: string;
  to?: string;
  user?: string;
  connection?: string;
  prices?: string;
  json?: true;
  why?: string;
};

/** `skilltape usage`: tokens and what they cost, summed up. */
export function usageCommand(
  dependencies: LookingDependencies,
  program: { pricesFile: () => string | undefined },
): Command {
  return lookingCommand('usage', dependencies)
    .description('sum up tokens and what they cost')
    .option('--by <keys>', `${usageKeys.join(', ')}; several with commas`, 'user')
    .option('--from <time>', `not before: ${momentHelp}`)
    .option('--to <time>', 'before; a plain date includes that day')
    .option('--user <user>', 'id, e-mail address or name of the user, whole')
    .option('--connection <name>', 'name of the connection')
    .option('--prices <file>', 'price table, in place of usage.pricesFile')
    .action((flags: Flags) => tellingUsage(dependencies, () => usage(dependencies, flags, program.pricesFile)));
}

async function usage(
  dependencies: LookingDependencies,
  flags: Flags,
  configured: () => string | undefined,
): Promise<void> {
  const query = queryOf(flags, dependencies.now());
  const file = flags.prices ?? configured();
  const table = file === undefined ? null : loadPriceTable(file);
  recordLook(dependencies, 'usage', subjectOf(query), flags.why);
  const rows = await withIndex(dependencies, (index) => index.usage(query));
  if (rows.length === 0) {
    dependencies.writeError('Nothing found: no exchange there reported any tokens.\n');
    dependencies.setExitCode(exitNothingFound);
    return;
  }
  const lines = linesOf(rows, table);
  if (flags.json === undefined) writeTable(dependencies, query, { rows, lines, table });
  else for (const line of lines) dependencies.write(`${sanitisedJson(jsonOf(line, query.by, table))}\n`);
  dependencies.writeError(partialSums(rows, query) + missingPrices(lines, table));
}

function writeTable(
  dependencies: LookingDependencies,
  { by }: UsageQuery,
  { rows, lines, table }: { rows: UsageRow[]; lines: UsageLine[]; table: PriceTable | null },
): void {
  const overlaps = by.includes('skill');
  const total = overlaps ? null : totalOf(rows, table);
  dependencies.write(renderUsage({ keys: by, lines, total, currency: table?.currency ?? null }, dependencies));
  if (overlaps)
    dependencies.writeError(
      'No total: an exchange with two skills counts for both, so the rows do not add up to one.\n',
    );
}

/** A broken answer reports its input at its beginning, and of its output what was counted last. */
function partialSums(rows: readonly UsageRow[], { by }: UsageQuery): string {
  const count = rows.reduce((sum, { partial }) => sum + partial, 0);
  if (count === 0) return '';
  const how = by.includes('skill') ? 'Some of these exchanges' : `${count.toLocaleString('en-US')} of these exchanges`;
  return `${how} broke off or failed: of them the sums have the tokens that were reported until then.\n`;
}

function missingPrices(lines: readonly UsageLine[], table: PriceTable | null): string {
  if (table === null)
    return 'No cost: name a price table with --prices or in usage.pricesFile (deploy/prices.yaml is an example).\n';
  const missing = [...new Set(lines.flatMap(({ unpriced }) => unpriced))].toSorted();
  return missing.map((what) => `No price for: ${sanitiseLine(what)}\n`).join('');
}

/** Names of fields as in the documents: what is summed up here stands there by the same name. */
function jsonOf(line: UsageLine, by: readonly UsageKey[], table: PriceTable | null): object {
  const { exchanges, partial, tokens, webSearchRequests, cost, unpriced } = line;
  return {
    group: Object.fromEntries(by.map((key, at) => [key, line.group[at] ?? ''])),
    exchanges,
    partial_exchanges: partial,
    uncached_input_tokens: tokens.uncachedInput,
    cache_read_input_tokens: tokens.cacheRead,
    cache_creation_5m_input_tokens: tokens.cacheCreation5m,
    cache_creation_1h_input_tokens: tokens.cacheCreation1h,
    output_tokens: tokens.output,
    web_search_requests: webSearchRequests,
    cost,
    currency: table?.currency ?? null,
    unpriced,
  };
}

function queryOf(flags: Flags, now: Date): UsageQuery {
  const query: UsageQuery = {
    by: keysOf(flags.by),
    from: flags.from === undefined ? undefined : rangeStart('--from', flags.from, now),
    to: flags.to === undefined ? undefined : rangeEnd('--to', flags.to, now),
    user: flags.user,
    connection: flags.connection,
  };
  if (query.from === undefined || query.to === undefined || query.from < query.to) return query;
  throw new SkilltapeError('usage', '--from is not before --to', { remedy: 'swap them, or leave one out' });
}

function keysOf(text: string): UsageKey[] {
  const names = text.split(',').map((name) => name.trim());
  const keys = usageKeys.filter((key) => names.includes(key));
  const isWhole = names.length === keys.length;
  if (isWhole) return keys.toSorted((a, b) => names.indexOf(a) - names.indexOf(b));
  throw new SkilltapeError('usage', `--by "${text}" is not a list of keys, each once`, {
    remedy: `write some of ${usageKeys.join(', ')}, with commas`,
  });
}

function subjectOf({ by, from, to, user, connection }: UsageQuery): string {
  const filters = { by: by.join(','), from: from?.toISOString(), to: to?.toISOString(), user, connection };
  return Object.entries(filters)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}: ${value}`)
    .join('\n');
}
