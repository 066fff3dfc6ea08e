import { checkUsageKeys, tooManyUsageRows, usageRowsMax } from '../limits.ts';
import type { UsageKey, UsageQuery, UsageRow } from '../port.ts';
import { isObject, listAt, objectAt } from './json.ts';
import { timeAndPlace } from './query.ts';

const bucketsPerRequest = 1_000;

const sources: Record<UsageKey, object> = {
  user: terms('skilltape.billed.person'),
  session: terms('skilltape.session.id'),
  skill: terms('skilltape.skill.name'),
  model: terms('skilltape.billed.model'),
  day: {
    date_histogram: { field: '@timestamp', calendar_interval: 'day', format: 'yyyy-MM-dd', missing_bucket: true },
  },
  connection: terms('skilltape.connection'),
};

const counts = [
  'uncached_input_tokens',
  'cache_read_input_tokens',
  'cache_creation_5m_input_tokens',
  'cache_creation_1h_input_tokens',
  'output_tokens',
  'web_search_requests',
] as const;

/** Sums over the documents that reported any tokens. `ask` sends one search. */
export async function sumUsage(query: UsageQuery, ask: (body: object) => Promise<unknown>): Promise<UsageRow[]> {
  checkUsageKeys(query.by);
  const billed = { exists: { field: 'skilltape.billed.output_tokens' } };
  const keys = [...query.by.map((key) => sources[key]), sources.model, terms('skilltape.billed.service_tier')];
  const composite = { size: bucketsPerRequest, sources: keys.map((source, at) => ({ [`key${at}`]: source })) };
  const rows = new Map<string, UsageRow>();
  let after: unknown;
  do {
    const answer = await ask({
      size: 0,
      track_total_hits: false,
      query: { bool: { filter: [...timeAndPlace(query), billed] } },
      aggs: {
        groups: {
          composite: { ...composite, ...(after === undefined ? {} : { after }) },
          aggs: {
            ...Object.fromEntries(counts.map((name) => [name, { sum: { field: `skilltape.billed.${name}` } }])),
            partial: { filter: { bool: { must_not: [{ term: { 'skilltape.outcome': { value: 'complete' } } }] } } },
          },
        },
      },
    });
    const groups = objectAt(objectAt(answer, 'aggregations'), 'groups');
    for (const bucket of listAt(groups, 'buckets')) addRow(rows, rowOf(bucket, query.by.length));
    if (rows.size > usageRowsMax) throw tooManyUsageRows();
    after = groups.after_key;
  } while (after !== undefined);
  return [...rows.values()];
}

/** No value and an empty text are the same group. */
function terms(field: string): object {
  return { terms: { field, missing_bucket: true } };
}

function addRow(rows: Map<string, UsageRow>, row: UsageRow): void {
  const key = JSON.stringify([row.group, row.model, row.serviceTier]);
  const same = rows.get(key);
  if (same === undefined) {
    rows.set(key, row);
    return;
  }
  same.exchanges += row.exchanges;
  same.partial += row.partial;
  same.webSearchRequests += row.webSearchRequests;
  const { tokens } = same;
  tokens.uncachedInput += row.tokens.uncachedInput;
  tokens.cacheRead += row.tokens.cacheRead;
  tokens.cacheCreation5m += row.tokens.cacheCreation5m;
  tokens.cacheCreation1h += row.tokens.cacheCreation1h;
  tokens.output += row.tokens.output;
}

function rowOf(bucket: unknown, keys: number): UsageRow {
  const key = objectAt(bucket, 'key');
  const sum = (name: (typeof counts)[number]): number => Number(objectAt(bucket, name).value ?? 0);
  return {
    group: Array.from({ length: keys }, (_, at) => String(key[`key${at}`] ?? '')),
    model: String(key[`key${keys}`] ?? ''),
    serviceTier: String(key[`key${keys + 1}`] ?? ''),
    exchanges: isObject(bucket) ? Number(bucket.doc_count) : 0,
    partial: Number(objectAt(bucket, 'partial').doc_count ?? 0),
    tokens: {
      uncachedInput: sum('uncached_input_tokens'),
      cacheRead: sum('cache_read_input_tokens'),
      cacheCreation5m: sum('cache_creation_5m_input_tokens'),
      cacheCreation1h: sum('cache_creation_1h_input_tokens'),
      output: sum('output_tokens'),
    },
    webSearchRequests: sum('web_search_requests'),
  };
}
