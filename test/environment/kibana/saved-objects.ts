import { translateKql } from './kql.ts';
import type { LensColumnState, LensState } from './lens.ts';

export type ParsedObject = { id: string; type: string; attributes: Record<string, unknown>; references: Reference[] };
export type Reference = { name: string; type: string; id: string };
export type LensPanel = { id: string; title: string; state: LensState };

/** What a field is used for decides what the index must be able to do with it. */
export type FieldUse = { field: string; where: string; use: 'show' | 'search' | 'group' | 'time' | 'number' };

export function parseNdjson(text: string): ParsedObject[] {
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as ParsedObject);
}

export function searchQueryOf({ attributes }: ParsedObject): string {
  const { searchSourceJSON } = attributes.kibanaSavedObjectMeta as { searchSourceJSON: string };
  return (JSON.parse(searchSourceJSON) as { query: { query: string } }).query.query;
}

type Panel = {
  type: string;
  title: string;
  panelIndex: string;
  embeddableConfig: { attributes?: { state: LensState; references: Reference[] } };
};

export function panelsOf({ attributes }: ParsedObject): Panel[] {
  return JSON.parse(String(attributes.panelsJSON)) as Panel[];
}

export function lensPanelsOf(dashboard: ParsedObject): LensPanel[] {
  return panelsOf(dashboard).flatMap(({ panelIndex, title, embeddableConfig: { attributes } }) =>
    attributes === undefined ? [] : [{ id: panelIndex, title, state: attributes.state }],
  );
}

export function controlFieldsOf({ attributes }: ParsedObject): string[] {
  const { panelsJSON } = attributes.controlGroupInput as { panelsJSON: string };
  const controls = JSON.parse(panelsJSON) as Record<string, { explicitInput: { fieldName: string } }>;
  return Object.values(controls).map(({ explicitInput }) => explicitInput.fieldName);
}

/** Every field that the objects name, wherever it stands. */
export function namedFields(objects: readonly ParsedObject[]): FieldUse[] {
  return objects.flatMap((object) => {
    const { type, attributes } = object;
    if (type === 'index-pattern') return dataViewFields(attributes);
    if (type === 'search') return searchFields(object);
    return dashboardFields(object);
  });
}

function dataViewFields({ fieldFormatMap, timeFieldName }: Record<string, unknown>): FieldUse[] {
  const shown = Object.entries(JSON.parse(String(fieldFormatMap)) as Record<string, { id: string }>);
  return [
    { field: String(timeFieldName), where: 'time of the data view', use: 'time' },
    ...shown.map(
      ([field, { id }]) => ({ field, where: `format ${id}`, use: id === 'url' ? 'show' : 'number' }) as const,
    ),
  ];
}

function searchFields(object: ParsedObject): FieldUse[] {
  const { id, attributes } = object;
  const sorted = (attributes.sort as [string, string][]).map(([field]) => field);
  return [
    ...(attributes.columns as string[]).map((field) => ({ field, where: `column of ${id}`, use: 'show' }) as const),
    ...sorted.map((field) => ({ field, where: `order of ${id}`, use: 'time' }) as const),
    ...queryFields(searchQueryOf(object), id),
  ];
}

function dashboardFields(dashboard: ParsedObject): FieldUse[] {
  return [
    ...queryFields(searchQueryOf(dashboard), dashboard.id),
    ...controlFieldsOf(dashboard).map((field) => ({ field, where: 'control', use: 'group' }) as const),
    ...lensPanelsOf(dashboard).flatMap(({ id, state }) => [
      ...queryFields(state.query.query, id),
      ...Object.values(state.datasourceStates.formBased.layers).flatMap(({ columns }) =>
        Object.values(columns).flatMap((column) => columnFields(column, id)),
      ),
    ]),
  ];
}

const useOf: Record<LensColumnState['operationType'], FieldUse['use'] | null> = {
  count: null,
  date_histogram: 'time',
  percentile: 'number',
  sum: 'number',
  terms: 'group',
  unique_count: 'group',
};

function columnFields({ operationType, sourceField, filter }: LensColumnState, where: string): FieldUse[] {
  const use = useOf[operationType];
  const filtered = filter === undefined ? [] : queryFields(filter.query, where);
  return use === null ? filtered : [{ field: sourceField, where: `${operationType} of ${where}`, use }, ...filtered];
}

function queryFields(query: string, where: string): FieldUse[] {
  return translateKql(query).fields.map((field) => ({ field, where: `query of ${where}`, use: 'search' }));
}
