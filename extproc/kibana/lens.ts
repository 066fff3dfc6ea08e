import { everything, type Kql } from './kql.ts';
import type { LensColumn } from './lens-column.ts';

/** Columns by id, in the order in which they group; what counts stands last. */
export type Columns = Readonly<Record<string, LensColumn>>;

/** A chart without its place on a dashboard. */
export type Chart = {
  readonly visualizationType: 'lnsDatatable' | 'lnsMetric' | 'lnsPie' | 'lnsXY';
  readonly columns: Columns;
  readonly visualization: Readonly<Record<string, unknown>>;
  readonly query: Kql;
};

export const layerId = 'layer';
const layer = { layerId, layerType: 'data' } as const;

export function metricChart(value: LensColumn): Chart {
  const visualization = { ...layer, metricAccessor: 'value' };
  return { visualizationType: 'lnsMetric', columns: { value }, visualization, query: everything };
}

export function tableChart(columns: Columns, query: Kql = everything): Chart {
  const shown = Object.entries(columns).map(([columnId, { isBucketed }]) => {
    return { columnId, isMetric: !isBucketed, isTransposed: false };
  });
  return { visualizationType: 'lnsDatatable', columns, visualization: { ...layer, columns: shown }, query };
}

export function pieChart(slices: LensColumn, size: LensColumn, query: Kql = everything): Chart {
  const shown = {
    ...layer,
    ...{ primaryGroups: ['slices'], metrics: ['size'], nestedLegend: false },
    ...{ numberDisplay: 'percent', categoryDisplay: 'default', legendDisplay: 'show' },
  };
  const visualization = { shape: 'pie', layers: [shown] };
  return { visualizationType: 'lnsPie', columns: { slices, size }, visualization, query };
}

/**
 * @property x id of the column along the axis
 * @property split id of the column with a colour for each of its values
 */
export function axisChart(
  seriesType: 'bar_horizontal' | 'bar_stacked' | 'line',
  columns: Columns,
  { x, split, query = everything }: { x: string; split?: string; query?: Kql },
): Chart {
  const accessors = Object.keys(columns).filter((id) => id !== x && id !== split);
  const shown = {
    ...layer,
    ...{ seriesType, xAccessor: x, accessors, position: 'top', showGridlines: false },
    ...(split === undefined ? {} : { splitAccessor: split }),
  };
  const visualization = {
    legend: { isVisible: split !== undefined || accessors.length > 1, position: 'right' },
    ...{ valueLabels: 'hide', preferredSeriesType: seriesType, layers: [shown] },
  };
  return { visualizationType: 'lnsXY', columns, visualization, query };
}

/** The state that Lens saves of a chart. */
export function lensState({ columns, visualization, query }: Chart): object {
  const saved = { columns, columnOrder: Object.keys(columns), incompleteColumns: {}, sampling: 1 };
  return {
    datasourceStates: { formBased: { layers: { [layerId]: { ...saved, ignoreGlobalFilters: false } } } },
    visualization,
    query: { query, language: 'kuery' },
    ...{ filters: [], internalReferences: [], adHocDataViews: {} },
  };
}
