import { type Field, fields } from './fields.ts';
import type { Kql } from './kql.ts';

/** One column of Kibana's Lens, which becomes one aggregation. */
export type LensColumn = {
  readonly label: string;
  readonly customLabel: true;
  readonly dataType: 'date' | 'number' | 'string';
  readonly operationType: 'count' | 'date_histogram' | 'percentile' | 'sum' | 'terms' | 'unique_count';
  readonly isBucketed: boolean;
  readonly scale: 'interval' | 'ordinal' | 'ratio';
  readonly sourceField: Field | typeof documents;
  readonly params: Readonly<Record<string, unknown>>;
  readonly filter?: { readonly query: Kql; readonly language: 'kuery' };
};

/** Kibana's name for "every document". */
const documents = '___records___';

/** @param filter counts only documents that match */
export function countOf(label: string, filter?: Kql): LensColumn {
  return { ...metric(label, 'count', documents, { emptyAsNull: false }), ...(filter && { filter: kuery(filter) }) };
}

export function sumOf(label: string, field: Field): LensColumn {
  return metric(label, 'sum', field, { emptyAsNull: false });
}

/** How many different values there are. Elasticsearch is exact up to 3,000. */
export function uniqueCountOf(label: string, field: Field): LensColumn {
  return metric(label, 'unique_count', field, { emptyAsNull: false });
}

export function percentileOf(label: string, field: Field, percentile: number): LensColumn {
  return metric(label, 'percentile', field, { percentile });
}

export function overTime(): LensColumn {
  return {
    ...{ label: 'Time', customLabel: true, dataType: 'date', operationType: 'date_histogram', isBucketed: true },
    ...{ scale: 'interval', sourceField: fields.time },
    params: { interval: 'auto', includeEmptyRows: true, dropPartials: false },
  };
}

/** One row for each of the `size` values that are highest in the column `orderedBy`. */
export function valuesOf(
  label: string,
  field: Field,
  { size, orderedBy }: { size: number; orderedBy: string },
): LensColumn {
  return {
    ...{ label, customLabel: true, dataType: 'string', operationType: 'terms', isBucketed: true },
    ...{ scale: 'ordinal', sourceField: field },
    params: {
      size,
      orderBy: { type: 'column', columnId: orderedBy },
      orderDirection: 'desc',
      otherBucket: false,
      missingBucket: false,
      parentFormat: { id: 'terms' },
      ...{ include: [], exclude: [], includeIsRegex: false, excludeIsRegex: false },
    },
  };
}

function metric(
  label: string,
  operationType: LensColumn['operationType'],
  sourceField: LensColumn['sourceField'],
  params: LensColumn['params'],
): LensColumn {
  return {
    ...{ label, customLabel: true, dataType: 'number', operationType, isBucketed: false, scale: 'ratio' },
    ...{ sourceField, params },
  };
}

function kuery(query: Kql): NonNullable<LensColumn['filter']> {
  return { query, language: 'kuery' };
}
