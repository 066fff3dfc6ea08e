import { parseSearchText } from '../search-text.ts';

/**
 * What a person typed as an FTS5 expression in which every typed word stands inside quotes: operators, column filters
 * and parentheses of FTS5 are data (https://www.sqlite.org/fts5.html#full_text_query_syntax).
 * Throws SkilltapeError `usage` when there is nothing to search for or too much.
 */
export function matchExpression(text: string): string {
  return parseSearchText(text)
    .map(({ content, isPrefix }) => (isPrefix ? `"${content}" *` : `"${content}"`))
    .join(' AND ');
}
