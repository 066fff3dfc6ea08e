import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { WordMatcher } from '../../../extproc/masking/word-matcher.ts';

const seed = Number(process.env.FC_SEED ?? Date.now() % 2 ** 31);
console.log(`word matcher: FC_SEED=${seed}`);

function found(entries: readonly string[], text: string, matchCase = false): string[] {
  const matcher = new WordMatcher(entries.map((entry) => ({ text: entry, matchCase, of: entry })));
  const places: string[] = [];
  matcher.each(text, (start, end) => places.push(text.slice(start, end)));
  return places;
}

test('a listed value is found whatever its case, its accents, its unicode form and its width', () => {
  const spellings = ['José García', 'JOSE GARCIA', 'jose\u0301 garci\u0301a', 'Ｊｏｓｅ Ｇａｒｃｉａ'];
  for (const spelling of spellings) {
    assert.deepEqual(found(['José García'], `by ${spelling}, today`), [spelling]);
    assert.deepEqual(found([spelling], 'by José García, today'), ['José García']);
  }
  assert.deepEqual(found(['Straße 7'], 'STRASSE 7'), ['STRASSE 7']);
  assert.deepEqual(found(["O'Brien"], 'Mr O’Brien'), ['O’Brien']);
});

test('any white space, hyphens and underscores may stand between its words', () => {
  for (const spelling of ['Acme Corp', 'Acme\n\t Corp', 'acme-corp', 'ACME_CORP', 'Acme\u00a0Corp', 'Acme – Corp']) {
    assert.deepEqual(found(['Acme Corp'], `at ${spelling}.csv`), [spelling]);
  }
  assert.deepEqual(found(['Acme Corp'], 'AcmeCorp Acme, Corp Acme'), []);
});

test('a value inside a longer word is none, and one of a script without spaces is one', () => {
  assert.deepEqual(found(['Ann', 'Falcon'], 'Anna annex falconry x2Falcon'), []);
  assert.deepEqual(found(['Ann', 'Falcon'], 'Ann: falcon_db/FALCON.'), ['Ann', 'falcon', 'FALCON']);
  assert.deepEqual(found(['田中太郎'], '昨日田中太郎さんが来た'), ['田中太郎']);
  assert.deepEqual(found(['김철수'], '김철수는 갔다'), ['김철수']);
});

test('of values that end at the same place the longest is told, also where it begins with a false start', () => {
  assert.deepEqual(found(['b c', 'a b c'], 'a a b c'), ['a b c']);
  assert.deepEqual(found(['a b c d', 'b c'], 'a b c e'), ['b c']);
  assert.deepEqual(found(['AT&T', 'C++'], 'AT&T uses C++ at t'), ['AT&T', 'C++']);
});

test('a value whose case counts is found as it is written and no other way', () => {
  assert.deepEqual(found(['Will'], 'will Will WILL', true), ['Will']);
});

test('it finds what comparing every piece of the text with every value finds', () => {
  const word = fc.constantFrom('a', 'b', 'ab', 'É', '-', ' ', '\n', '.', '日', '😀');
  const phrase = fc.array(word, { minLength: 1, maxLength: 4 }).map((words) => words.join(''));
  const value = phrase.filter((text) => /^[\p{L}😀.].*[\p{L}😀.]$|^[\p{L}😀.]$/su.test(text));
  const fold = (text: string): string =>
    text
      .normalize('NFKD')
      .replace(/\u0301/g, '')
      .toLowerCase()
      .replace(/[\s-]+/g, ' ');
  const isWord = (char: string | undefined): boolean => char !== undefined && /[abé]/i.test(char);
  fc.assert(
    fc.property(fc.array(value, { minLength: 1, maxLength: 4 }), fc.array(word, { maxLength: 20 }), (values, words) => {
      const text = words.join('');
      const expected = new Map<number, number>();
      for (let start = 0; start < text.length; start++) {
        for (let end = start + 1; end <= text.length; end++) {
          const inWord = isWord(text[start - 1]) && isWord(text[start]);
          if (inWord || (isWord(text[end - 1]) && isWord(text[end]))) continue;
          if (/^[\s-]|[\s-]$/.test(text.slice(start, end))) continue;
          if (!values.some((each) => fold(each) === fold(text.slice(start, end)))) continue;
          if (!expected.has(end)) expected.set(end, start);
        }
      }
      const told: [number, number][] = [];
      const matcher = new WordMatcher(values.map((each) => ({ text: each, matchCase: false, of: each })));
      matcher.each(text, (start, end) => told.push([end, start]));
      assert.deepEqual(
        told,
        [...expected].sort(([a], [b]) => a - b),
      );
    }),
    { seed, numRuns: 500 },
  );
});
