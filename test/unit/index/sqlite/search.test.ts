import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { Worker } from 'node:worker_threads';
import fc from 'fast-check';
import { SkilltapeError } from '../../../../extproc/errors.ts';
import { noiseCountMax, type SearchQuery } from '../../../../extproc/index/port.ts';
import { SqliteSearch } from '../../../../extproc/index/sqlite/search.ts';
import { SqliteIndex } from '../../../../extproc/index/sqlite/writer.ts';
import { temporaryDirectory } from '../../../builders/directory.ts';
import { documentOf } from '../../../builders/document.ts';

type Documents = Parameters<typeof documentOf>[0][];

async function searchOver(t: TestContext, documents: Documents): Promise<{ search: SqliteSearch; index: SqliteIndex }> {
  const directory = temporaryDirectory(t);
  const index = SqliteIndex.open(directory);
  const search = SqliteSearch.open(directory);
  t.after(() => {
    search.close();
    index.close();
  });
  const deliveries = await index.deliver(documents.map(documentOf));
  for (const { kind } of deliveries) assert.equal(kind, 'accepted');
  return { search, index };
}

async function idsFor(search: SqliteSearch, query: SearchQuery): Promise<string[]> {
  return (await search.search(query)).hits.map((hit) => hit.id);
}

const isUsage = (thrown: unknown): boolean => thrown instanceof SkilltapeError && thrown.code === 'usage';

test('each filter finds its exchanges, all filters must hold, the newest comes first', async (t) => {
  const { search } = await searchOver(t, [
    { id: 'a', time: '2026-01-01T00:00:00Z', user: { id: 'u-a', name: 'Änne', email: 'a@x.org' }, session: 's1' },
    { id: 'b', time: '2026-01-02T00:00:00Z', user: { id: 'u-b' }, connection: 'research', session: 's2' },
    { id: 'c', time: '2026-01-03T00:00:00Z', user: null, session: 's2', skilltape: { outcome: 'denied' } },
  ]);
  assert.deepEqual(await idsFor(search, {}), ['c', 'b', 'a']);
  assert.deepEqual(await idsFor(search, { user: 'U-A' }), ['a']);
  assert.deepEqual(await idsFor(search, { user: 'äNNE' }), ['a']);
  assert.deepEqual(await idsFor(search, { user: 'A@X.org' }), ['a']);
  assert.deepEqual(await idsFor(search, { user: 'u-' }), []);
  assert.deepEqual(await idsFor(search, { connection: 'research' }), ['b']);
  assert.deepEqual(await idsFor(search, { session: 's2' }), ['c', 'b']);
  assert.deepEqual(await idsFor(search, { outcome: 'denied' }), ['c']);
  assert.deepEqual(await idsFor(search, { from: new Date('2026-01-02T00:00:00Z') }), ['c', 'b']);
  assert.deepEqual(await idsFor(search, { to: new Date('2026-01-02T00:00:00Z') }), ['a']);
  assert.deepEqual(await idsFor(search, { session: 's2', outcome: 'complete', text: 'tape' }), ['b']);
});

test('skill and model are found by their whole names, the model that was asked for and the one that answered', async (t) => {
  const skill = (...names: string[]) => names.map((name) => ({ name, version: '', source: 'container' }));
  const { search } = await searchOver(t, [
    { id: 'a', skilltape: { skill: skill('pdf', 'pdf', 'brand') } },
    { id: 'b', skilltape: { skill: skill('brand') }, model: 'alias', responseModel: 'alias-20260101' },
    { id: 'c', model: 'other' },
  ]);
  assert.deepEqual(await idsFor(search, { skill: 'pdf' }), ['a']);
  assert.deepEqual(await idsFor(search, { skill: 'brand' }), ['b', 'a']);
  assert.deepEqual(await idsFor(search, { skill: 'bran' }), []);
  assert.deepEqual(await idsFor(search, { model: 'alias' }), ['b']);
  assert.deepEqual(await idsFor(search, { model: 'alias-20260101', skill: 'brand', text: 'tape' }), ['b']);
  assert.deepEqual(await idsFor(search, { model: 'alias', skill: 'pdf' }), []);
  assert.deepEqual((await search.search({ skill: 'pdf' })).hits[0]?.skills, ['pdf', 'brand']);
});

