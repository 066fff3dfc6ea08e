import assert from 'node:assert/strict';
import { test } from 'node:test';
import { filled, type IndexKind, idsFor } from './index-under-test.ts';

const texts = [
  { id: 'a', input: 'the quick brown fox', output: 'jumps' },
  { id: 'b', input: 'brown and quick', output: 'Crème brûlée in 32766 bytes' },
  { id: 'c', input: 'nai\u0308ve', output: 'mail [EMAIL:7f3a9c21d0] sent' },
  { id: 'd', input: 'read snake_case_name from config.yaml at example.org', output: "don't re-run v2.1" },
  { id: 'e', input: 'ΣΊΣΥΦΟΣ и Ёлка', output: 'straße 東京都' },
] as const;

/** A search text and what it finds among `texts`, the newest first. */
type Case = readonly [text: string, ids: readonly string[]];

/** Ordinary text: found alike by every index and every analysis. */
const alike: readonly Case[] = [
  ['QUICK brown', ['b', 'a']],
  ['quick jumps', ['a']],
  ['"quick brown"', ['a']],
  ['"brown quick"', []],
  ['"quick bro"', []],
  ['"quick bro"*', ['a']],
  ['jum', []],
  ['jum*', ['a']],
  ['QUI* bro*', ['b', 'a']],
  ['crème', ['b']],
  ['"crème brûlée"', ['b']],
  ['naïve', ['c']],
  ['NAI\u0308VE', ['c']],
  ['[EMAIL:7f3a9c21d0]', ['c']],
  ['32766', ['b']],
  ['3276', []],
  ['3276*', ['b']],
  ['config.yaml', ['d']],
  ['snake_case_name', ['d']],
  ['re-run', ['d']],
  ['"re run"', ['d']],
  ["don't", ['d']],
  ['и', ['e']],
  ['straße', ['e']],
  ['東京都', ['e']],
  ['fox "', ['a']],
];

/** Syntax of query languages is data. */
const syntax: readonly Case[] = [
  ['quick OR jumps', []],
  ['quick NOT brown', []],
  ['NEAR(quick brown, 5)', []],
  ['gen_ai.input.text:quick', []],
  ['^quick', ['b', 'a']],
  ['+quick -brown', ['b', 'a']],
  ['quick~ brown~2', []],
  ['q?ick', []],
  ['*uick', []],
  ['/qu.ck/', []],
  ['\\quick', ['b', 'a']],
  ['" fox *', ['a']],
];

/**
 * Where Elasticsearch's analyzer `standard` differs from SQLite's `unicode61`. Its rules are those of Unicode Annex 29:
 * words may hold `_` and, between letters or digits, `.` and `'`; accents matter; ideographs stand alone.
 * With the module analysis-common, which every full distribution of Elasticsearch has, there is no such difference.
 */
const differing: readonly { why: string; text: string; folding: readonly string[]; standard: readonly string[] }[] = [
  { why: 'accents', text: 'creme brulee', folding: ['b'], standard: [] },
  { why: 'an underscore inside a word', text: 'snake', folding: ['d'], standard: [] },
  { why: 'a dot inside a word', text: 'yaml', folding: ['d'], standard: [] },
  { why: 'an apostrophe inside a word', text: 'don', folding: ['d'], standard: [] },
  { why: 'single ideographs', text: '京', folding: [], standard: ['e'] },
];

/** @param analysis what the text of this index is cut into words by */
export function testWords(kind: IndexKind, analysis: () => Promise<'folding' | 'standard'>): void {
  const { name } = kind;

  test(`${name}: words must all occur, a phrase must stand together, a prefix ends with a star`, async (t) => {
    const index = await filled(kind, t, [...texts]);
    for (const [text, ids] of alike) assert.deepEqual(await idsFor(index, { text }), ids, text);
  });

  test(`${name}: what looks like query syntax is searched for as words`, async (t) => {
    const index = await filled(kind, t, [...texts]);
    for (const [text, ids] of syntax) assert.deepEqual(await idsFor(index, { text }), ids, text);
  });

  test(`${name}: differences between the analyses are the known ones`, async (t) => {
    const index = await filled(kind, t, [...texts]);
    const expected = await analysis();
    for (const { why, text, ...ids } of differing)
      assert.deepEqual(await idsFor(index, { text }), ids[expected], `${expected}: ${why}`);
  });

  test(`${name}: a prefix finds every word that begins so, however many there are`, async (t) => {
    const words = Array.from({ length: 300 }, (_, number) => `tape${number}`);
    const index = await filled(
      kind,
      t,
      words.map((word, number) => ({ id: `e-${number}`, input: `a ${word}`, output: '' })),
    );
    assert.equal((await idsFor(index, { text: 'tape*', limit: 1_000 })).length, 300);
    assert.equal((await idsFor(index, { text: '"a tape"*', limit: 1_000 })).length, 300);
  });

  test(`${name}: an indexed text cannot forge the marks of a match, and its NUL hides nothing`, async (t) => {
    const index = await filled(kind, t, [{ id: 'a', input: '<b>tape</b> \0 [[tape]] <em>hidden</em>', output: '' }]);
    const { snippet } = (await index.reader.search({ text: 'hidden' })).hits[0] ?? assert.fail('not found');
    assert.deepEqual(
      snippet.marks.map(({ start, end }) => snippet.text.slice(start, end)),
      ['hidden'],
    );
    assert.ok(snippet.text.includes('<b>tape</b>'));
  });

  test(`${name}: a snippet stays short, keeps its match and shows its own text`, async (t) => {
    const index = await filled(kind, t, [
      { id: 'a', input: `${'word '.repeat(5_000)}needle${' 😀 word'.repeat(5_000)}`, output: 'z'.repeat(50_000) },
      { id: 'b', input: 'nothing', output: `a needle of another person. ${'y'.repeat(50_000)}` },
    ]);
    const { hits } = await index.reader.search({ text: 'needle' });
    assert.deepEqual(
      hits.map(({ id }) => id),
      ['b', 'a'],
    );
    for (const { snippet } of hits) {
      const [mark] = snippet.marks;
      assert.equal(snippet.text.slice(mark?.start, mark?.end), 'needle');
      assert.ok(snippet.text.length < 400 && snippet.text.isWellFormed());
    }
    assert.match(hits[0]?.snippet.text ?? '', /of another person/);
    const beginning = (await index.reader.search({ session: 'session-1' })).hits[1]?.snippet.text ?? '';
    assert.ok(beginning.startsWith('word word') && beginning.length < 400);
  });
}
