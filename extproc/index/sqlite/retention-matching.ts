/** What a hold covers, as a term of SQL. */
import type { Matching } from '../retention.ts';
import { folded } from '../text-form.ts';

export type Values = Record<string, string | number>;

/** True for a row that matches one of these, or that might; names of its values are its own. */
export function matchesAny(any: readonly Matching[]): { term: string; values: Values } {
  const values: Values = {};
  const named = (value: string | number) => {
    const name = `$match${Object.keys(values).length}`;
    values[name] = value;
    return name;
  };
  const terms = any.map(({ person, session, connection, from, to }) => {
    const conditions = [`time_ms >= ${named(from?.getTime() ?? 0)}`];
    if (to !== undefined) conditions.push(`time_ms < ${named(to.getTime())}`);
    if (session !== undefined) conditions.push(`session = ${named(session)}`);
    if (connection !== undefined) conditions.push(`connection = ${named(connection)}`);
    if (person !== undefined) {
      conditions.push(`user_id is not null and user_id in (${person.ids.map((id) => named(folded(id))).join(', ')})`);
      conditions.push(`document ->> '$.user.domain' = ${named(person.issuer)}`);
    }
    return `(${conditions.join(' and ')})`;
  });
  return { term: terms.length === 0 ? '(0)' : `(${terms.join(' or ')})`, values };
}
