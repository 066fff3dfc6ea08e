import { SkilltapeError } from '../../errors.ts';
import { searchable } from './row.ts';

/** In UTF-16 units. */
const searchTextMaxLength = 2_000;
const searchTermsMax = 64;

/**
 * Turns what a person typed into an FTS5 expression in which every typed word stands inside quotes: operators,
 * column filters and parentheses of FTS5 are data (https://www.sqlite.org/fts5.html#full_text_query_syntax).
 * Throws SkilltapeError `usage` when there is nothing to search for or too much.
 */
export function matchExpression(text: string): string {
  if (text.length > searchTextMaxLength)
    throw new SkilltapeError('usage', `the search text is longer than ${searchTextMaxLength} characters`, {
      remedy: 'search for fewer words',
    });
  const terms: string[] = [];
  // A quote that is never closed matches neither branch, so it separates words.
  for (const match of searchable(text).matchAll(/"([^"]*)"(\*?)|([^\s"]+)/g)) {
    const [, phrase, star, word = ''] = match;
    const content = phrase ?? word;
    if (!hasToken(content)) continue;
    const isPrefix = phrase === undefined ? word.endsWith('*') : star === '*';
    terms.push(isPrefix ? `"${content}" *` : `"${content}"`);
  }
  if (terms.length === 0)
    throw new SkilltapeError('usage', 'the search text has no letter or digit in it', {
      remedy: 'search for a word, a "phrase in quotes" or a prefix*',
    });
  if (terms.length > searchTermsMax)
    throw new SkilltapeError('usage', `the search text has more than ${searchTermsMax} words`, {
      remedy: 'search for fewer words, or put words that stand together into quotes',
    });
  return terms.join(' AND ');
}

/** What the tokenizer unicode61 takes as part of a word; a term without any would match nothing. */
function hasToken(text: string): boolean {
  return /[\p{L}\p{N}\p{Co}]/u.test(text);
}
