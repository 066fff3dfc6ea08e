import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Outcome } from '../../extproc/exchange/outcome.ts';
import type { UsageRow } from '../../extproc/index/port.ts';
import type { ExchangeDocument } from '../../extproc/transcript/document.ts';
import { noBilledUsage } from '../builders/document.ts';
import { type Documents, filled, type IndexKind } from './index-under-test.ts';

const skill = (name: string, version = '') => ({ name, version, source: 'container' });

function billed(counts: Partial<ExchangeDocument['skilltape']['usage']>): ExchangeDocument['skilltape']['usage'] {
  return { ...noBilledUsage, service_tier: 'standard', ...counts };
}

const documents: Documents = [
  {
    ...{ id: 'a', time: '2026-01-01T23:59:59.999Z', session: 's1', responseModel: 'opus' },
    usage: {
      input_tokens: 60,
      output_tokens: 5,
      cache_read: { input_tokens: 20 },
      cache_creation: { input_tokens: 30 },
    },
    skilltape: {
      skill: [skill('pdf'), skill('pdf', '2'), skill('pptx')],
      usage: billed({
        uncached_input_tokens: 10,
        cache_creation_5m_input_tokens: 25,
        cache_creation_1h_input_tokens: 5,
        web_search_requests: 3,
      }),
    },
  },
  {
    ...{ id: 'b', time: '2026-01-02T00:00:00+00:00', session: 's1', responseModel: 'opus' },
    usage: { input_tokens: 10, output_tokens: 7 },
    skilltape: { skill: [skill('pdf')], usage: billed({ uncached_input_tokens: 10, service_tier: 'priority' }) },
  },
  {
    ...{
      id: 'c',
      time: '2026-01-02T01:00:00+02:00',
      session: 's2',
      responseModel: '',
      model: 'opus',
      connection: 'lab',
    },
    user: { id: 'u-2', email: '', name: 'Bo' },
    usage: { input_tokens: 40, output_tokens: 2, cache_creation: { input_tokens: 30 } },
    skilltape: { usage: billed({ uncached_input_tokens: 10 }) },
  },
  {
    ...{ id: 'd', time: '2026-01-03T00:00:00Z', session: 's3', responseModel: 'haiku', user: null },
    usage: { input_tokens: 1, output_tokens: 1 },
    skilltape: { noise: 'title', usage: billed({ uncached_input_tokens: 1 }) },
  },
  // The answer named no usage: a denial costs nothing and is no row.
  {
    ...{ id: 'e', time: '2026-01-03T00:00:00Z', usage: { input_tokens: null, output_tokens: null } },
    skilltape: { usage: noBilledUsage, outcome: 'denied' },
  },
];

function short({ group, model, serviceTier, exchanges, tokens, webSearchRequests }: UsageRow): string {
  const { uncachedInput, cacheRead, cacheCreation5m, cacheCreation1h, output } = tokens;
  const counts = [exchanges, uncachedInput, cacheRead, cacheCreation5m, cacheCreation1h, output, webSearchRequests];
  return `${group.join('|')} ${model}/${serviceTier} ${counts.join(' ')}`;
}

/** Sums of tokens. */
export function testUsage(kind: IndexKind): void {
  const { name } = kind;

  test(`${name}: tokens are summed up by each key, apart for each model and service tier`, async (t) => {
    const { reader } = await filled(kind, t, documents);
    const rows = async (query: Parameters<typeof reader.usage>[0]) => (await reader.usage(query)).map(short).toSorted();
    assert.deepEqual(await rows({ by: ['user'] }), [
      ' haiku/standard 1 1 0 0 0 1 0',
      'ada@example.org opus/priority 1 10 0 0 0 7 0',
      'ada@example.org opus/standard 1 10 20 25 5 5 3',
      'u-2 opus/standard 1 10 0 30 0 2 0',
    ]);
    assert.deepEqual(await rows({ by: ['skill'] }), [
      ' haiku/standard 1 1 0 0 0 1 0',
      ' opus/standard 1 10 0 30 0 2 0',
      'pdf opus/priority 1 10 0 0 0 7 0',
      'pdf opus/standard 1 10 20 25 5 5 3',
      'pptx opus/standard 1 10 20 25 5 5 3',
    ]);
    assert.deepEqual(await rows({ by: ['day', 'connection'] }), [
      '2026-01-01|claude opus/standard 1 10 20 25 5 5 3',
      '2026-01-01|lab opus/standard 1 10 0 30 0 2 0',
      '2026-01-02|claude opus/priority 1 10 0 0 0 7 0',
      '2026-01-03|claude haiku/standard 1 1 0 0 0 1 0',
    ]);
    assert.deepEqual(await rows({ by: ['session', 'model'] }), [
      's1|opus opus/priority 1 10 0 0 0 7 0',
      's1|opus opus/standard 1 10 20 25 5 5 3',
      's2|opus opus/standard 1 10 0 30 0 2 0',
      's3|haiku haiku/standard 1 1 0 0 0 1 0',
    ]);
  });

  test(`${name}: answers that broke off are summed up and counted apart`, async (t) => {
    const usage = { input_tokens: 10, output_tokens: 1 };
    const counted = (id: string, outcome: Outcome): Documents[number] => ({
      ...{ id, time: '2026-01-01T00:00:00Z', usage },
      skilltape: { outcome, usage: billed({ uncached_input_tokens: 10 }) },
    });
    const { reader } = await filled(kind, t, [
      counted('a', 'complete'),
      counted('b', 'client_aborted'),
      counted('c', 'upstream_error'),
    ]);
    const [row, ...others] = await reader.usage({ by: ['user'] });
    assert.deepEqual([row?.exchanges, row?.partial, row?.tokens.uncachedInput, others], [3, 2, 30, []]);
  });

  test(`${name}: sums take the same filters as searches`, async (t) => {
    const { reader } = await filled(kind, t, documents);
    const rows = async (query: Parameters<typeof reader.usage>[0]) => (await reader.usage(query)).map(short).toSorted();
    assert.deepEqual(await rows({ by: ['connection'], user: 'bO' }), ['lab opus/standard 1 10 0 30 0 2 0']);
    assert.deepEqual(await rows({ by: ['user'], connection: 'lab' }), ['u-2 opus/standard 1 10 0 30 0 2 0']);
    const from = new Date('2026-01-02T00:00:00Z');
    const to = new Date('2026-01-03T00:00:00Z');
    assert.deepEqual(await rows({ by: ['day'], from, to }), ['2026-01-02 opus/priority 1 10 0 0 0 7 0']);
  });

  test(`${name}: thousands of groups come whole, in their order, and large counts exactly`, async (t) => {
    const people = Array.from({ length: 2_500 }, (_, number) => `p-${String(number).padStart(4, '0')}@example.org`);
    const large = 3_000_000_000_000;
    const { reader } = await filled(
      kind,
      t,
      people.flatMap((email, number) =>
        (number % 5 === 0 ? ['first', 'second'] : ['first']).map((time) => ({
          id: `${email}-${time}`,
          user: { email },
          usage: { input_tokens: large + 1, output_tokens: 1 },
          skilltape: { usage: billed({ uncached_input_tokens: large + 1 }) },
        })),
      ),
    );
    const rows = await reader.usage({ by: ['user'] });
    assert.deepEqual(
      rows.map(({ group }) => group[0]),
      people,
    );
    for (const [number, { exchanges, tokens }] of rows.entries()) {
      const expected = number % 5 === 0 ? 2 : 1;
      assert.deepEqual([exchanges, tokens.uncachedInput], [expected, expected * (large + 1)]);
    }
  });
}
