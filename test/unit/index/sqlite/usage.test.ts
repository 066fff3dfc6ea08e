import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { UsageKey, UsageQuery, UsageRow } from '../../../../extproc/index/port.ts';
import { SqliteSearch } from '../../../../extproc/index/sqlite/search.ts';
import { SqliteIndex } from '../../../../extproc/index/sqlite/writer.ts';
import { temporaryDirectory } from '../../../builders/directory.ts';
import { documentOf, noBilledUsage } from '../../../builders/document.ts';

type Overrides = NonNullable<Parameters<typeof documentOf>[0]>;

async function usageOver(t: TestContext, documents: Overrides[]): Promise<(query: UsageQuery) => Promise<UsageRow[]>> {
  const directory = temporaryDirectory(t);
  const index = SqliteIndex.open(directory);
  const search = SqliteSearch.open(directory);
  t.after(async () => {
    await search.close();
    await index.close();
  });
  for (const { kind } of await index.deliver(documents.map(documentOf))) assert.equal(kind, 'accepted');
  return (query) => search.usage(query);
}

/** One exchange with these tokens: not from a cache, read from one, written for 5 minutes and for an hour, output. */
function tokens([uncached, read, five, hour, output]: [number, number, number, number, number]): Overrides {
  return {
    usage: {
      input_tokens: uncached + read + five + hour,
      output_tokens: output,
      cache_read: { input_tokens: read },
      cache_creation: { input_tokens: five + hour },
    },
    skilltape: {
      usage: {
        ...{ ...noBilledUsage, uncached_input_tokens: uncached, service_tier: 'standard' },
        cache_creation_5m_input_tokens: five,
        cache_creation_1h_input_tokens: hour,
        web_search_requests: 1,
      },
    },
  };
}

test('the tokens of a group are summed up, each kind by itself', async (t) => {
  const usage = await usageOver(t, [
    { ...tokens([1, 20, 300, 4_000, 50_000]), id: 'a' },
    { ...tokens([2, 30, 400, 5_000, 60_000]), id: 'b' },
    { ...tokens([9, 9, 9, 9, 9]), id: 'c', user: { id: 'u-2', email: '' } },
  ]);
  assert.deepEqual(await usage({ by: ['user'] }), [
    {
      group: ['ada@example.org'],
      model: 'claude-sonnet-4-5',
      serviceTier: 'standard',
      exchanges: 2,
      partial: 0,
      tokens: {
        ...{ uncachedInput: 3, cacheRead: 50, cacheCreation5m: 700, cacheCreation1h: 9_000 },
        output: 110_000,
      },
      webSearchRequests: 2,
    },
    {
      group: ['u-2'],
      model: 'claude-sonnet-4-5',
      serviceTier: 'standard',
      exchanges: 1,
      partial: 0,
      tokens: { uncachedInput: 9, cacheRead: 9, cacheCreation5m: 9, cacheCreation1h: 9, output: 9 },
      webSearchRequests: 1,
    },
  ]);
});

test('rows are apart by model and service tier whatever they are grouped by; the model is the one that answered', async (t) => {
  const tier = (service_tier: string) => ({ usage: { ...noBilledUsage, service_tier } });
  const usage = await usageOver(t, [
    { id: 'a', model: 'alias', responseModel: 'model-1' },
    { id: 'b', model: 'alias', responseModel: '' },
    { id: 'c', model: 'alias', responseModel: 'model-1', skilltape: tier('batch') },
  ]);
  assert.deepEqual(
    (await usage({ by: ['connection'] })).map(({ group, model, serviceTier }) => [...group, model, serviceTier]),
    [
      ['claude', 'alias', 'standard'],
      ['claude', 'model-1', 'batch'],
      ['claude', 'model-1', 'standard'],
    ],
  );
});