test('noise is left out unless it is asked for, and what was left out is counted', async (t) => {
  const { search } = await searchOver(t, [
    { id: 'a' },
    { id: 'b', skilltape: { noise: 'title' } },
    { id: 'c', skilltape: { noise: 'count_tokens' }, session: 's2' },
    { id: 'd', skilltape: { noise: 'title' }, input: 'other words' },
  ]);
  const counted = async (query: SearchQuery): Promise<[string, number]> => {
    const { hits, noiseHidden } = await search.search(query);
    return [hits.map(({ id, noise }) => `${id} ${noise}`).join(', '), noiseHidden];
  };
  assert.deepEqual(await counted({}), ['a null', 3]);
  assert.deepEqual(await counted({ noise: false, text: '"a tape"' }), ['a null', 2]);
  assert.deepEqual(await counted({ session: 's2' }), ['', 1]);
  assert.deepEqual(await counted({ noise: true, text: '"a tape"' }), ['c count_tokens, b title, a null', 0]);
  assert.deepEqual(await counted({ noise: true, limit: 1 }), ['d title', 0]);
});

test('the count of noise ends at its limit, and is the same on every page', async (t) => {
  const documents = Array.from({ length: 1_100 }, (_, number) => ({
    id: `e-${number}`,
    skilltape: number < 1_050 ? { noise: 'polling' } : {},
  }));
  const { search } = await searchOver(t, documents);
  const first = await search.search({ text: 'tape', limit: 20 });
  const second = await search.search({ text: 'tape', limit: 20, before: first.next ?? assert.fail('one page only') });
  assert.deepEqual([first.noiseHidden, second.noiseHidden], [noiseCountMax, noiseCountMax]);
});

test('more matches than are looked up one by one are found all the same, with every filter', async (t) => {
  const documents = Array.from({ length: 2_600 }, (_, number) => ({
    id: `e-${String(number).padStart(4, '0')}`,
    time: new Date(Date.UTC(2026, 0, 1) + number * 60_000).toISOString(),
    user: { id: `u-${number % 2}`, email: '', name: '' },
    session: `s-${number % 3}`,
    skilltape: number % 4 === 0 ? { noise: 'title' } : {},
  }));
  const { search } = await searchOver(t, documents);
  const filters: SearchQuery = { user: 'u-1', session: 's-1', from: new Date(Date.UTC(2026, 0, 2)) };
  const expected = documents
    .filter(({ user, session, time }) => user.id === 'u-1' && session === 's-1' && time >= '2026-01-02')
    .map(({ id }) => id)
    .toReversed();
  assert.ok(expected.length > 150);
  assert.deepEqual(await idsFor(search, { ...filters, limit: 1_000 }), expected);
  assert.deepEqual(await idsFor(search, { ...filters, text: '"what is a tape"', limit: 1_000 }), expected);
  assert.deepEqual(await idsFor(search, { text: 'tape', limit: 2 }), ['e-2599', 'e-2598']);
  assert.equal((await search.search({ text: 'tape', from: new Date(Date.UTC(2026, 0, 2)) })).noiseHidden, 290);
});

test('a hit tells who, what and how much', async (t) => {
  const { search } = await searchOver(t, [{}, { id: 'none', usage: { input_tokens: null, output_tokens: null } }]);
  const { hits } = await search.search({ text: 'tape' });
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
  assert.equal(hits[0]?.totalTokens, null);
});

