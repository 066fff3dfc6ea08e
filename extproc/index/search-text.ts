import { SkilltapeError } from '../errors.ts';
import { searchable } from './text-form.ts';

/** In UTF-16 units. */
const searchTextMaxLength = 2_000;
const searchTermsMax = 64;

/** A word, or a phrase out of quotes; with `isPrefix` its last word is only the beginning of one. */
export type SearchTerm = { content: string; isPrefix: boolean };

/**
 * What a person typed, as the terms that must all occur, in the form in which texts are searched. Only quotes and a
 * trailing star mean something.
 * Throws SkilltapeError `usage` when there is nothing to search for or too much.
 */
export function parseSearchText(text: string): SearchTerm[] {
  if (text.length > searchTextMaxLength)
    throw new SkilltapeError('usage', `the search text is longer than ${searchTextMaxLength} characters`, {
      remedy: 'search for fewer words',
    });
  const terms: SearchTerm[] = [];
  // A quote that is never closed matches neither branch, so it separates words.
  for (const match of searchable(text).matchAll(/"([^"]*)"(\*?)|([^\s"]+)/g)) {
    const [, phrase, star, word = ''] = match;
    const content = phrase ?? word;
    if (!hasToken(content)) continue;
    const isPrefix = phrase === undefined ? word.endsWith('*') : star === '*';
    terms.push({ content: isPrefix ? content.replace(/\*+$/, '') : content, isPrefix });
  }
  if (terms.length === 0)
    throw new SkilltapeError('usage', 'the search text has no letter or digit in it', {
      remedy: 'search for a word, a "phrase in quotes" or a prefix*',
    });
  if (terms.length > searchTermsMax)
    throw new SkilltapeError('usage', `the search text has more than ${searchTermsMax} words`, {
      remedy: 'search for fewer words, or put words that stand together into quotes',
    });
  return terms;
}

/** What the tokenizer of either index takes as part of a word; a term without any would match nothing. */
function hasToken(text: string): boolean {
  return /[\p{L}\p{N}\p{Co}]/u.test(text);
}
