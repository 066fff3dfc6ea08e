import type { Field } from './fields.ts';

/** A query in Kibana's own language (KQL), made only by the functions here. */
export type Kql = string & { readonly __kql: unique symbol };

export const everything = '' as Kql;

export function hasValue(field: Field): Kql {
  return `${field} : *` as Kql;
}

export function isOneOf(field: Field, values: readonly [string, ...string[]]): Kql {
  const quoted = values.map((value) => `"${value.replaceAll(/["\\]/g, '\\$&')}"`);
  return `${field} : ${quoted.length === 1 ? quoted[0] : `(${quoted.join(' or ')})`}` as Kql;
}

/** Takes a query about one field. */
export function not(query: Kql): Kql {
  return `not ${query}` as Kql;
}

/** Takes queries about one field each. */
export function allOf(...queries: readonly Kql[]): Kql {
  return queries.join(' and ') as Kql;
}
