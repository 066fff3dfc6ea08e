import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SkilltapeError } from '../../extproc/errors.ts';
import { type SearchQuery, sessionDocumentsMax } from '../../extproc/index/port.ts';
import { documentOf } from '../builders/document.ts';
import { deliverAll, filled, type IndexKind, idsFor } from './index-under-test.ts';

const isUsage = (thrown: unknown): boolean => thrown instanceof SkilltapeError && thrown.code === 'usage';

/** Filters, pages and refusals of a search. */
const nothingLifted = { lifted: null, lifted_reasons: [], lifted_grants: [], lifted_by: [], lifted_why: [] };

export function testSearch(kind: IndexKind): void {
  const { name } = kind;

  test(`${name}: each filter finds its exchanges, all filters must hold, the newest comes first`, async (t) => {
    const index = await filled(kind, t, [
      {
        id: 'a',
        time: '2026-01-01T00:00:00Z',
        user: { id: 'u-A', name: 'A\u0308nne', email: 'a@X.org' },
        session: 's1',
      },
      { id: 'b', time: '2026-01-02T00:00:00Z', user: { id: 'u-b' }, connection: 'research', session: 's2' },
      { id: 'c', time: '2026-01-03T00:00:00Z', user: null, session: 's2', skilltape: { outcome: 'denied' } },
    ]);
    const expected: readonly (readonly [SearchQuery, string[]])[] = [
      [{}, ['c', 'b', 'a']],
      [{ user: 'U-a' }, ['a']],
      [{ user: 'änNE' }, ['a']],
      [{ user: 'A@x.ORG' }, ['a']],
      [{ user: 'u-' }, []],
      [{ user: '*' }, []],
      [{ connection: 'research' }, ['b']],
      [{ connection: 'Research' }, []],
      [{ session: 's2' }, ['c', 'b']],
      [{ outcome: 'denied' }, ['c']],
      [{ from: new Date('2026-01-02T00:00:00Z') }, ['c', 'b']],
      [{ to: new Date('2026-01-02T00:00:00Z') }, ['a']],
      [{ from: new Date('1950-01-01T00:00:00Z'), to: new Date('2026-01-01T00:00:00.001Z') }, ['a']],
      [{ session: 's2', outcome: 'complete', text: 'tape' }, ['b']],
    ];
    for (const [query, ids] of expected) assert.deepEqual(await idsFor(index, query), ids, JSON.stringify(query));
  });

  test(`${name}: a skill and a model are found by their whole names`, async (t) => {
    const skill = (skillName: string, version = '') => ({ name: skillName, version, source: 'container' });
    const index = await filled(kind, t, [
      {
        id: 'a',
        time: '2026-01-01T00:00:00Z',
        model: 'claude-haiku',
        skilltape: { skill: [skill('pdf'), skill('pdf', '2')] },
      },
      {
        id: 'b',
        time: '2026-01-02T00:00:00Z',
        responseModel: 'claude-haiku',
        skilltape: { skill: [skill('pdf'), skill('pptx')] },
      },
    ]);
    assert.deepEqual(await idsFor(index, { skill: 'pdf' }), ['b', 'a']);
    assert.deepEqual(await idsFor(index, { skill: 'pptx' }), ['b']);
    assert.deepEqual(await idsFor(index, { skill: 'pd' }), []);
    assert.deepEqual(await idsFor(index, { model: 'claude-haiku' }), ['b', 'a']);
    assert.deepEqual(await idsFor(index, { model: 'claude-sonnet-4-5' }), ['b']);
    assert.deepEqual((await index.reader.search({ skill: 'pptx' })).hits[0]?.skills, ['pdf', 'pptx']);
  });

  test(`${name}: exchanges are found by the type of what was masked in them, whatever the place`, async (t) => {
    const masked = (id: string, ...types: string[]) => ({
      id,
      time: `2026-01-0${1 + 'abc'.indexOf(id)}T00:00:00Z`,
      skilltape: {
        masking: {
          status: 'masked' as const,
          reason: '',
          findings: types.map((type, at) => ({ type, place: at === 0 ? 'system' : 'messages', count: 1 })),
          ...{ readable: ['IP'], whole: ['system'], dropped: ['tools'] },
        },
      },
    });
    const index = await filled(kind, t, [masked('a', 'EMAIL', 'EMAIL'), masked('b', 'SECRET', 'EMAIL'), masked('c')]);
    assert.deepEqual(await idsFor(index, { masked: 'EMAIL' }), ['b', 'a']);
    assert.deepEqual(await idsFor(index, { masked: 'SECRET', text: 'tape' }), ['b']);
    assert.deepEqual(await idsFor(index, { masked: 'EMAIL', session: 'other' }), []);
    assert.deepEqual(await idsFor(index, { masked: 'IP' }), []);
    assert.deepEqual((await index.reader.get('a'))?.skilltape.masking.findings.length, 2);
  });

  test(`${name}: exchanges whose masking failed are found by that alone, and say why`, async (t) => {
    const failed = (reason: string) => ({
      keep: 'metadata' as const,
      masking: { status: 'failed' as const, reason, findings: [], readable: [], whole: [], dropped: [] },
    });
    const index = await filled(kind, t, [
      { id: 'a', time: '2026-01-01T00:00:00Z', skilltape: failed('masking failed with RangeError') },
      { id: 'b', time: '2026-01-02T00:00:00Z' },
      { id: 'c', time: '2026-01-03T00:00:00Z', session: 'other', skilltape: failed('') },
    ]);
    assert.deepEqual(await idsFor(index, { maskingFailed: true }), ['c', 'a']);
    assert.deepEqual(await idsFor(index, { maskingFailed: true, session: 'other' }), ['c']);
    assert.deepEqual(await idsFor(index, {}), ['c', 'b', 'a']);
    assert.equal((await index.reader.get('a'))?.skilltape.masking.reason, 'masking failed with RangeError');
  });

  test(`${name}: a hit tells who, what and how much`, async (t) => {
    const index = await filled(kind, t, [
      {},
      { id: 'none', user: null, usage: { input_tokens: null, output_tokens: null }, time: '2026-01-16T00:00:00Z' },
    ]);
    const { hits } = await index.reader.search({ text: 'tape' });
    assert.deepEqual(hits[1], {
      id: 'exchange-1',
      time: '2026-01-15T10:00:00.000Z',
      user: { id: 'u-1', name: 'Ada Example', email: 'ada@example.org' },
      connection: 'claude',
      model: 'claude-sonnet-4-5',
      verdict: 'allow',
      outcome: 'complete',
      session: 'session-1',
      noise: null,
      skills: [],
      snippet: { text: 'What is a tape?', marks: [{ start: 10, end: 14 }] },
      totalTokens: 46,
    });
    assert.deepEqual([hits[0]?.user, hits[0]?.totalTokens], [null, null]);
    assert.deepEqual((await index.reader.search({})).hits[0]?.snippet, { text: 'What is a tape?', marks: [] });
  });

  test(`${name}: noise is left out and counted, or shown when it is asked for`, async (t) => {
    const noise = (id: string, kindOfNoise: string) => ({ id, skilltape: { noise: kindOfNoise } });
    const index = await filled(kind, t, [{ id: 'a' }, noise('b', 'title'), noise('c', 'models'), { id: 'd' }]);
    const first = await index.reader.search({ limit: 1 });
    assert.deepEqual([first.hits.map(({ id }) => id), first.noiseHidden], [['d'], 2]);
    const second = await index.reader.search({ limit: 1, before: first.next ?? assert.fail('one page only') });
    assert.deepEqual([second.hits.map(({ id }) => id), second.noiseHidden, second.next], [['a'], 2, null]);
    const all = await index.reader.search({ noise: true });
    assert.deepEqual([all.hits.map(({ noise: word }) => word), all.noiseHidden], [[null, 'models', 'title', null], 0]);
    assert.equal((await index.reader.search({ connection: 'other' })).noiseHidden, 0);
  });

  test(`${name}: a query that cannot be asked is refused as usage`, async (t) => {
    const { reader } = await filled(kind, t, [{}]);
    const queries: SearchQuery[] = [
      ...[{ text: '' }, { text: '*** ""' }, { text: 'x'.repeat(2_001) }, { text: 'x '.repeat(65) }],
      ...[{ limit: 0 }, { limit: 1_001 }, { limit: 1.5 }, { before: 'not a place' }],
    ];
    for (const query of queries)
      await assert.rejects(reader.search(query), isUsage, JSON.stringify(query).slice(0, 80));
    await assert.rejects(reader.usage({ by: [] }), isUsage);
    await assert.rejects(reader.usage({ by: ['day', 'day'] }), isUsage);
  });

  test(`${name}: any text is either searched for or refused as usage`, async (t) => {
    const { reader } = await filled(kind, t, [{}]);
    const pieces = fc.constantFrom(
      ...[
        '"',
        '*',
        '(',
        ')',
        ':',
        '^',
        '+',
        '-',
        '~',
        '\\',
        '{',
        '/',
        ' OR ',
        ' NEAR',
        '\0',
        'tape',
        ' ',
        '\ud800',
        'é',
      ],
    );
    const text = fc.oneof(
      fc.array(pieces, { maxLength: 40 }).map((parts) => parts.join('')),
      fc.string({ unit: 'binary' }),
    );
    await fc.assert(
      fc.asyncProperty(text, async (typed) => {
        await reader.search({ text: typed }).catch((thrown: unknown) => assert.ok(isUsage(thrown), String(thrown)));
        await reader.search({ user: typed, session: typed, skill: typed, model: typed });
        assert.equal(await reader.get(`${typed}?`), null);
      }),
      { numRuns: 60 },
    );
  });

  test(`${name}: exchanges are found by what rules would have decided that are not enforced`, async (t) => {
    const would = (id: string, verdict: 'deny' | 'hold' | null) => ({
      id,
      skilltape: {
        verdict: {
          ...{ decision: 'allow' as const, reasons: [], policy_revision: 'rev-1', record_policy_revision: 'rev-1' },
          ...{ would: verdict, would_reasons: verdict === null ? [] : [{ rule: 'request/a', message: 'no' }] },
          ...nothingLifted,
        },
      },
    });
    const index = await filled(kind, t, [would('a', 'deny'), would('b', null), would('c', 'hold'), would('d', 'deny')]);
    assert.deepEqual(await idsFor(index, { would: 'deny' }), ['d', 'a']);
    assert.deepEqual(await idsFor(index, { would: 'hold', text: 'tape' }), ['c']);
    assert.deepEqual(await idsFor(index, { would: 'hold', session: 'other' }), []);
    assert.deepEqual((await index.reader.get('a'))?.skilltape.verdict.would_reasons, [
      { rule: 'request/a', message: 'no' },
    ]);
  });

  test(`${name}: exchanges are found by the kind of grant that let them through, with who gave it and why`, async (t) => {
    const lifted = (id: string, kind: 'access' | 'break_glass' | null) => ({
      id,
      skilltape: {
        verdict: {
          ...{ decision: 'allow' as const, reasons: [], policy_revision: 'rev-1', record_policy_revision: 'rev-1' },
          ...{ would: null, would_reasons: [], lifted: kind, lifted_reasons: [{ rule: 'request/a', message: 'no' }] },
          ...{ lifted_grants: ['g-1'], lifted_by: ['grace'], lifted_why: ['the release'] },
        },
      },
    });
    const index = await filled(kind, t, [lifted('a', 'access'), lifted('b', null), lifted('c', 'break_glass')]);
    assert.deepEqual(await idsFor(index, { lifted: 'access' }), ['a']);
    assert.deepEqual(await idsFor(index, { lifted: 'break_glass', text: 'tape' }), ['c']);
    assert.deepEqual(await idsFor(index, { lifted: 'break_glass', session: 'other' }), []);
    const { lifted_by: by, lifted_why: why } = (await index.reader.get('c'))?.skilltape.verdict ?? {};
    assert.deepEqual([by, why], [['grace'], ['the release']]);
  });

  test(`${name}: 1,200 exchanges are paged without a gap or a repeat, also while newer ones arrive`, async (t) => {
    const documents = Array.from({ length: 1_200 }, (_, number) => ({
      id: `e-${String(number).padStart(5, '0')}`,
      // Ten share each moment, so that the order depends on the id as well; three days, so three dated indices.
      time: new Date(Date.UTC(2026, 0, 1) + Math.floor(number / 10) * 2_000_000).toISOString(),
      input: `common word${number % 7}`,
    }));
    const index = await filled(kind, t, documents);
    const seen: string[] = [];
    let before: string | undefined;
    for (let page = 0; page < 20; page++) {
      const { hits, next } = await index.reader.search({ text: 'common', limit: 333, before });
      seen.push(...hits.map((hit) => hit.id));
      await deliverAll(index, [documentOf({ id: `late-${page}`, time: '2026-06-01T00:00:00Z', input: 'common' })]);
      if (next === null) break;
      before = next;
    }
    assert.deepEqual(seen, documents.map(({ id }) => id).toReversed());
    const some = await idsFor(index, { text: 'word3', limit: 1_000 });
    assert.equal(some.length, documents.filter((_, number) => number % 7 === 3).length);
  });

  test(`${name}: a rebuilt index gives the same pages, whatever the order of delivery`, async (t) => {
    const documents = Array.from({ length: 40 }, (_, number) => ({
      id: `e-${number}`,
      time: new Date(Date.UTC(2026, 0, 1) + (number % 5) * 1_000).toISOString(),
    }));
    const first = (await filled(kind, t, documents)).reader;
    const second = (await filled(kind, t, documents.toReversed())).reader;
    const page = await first.search({ text: 'tape', limit: 15 });
    assert.deepEqual(await second.search({ text: 'tape', limit: 15 }), page);
    const rest = { text: 'tape', before: page.next ?? assert.fail('one page only') };
    assert.deepEqual(await second.search(rest), await first.search(rest));
  });

  test(`${name}: a session comes in the order of time, whole, across days and classes`, async (t) => {
    const many = Array.from({ length: 250 }, (_, number) => ({
      id: `m-${String(number).padStart(3, '0')}`,
      session: 'many',
      time: new Date(Date.UTC(2026, 2, 1) + number * 600_000).toISOString(),
      skilltape: { retention_class: number % 2 === 0 ? 'standard' : 'long' },
    }));
    const index = await filled(kind, t, [
      { id: 'late', time: '2026-01-01T12:00:00+02:00' },
      { id: 'early', time: '2026-01-01T09:00:00Z' },
      { id: 'other', session: 'session-2' },
      ...many,
    ]);
    const idsOf = async (session: string) => {
      const { documents, isWhole } = await index.reader.session(session);
      assert.equal(isWhole, true);
      return documents.map(({ event }) => event.id);
    };
    assert.deepEqual(await idsOf('session-1'), ['early', 'late']);
    assert.deepEqual(
      await idsOf('many'),
      many.map(({ id }) => id),
    );
    assert.deepEqual(await idsOf('nobody'), []);
  });

  test(`${name}: of a session that is too long for one answer the oldest documents come, and it is said`, async (t) => {
    const documents = Array.from({ length: sessionDocumentsMax + 1 }, (_, number) => ({
      id: `e-${String(number).padStart(5, '0')}`,
    }));
    const index = await filled(kind, t, documents.toReversed());
    const found = await index.reader.session('session-1');
    assert.equal(found.isWhole, false);
    assert.deepEqual(
      found.documents.map(({ event }) => event.id),
      documents.slice(0, sessionDocumentsMax).map(({ id }) => id),
    );
  });
}
