/** Runs what Kibana's Lens saves, as the aggregations that Kibana makes of it. */
import { translateKql } from './kql.ts';

export type LensColumnState = {
  operationType: 'count' | 'date_histogram' | 'percentile' | 'sum' | 'terms' | 'unique_count';
  isBucketed: boolean;
  sourceField: string;
  params: { size?: number; percentile?: number; orderBy?: { columnId: string }; orderDirection?: string };
  filter?: { query: string };
};

type Layer = { columns: Record<string, LensColumnState>; columnOrder: string[] };

export type LensState = {
  datasourceStates: { formBased: { layers: Record<string, Layer> } };
  query: { query: string };
};

/** A value for each column. */
export type Row = Record<string, string | number | null>;

type Bucket = { key: string | number; key_as_string?: string; doc_count: number } & Record<string, never>;

/** Kibana chooses the width of bars by the time that is shown. */
const interval = '1h';

/** The body of `_search` for a chart of one layer. */
export function lensSearch(state: LensState): object {
  const { layer, buckets } = layerOf(state);
  return {
    size: 0,
    track_total_hits: true,
    query: translateKql(state.query.query).query,
    aggs: nested(layer, buckets),
  };
}

/** The rows that the chart shows. */
export function lensRows(
  state: LensState,
  answer: { hits: { total: { value: number } }; aggregations?: object },
): Row[] {
  const { layer, buckets } = layerOf(state);
  const all = { ...answer.aggregations, doc_count: answer.hits.total.value } as unknown as Bucket;
  return rowsIn(layer, buckets, all, {});
}

function layerOf(state: LensState): { layer: Layer; buckets: string[] } {
  const [layer] = Object.values(state.datasourceStates.formBased.layers);
  if (layer === undefined) throw new Error('no layer');
  const buckets = layer.columnOrder.filter((id) => columnOf(layer, id).isBucketed);
  return { layer, buckets };
}

function columnOf({ columns }: Layer, id: string): LensColumnState {
  const column = columns[id];
  if (column === undefined) throw new Error(`columnOrder names ${id}, which is no column`);
  return column;
}

function metricIds({ columns }: Layer): string[] {
  return Object.keys(columns).filter((id) => columns[id]?.isBucketed === false);
}

/** Each level has the metrics: the rows of a level are ordered by them. */
function nested(layer: Layer, [first, ...rest]: readonly string[]): object {
  const metrics = Object.fromEntries(
    metricIds(layer).flatMap((id) => {
      const aggregation = metricAggregation(columnOf(layer, id));
      return aggregation === null ? [] : [[id, aggregation]];
    }),
  );
  if (first === undefined) return metrics;
  const bucket = bucketAggregation(layer, columnOf(layer, first));
  return { ...metrics, [first]: { ...bucket, aggs: nested(layer, rest) } };
}

function bucketAggregation(layer: Layer, { operationType, sourceField: field, params }: LensColumnState): object {
  if (operationType === 'date_histogram')
    return { date_histogram: { field, fixed_interval: interval, min_doc_count: 1 } };
  if (operationType !== 'terms') throw new Error(`${operationType} makes no buckets`);
  const by = params.orderBy?.columnId ?? '';
  const ordering = columnOf(layer, by);
  const key = ordering.operationType === 'count' && ordering.filter === undefined ? '_count' : by;
  return { terms: { field, size: params.size, order: { [key]: params.orderDirection } } };
}

function metricAggregation({ operationType, sourceField: field, params, filter }: LensColumnState): object | null {
  switch (operationType) {
    case 'count':
      return filter === undefined ? null : { filter: translateKql(filter.query).query };
    case 'sum':
      return { sum: { field } };
    case 'unique_count':
      return { cardinality: { field } };
    case 'percentile':
      return { percentiles: { field, percents: [params.percentile] } };
    default:
      throw new Error(`${operationType} is no metric`);
  }
}

function rowsIn(layer: Layer, [first, ...rest]: readonly string[], bucket: Bucket, above: Row): Row[] {
  if (first === undefined) {
    return [{ ...above, ...Object.fromEntries(metricIds(layer).map((id) => [id, metricValue(layer, id, bucket)])) }];
  }
  const { buckets } = bucket[first] as unknown as { buckets: Bucket[] };
  return buckets.flatMap((inner) =>
    rowsIn(layer, rest, inner, { ...above, [first]: inner.key_as_string ?? inner.key }),
  );
}

function metricValue(layer: Layer, id: string, bucket: Bucket): number | null {
  const { operationType, filter } = columnOf(layer, id);
  if (operationType === 'count' && filter === undefined) return bucket.doc_count;
  const found = bucket[id] as unknown as { value?: number; values?: Record<string, number | null>; doc_count?: number };
  if (operationType === 'percentile') return Object.values(found.values ?? {})[0] ?? null;
  return (operationType === 'count' ? found.doc_count : found.value) ?? null;
}