test('an exchange counts for each of its skills once, and for no skill when it has none', async (t) => {
  const skill = (...names: string[]) => ({ skill: names.map((name) => ({ name, version: '', source: 'x' })) });
  const usage = await usageOver(t, [
    { id: 'a', skilltape: skill('pdf', 'brand', 'pdf') },
    { id: 'b', skilltape: skill('pdf') },
    { id: 'c' },
  ]);
  assert.deepEqual(
    (await usage({ by: ['skill'] })).map(({ group, exchanges }) => [...group, exchanges]),
    [
      ['', 1],
      ['brand', 1],
      ['pdf', 2],
    ],
  );
});

test('what reported no tokens is not counted; a batch counts by its results', async (t) => {
  const nothing = { usage: { input_tokens: null, output_tokens: null }, skilltape: { usage: noBilledUsage } };
  const usage = await usageOver(t, [
    { id: 'a', ...nothing },
    { id: 'b', ...nothing, action: 'batch_request' },
    { id: 'c', action: 'batch_result' },
    { id: 'd', usage: { input_tokens: null, output_tokens: 7 } },
  ]);
  assert.deepEqual(
    (await usage({ by: ['day'] })).map(({ group, exchanges, tokens: { output } }) => [...group, exchanges, output]),
    [['2026-01-15', 2, 41]],
  );
});

test('keys come in the order asked for, days are those of UTC, and every filter holds', async (t) => {
  const usage = await usageOver(t, [
    { id: 'a', time: '2026-01-15T23:59:59.999Z' },
    { id: 'b', time: '2026-01-16T00:30:00+01:00', session: 's2' },
    { id: 'c', time: '2026-01-16T00:00:00Z', connection: 'research', user: { id: 'u-c', email: 'C@x.org' } },
    { id: 'd', time: '2026-01-17T00:00:00Z', user: null },
  ]);
  const groups = async (query: UsageQuery) => (await usage(query)).map(({ group }) => group);
  assert.deepEqual(await groups({ by: ['day', 'session'] }), [
    ['2026-01-15', 's2'],
    ['2026-01-15', 'session-1'],
    ['2026-01-16', 'session-1'],
    ['2026-01-17', 'session-1'],
  ]);
  assert.deepEqual(await groups({ by: ['user', 'day'], connection: 'research' }), [['C@x.org', '2026-01-16']]);
  assert.deepEqual(await groups({ by: ['user'], user: 'c@X.ORG' }), [['C@x.org']]);
  assert.deepEqual(await groups({ by: ['user'], from: new Date('2026-01-17T00:00:00Z') }), [['']]);
  assert.deepEqual(await groups({ by: ['day'], to: new Date('2026-01-16T00:00:00Z') }), [['2026-01-15']]);
  assert.deepEqual(await groups({ by: ['model'], user: 'nobody' }), []);
});

test('tokens that a cache took and that are not split are for 5 minutes', async (t) => {
  const creation = { input_tokens: 300, cache_creation: { input_tokens: 250 } };
  const usage = await usageOver(t, [{ usage: creation, skilltape: { usage: noBilledUsage } }]);
  const [row] = await usage({ by: ['user'] });
  assert.deepEqual([row?.tokens.cacheCreation5m, row?.tokens.cacheCreation1h, row?.tokens.uncachedInput], [250, 0, 50]);
});

test('sums of what a hostile upstream reports do not overflow', async (t) => {
  const most = { output_tokens: Number.MAX_SAFE_INTEGER };
  const documents = Array.from({ length: 1_100 }, (_, at) => ({ id: `e-${at}`, usage: most }));
  const usage = await usageOver(t, documents);
  const [row] = await usage({ by: ['user'] });
  assert.ok(Math.abs((row?.tokens.output ?? 0) / (1_100 * Number.MAX_SAFE_INTEGER) - 1) < 1e-9);
});

test('a grouping by nothing, by something unknown or by the same twice is refused as usage', async (t) => {
  const usage = await usageOver(t, [{}]);
  for (const by of [[], ['day', 'day'], ['nonsense'], ["day'--"]])
    await assert.rejects(usage({ by: by as UsageKey[] }), { code: 'usage' });
});