test('words must all occur, a phrase must stand together, a prefix ends with a star, accents do not matter', async (t) => {
  const { search } = await searchOver(t, [
    { id: 'a', input: 'the quick brown fox', output: 'jumps' },
    { id: 'b', input: 'brown and quick', output: 'Crème brûlée' },
    { id: 'c', input: 'nai\u0308ve', output: 'mail [EMAIL:7f3a9c21d0] sent' },
  ]);
  assert.deepEqual(await idsFor(search, { text: 'QUICK brown' }), ['b', 'a']);
  assert.deepEqual(await idsFor(search, { text: 'quick jumps' }), ['a']);
  assert.deepEqual(await idsFor(search, { text: '"quick brown"' }), ['a']);
  assert.deepEqual(await idsFor(search, { text: '"quick bro"' }), []);
  assert.deepEqual(await idsFor(search, { text: '"quick bro"*' }), ['a']);
  assert.deepEqual(await idsFor(search, { text: 'jum' }), []);
  assert.deepEqual(await idsFor(search, { text: 'jum*' }), ['a']);
  assert.deepEqual(await idsFor(search, { text: 'creme brulee' }), ['b']);
  assert.deepEqual(await idsFor(search, { text: 'naïve' }), ['c']);
  assert.deepEqual(await idsFor(search, { text: '[EMAIL:7f3a9c21d0]' }), ['c']);
});

test('what looks like query syntax is searched for as words', async (t) => {
  const { search } = await searchOver(t, [
    { id: 'a', input: 'cats OR dogs', output: 'x' },
    { id: 'b', input: 'cats', output: 'near the output' },
  ]);
  assert.deepEqual(await idsFor(search, { text: '" OR *' }), ['a']);
  assert.deepEqual(await idsFor(search, { text: 'cats OR dogs' }), ['a']);
  assert.deepEqual(await idsFor(search, { text: 'cats NOT dogs' }), []);
  assert.deepEqual(await idsFor(search, { text: 'NEAR(cats dogs, 5)' }), []);
  assert.deepEqual(await idsFor(search, { text: 'input:cats' }), []);
  assert.deepEqual(await idsFor(search, { text: '{input output}: cats' }), []);
  assert.deepEqual(await idsFor(search, { text: '^cats' }), ['b', 'a']);
  assert.deepEqual(await idsFor(search, { text: "cats'; drop table exchanges; --" }), []);
  assert.deepEqual(await idsFor(search, { user: "' or 1=1 --" }), []);
  assert.equal((await search.search({})).hits.length, 2);
});

test('any text is either searched for or refused as usage', async (t) => {
  const { search } = await searchOver(t, [{}]);
  const pieces = fc.constantFrom(
    '"',
    '*',
    '(',
    ')',
    ':',
    '^',
    '+',
    '-',
    ' OR ',
    ' NEAR',
    '\0',
    'tape',
    ' ',
    '\ud800',
    'é',
  );
  const text = fc.oneof(
    fc.array(pieces, { maxLength: 40 }).map((parts) => parts.join('')),
    fc.string({ unit: 'binary' }),
  );
  await fc.assert(
    fc.asyncProperty(text, async (typed) => {
      await search.search({ text: typed }).catch((thrown: unknown) => assert.ok(isUsage(thrown), String(thrown)));
    }),
    { numRuns: 300 },
  );
});

test('a query that cannot be asked is refused as usage', async (t) => {
  const { search } = await searchOver(t, [{}]);
  const queries: SearchQuery[] = [
    { text: '' },
    { text: '*** ""' },
    { text: 'x'.repeat(2_001) },
    { text: 'x '.repeat(65) },
    { limit: 0 },
    { limit: 1_001 },
    { limit: 1.5 },
    { before: 'not a place' },
  ];
  for (const query of queries) await assert.rejects(search.search(query), isUsage, JSON.stringify(query).slice(0, 80));
});

test('an indexed text cannot forge the marks of a match, and its NUL hides nothing', async (t) => {
  const { search } = await searchOver(t, [{ id: 'a', input: '<b>tape</b> \0 [[tape]] hidden', output: '' }]);
  const { snippet } = (await search.search({ text: 'hidden' })).hits[0] ?? assert.fail('not found');
  assert.deepEqual(
    snippet.marks.map(({ start, end }) => snippet.text.slice(start, end)),
    ['hidden'],
  );
  assert.ok(snippet.text.startsWith('<b>tape</b>'));
});

