/** Exchanges of made-up words for measuring searches, and queries that find some of them. */
import type { SearchQuery } from '../../extproc/index/port.ts';
import type { Masked } from '../../extproc/masking/masked.ts';
import type { ExchangeDocument } from '../../extproc/transcript/document.ts';
import { documentOf } from '../builders/document.ts';

const vocabularySize = 30_000;
/** Of text in one exchange, question and answer together. */
const textBytes = 8_000;
const questionShare = 0.3;
const people = 100;
const days = 30;
const dayMs = 24 * 60 * 60 * 1_000;
const firstMs = Date.UTC(2026, 9, 1);
const phraseWords = 2;

export type Corpus = {
  document(number: number): Masked<ExchangeDocument>;
  /** A phrase of one of the exchanges, for its person and some days around it. */
  query(): SearchQuery;
};

/** The same again for the same random numbers in the same order of calls. */
export function makeCorpus(exchanges: number, seededRandom: (seed: number) => () => number, seed: number): Corpus {
  const vocabulary = makeVocabulary(seededRandom(seed));
  const texts = (number: number): { input: string; output: string } => {
    const random = seededRandom(seed + number + 1);
    return {
      input: textOf(vocabulary, random, textBytes * questionShare),
      output: textOf(vocabulary, random, textBytes * (1 - questionShare)),
    };
  };
  const timeMs = (number: number): number => firstMs + Math.floor((number / exchanges) * days * dayMs);
  const person = (number: number): string => `person-${(number * 7_919) % people}`;
  const choose = seededRandom(seed - 1);
  return {
    document: (number) =>
      documentOf({
        id: `exchange-${String(number).padStart(8, '0')}`,
        time: new Date(timeMs(number)).toISOString(),
        user: { id: person(number), email: `${person(number)}@example.org`, name: `Person ${person(number)}` },
        session: `session-${Math.floor(number / 10)}`,
        ...texts(number),
      }),
    query() {
      const number = Math.floor(choose() * exchanges);
      const words = texts(number).output.split(' ');
      const at = Math.floor(choose() * (words.length - phraseWords));
      const daysAround = 1 + Math.floor(choose() * 5);
      return {
        text: `"${words.slice(at, at + phraseWords).join(' ')}"`,
        user: `${person(number)}@example.org`,
        from: new Date(timeMs(number) - daysAround * dayMs),
        to: new Date(timeMs(number) + daysAround * dayMs),
      };
    },
  };
}

function makeVocabulary(random: () => number): string[] {
  const letters = 'etaoinshrdlucmfwypvbgkjqxz';
  const words = new Set<string>();
  while (words.size < vocabularySize) {
    const length = 2 + Math.floor(random() * 9);
    let word = '';
    for (let at = 0; at < length; at += 1) word += letters[Math.floor(random() ** 2 * letters.length)] ?? 'e';
    words.add(word);
  }
  return [...words];
}

/** Few words stand in every text and most in few, as in any language (Zipf): rank r comes in proportion to 1/r. */
function textOf(vocabulary: readonly string[], random: () => number, bytes: number): string {
  const words: string[] = [];
  for (let length = 0; length < bytes; ) {
    const word = vocabulary[Math.floor(vocabulary.length ** random()) - 1] ?? 'the';
    words.push(word);
    length += word.length + 1;
  }
  return words.join(' ');
}
