import type { SearchQuery, UsageQuery } from '../port.ts';
import { parseSearchText, type SearchTerm } from '../search-text.ts';
import { folded } from '../text-form.ts';

export const textFields = ['gen_ai.input.text', 'gen_ai.output.text'] as const;

/** A phrase whose last word is open: how many words it may become. SQLite has no such bound. */
const prefixExpansionsMax = 10_000;

type Clause = Record<string, unknown>;

/** Everything a query asks but noise and the page, as clauses that must all hold. Throws SkilltapeError `usage`. */
export function clausesOf(query: SearchQuery): { filter: Clause[]; text: Clause | null } {
  const filter = timeAndPlace(query);
  const { session, outcome, skill, model, masked, would, lifted, maskingFailed } = query;
  if (session !== undefined) filter.push(term('skilltape.session.id', session));
  if (outcome !== undefined) filter.push(term('skilltape.outcome', outcome));
  if (skill !== undefined) filter.push(term('skilltape.skill.name', skill));
  if (masked !== undefined) filter.push(term('skilltape.masking.findings.type', masked));
  if (would !== undefined) filter.push(term('skilltape.verdict.would', would));
  if (lifted !== undefined) filter.push(term('skilltape.verdict.lifted', lifted));
  if (maskingFailed === true) filter.push(term('skilltape.masking.status', 'failed'));
  if (model !== undefined) {
    const either = [term('gen_ai.request.model', model), term('gen_ai.response.model', model)];
    filter.push({ bool: { should: either, minimum_should_match: 1 } });
  }
  const text = query.text === undefined ? null : textClause(query.text);
  return { filter: text === null ? filter : [...filter, text], text };
}

/** What searches and sums have in common. */
export function timeAndPlace({ user, connection, from, to }: Omit<UsageQuery, 'by'>): Clause[] {
  const filter: Clause[] = [];
  if (user !== undefined) filter.push(term('related.user', folded(user)));
  if (connection !== undefined) filter.push(term('skilltape.connection', connection));
  if (from !== undefined || to !== undefined) {
    const range = { format: 'epoch_millis', ...(from && { gte: from.getTime() }), ...(to && { lt: to.getTime() }) };
    filter.push({ range: { '@timestamp': range } });
  }
  return filter;
}

export const isNoise: Clause = { exists: { field: 'skilltape.noise' } };

function term(field: string, value: string): Clause {
  return { term: { [field]: { value } } };
}

/** Each term in one of the two texts; what was typed is analysed as the texts were, so no syntax of a query is in it. */
function textClause(text: string): Clause {
  return { bool: { filter: parseSearchText(text).map(termClause) } };
}

function termClause({ content, isPrefix }: SearchTerm): Clause {
  const either = textFields.map((field) => fieldClause(field, content, isPrefix));
  return { bool: { should: either, minimum_should_match: 1 } };
}

function fieldClause(field: string, content: string, isPrefix: boolean): Clause {
  if (!isPrefix) return { match_phrase: { [field]: { query: content } } };
  // Of one word all continuations are found, without a bound.
  if (/^[\p{L}\p{M}\p{N}]+$/u.test(content))
    return { match_bool_prefix: { [field]: { query: content, operator: 'and' } } };
  return { match_phrase_prefix: { [field]: { query: content, max_expansions: prefixExpansionsMax } } };
}