test('a snippet stays short and keeps its match, however long a word is', async (t) => {
  const { search } = await searchOver(t, [
    { id: 'a', input: `${'😀'.repeat(2_000)}needle${'😀'.repeat(2_000)} ${'y'.repeat(50_000)}`, output: '' },
  ]);
  const { snippet } = (await search.search({ text: 'needle' })).hits[0] ?? assert.fail('not found');
  const [mark] = snippet.marks;
  assert.equal(snippet.text.slice(mark?.start, mark?.end), 'needle');
  assert.ok(snippet.text.length < 400);
  assert.ok(snippet.text.isWellFormed());
  const { snippet: beginning } = (await search.search({})).hits[0] ?? assert.fail('not found');
  assert.ok(beginning.text.length < 400 && beginning.text.isWellFormed());
});

test('5,000 exchanges are paged without a gap or a repeat, also while newer ones arrive', async (t) => {
  const documents = Array.from({ length: 5_000 }, (_, number) => ({
    id: `e-${String(number).padStart(5, '0')}`,
    // Ten share each moment, so that the order depends on the id as well.
    time: new Date(Date.UTC(2026, 0, 1) + Math.floor(number / 10) * 1_000).toISOString(),
    input: `common word${number % 7}`,
  }));
  const { search, index } = await searchOver(t, documents);
  const seen: string[] = [];
  let before: string | undefined;
  for (let page = 0; page < 20; page++) {
    const { hits, next } = await search.search({ text: 'common', limit: 333, before });
    seen.push(...hits.map((hit) => hit.id));
    await index.deliver([documentOf({ id: `late-${page}`, time: '2026-06-01T00:00:00Z', input: 'common' })]);
    if (next === null) break;
    before = next;
  }
  assert.deepEqual(seen, documents.map(({ id }) => id).toReversed());
  assert.equal(
    (await idsFor(search, { text: 'word3', limit: 1_000 })).length,
    documents.filter((_, n) => n % 7 === 3).length,
  );
});

test('a rebuilt index gives the same pages, whatever the order of delivery', async (t) => {
  const documents = Array.from({ length: 40 }, (_, number) => ({
    id: `e-${number}`,
    time: new Date(Date.UTC(2026, 0, 1) + (number % 5) * 1_000).toISOString(),
  }));
  const { search: first } = await searchOver(t, documents);
  const { search: second } = await searchOver(t, documents.toReversed());
  const page = await first.search({ text: 'tape', limit: 15 });
  assert.deepEqual(await second.search({ text: 'tape', limit: 15 }), page);
  const rest = { text: 'tape', before: page.next ?? assert.fail('one page only') };
  assert.deepEqual(await second.search(rest), await first.search(rest));
});

test('a reader finds what a writer in another thread has committed, while it goes on writing', async (t) => {
  const directory = temporaryDirectory(t);
  SqliteIndex.open(directory).close();
  const search = SqliteSearch.open(directory);
  t.after(() => search.close());
  const worker = new Worker(new URL('./writing-worker.ts', import.meta.url), { workerData: { directory, count: 300 } });
  let running = true;
  const ended = new Promise<number>((resolve, reject) => {
    worker.once('error', reject);
    worker.once('exit', (code) => {
      running = false;
      resolve(code);
    });
  });
  let found = 0;
  while (running) {
    const count = (await idsFor(search, { text: 'common', limit: 1_000 })).length;
    assert.ok(count >= found, 'a committed exchange went missing');
    found = count;
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.equal(await ended, 0);
  assert.equal((await idsFor(search, { text: 'common', limit: 1_000 })).length, 300);
});

test('each hit shows its own text, however many others have the word', async (t) => {
  const { search } = await searchOver(t, [
    { id: 'a', time: '2026-01-01T00:00:00Z', user: { id: 'alice' }, input: 'walrus: the merger plan' },
    { id: 'b', time: '2026-01-02T00:00:00Z', user: { id: 'bob' }, input: 'what eats a walrus?' },
    { id: 'c', time: '2026-01-03T00:00:00Z', user: { id: 'bob' }, input: 'a walrus again' },
  ]);
  const { hits } = await search.search({ text: 'walrus' });
  const shown = hits.map(({ snippet }) => snippet.text);
  assert.deepEqual(shown, ['a walrus again', 'what eats a walrus?', 'walrus: the merger plan']);
  const [bobs] = (await search.search({ text: 'walrus', user: 'bob' })).hits;
  assert.equal(bobs?.snippet.text, 'a walrus again');
});
