import { dataViewId, dataViewReference } from './data-view.ts';
import { type Field, fields } from './fields.ts';
import { everything } from './kql.ts';
import { layerId, lensState } from './lens.ts';
import type { KibanaOptions } from './options.ts';
import { type Reference, type SavedObject, savedObject } from './saved-object.ts';
import { searchId } from './searches.ts';
import { type Panel, rowBelowPanels, trafficPanels } from './traffic-charts.ts';
import { lastWeek } from './vocabulary.ts';

/** Lists to choose from above the dashboard. */
const controls: readonly { id: string; title: string; field: Field }[] = [
  { id: 'user', title: 'User', field: fields.userEmail },
  { id: 'connection', title: 'Connection', field: fields.connection },
  { id: 'skill', title: 'Skill', field: fields.skill },
  { id: 'model', title: 'Model', field: fields.model },
];

const promptsPanel = 'prompts';
const layerReference = `indexpattern-datasource-layer-${layerId}`;

export function trafficDashboard(options: KibanaOptions): SavedObject {
  const panels = [...trafficPanels.map((panel) => lensPanel(options, panel)), searchPanel()];
  const { from: timeFrom, to: timeTo } = lastWeek;
  return savedObject({
    id: `${options.prefix}-traffic`,
    type: 'dashboard',
    attributes: {
      title: `Claude traffic (${options.prefix})`,
      description: 'Who asks Claude what, how much, and with which verdict.',
      ...{ timeRestore: true, timeFrom, timeTo },
      refreshInterval: { pause: true, value: 60_000 },
      controlGroupInput: controlGroup(options),
      panelsJSON: JSON.stringify(panels),
      optionsJSON: JSON.stringify(dashboardOptions),
      kibanaSavedObjectMeta: {
        searchSourceJSON: JSON.stringify({ query: { query: everything, language: 'kuery' }, filter: [] }),
      },
    },
    references: references(options),
  });
}

const dashboardOptions = {
  ...{ useMargins: true, hidePanelTitles: false },
  ...{ syncColors: false, syncCursor: true, syncTooltips: false },
};

function lensPanel(options: KibanaOptions, { id, title, place, chart }: Panel): object {
  return {
    type: 'lens',
    title,
    panelIndex: id,
    gridData: { ...place, i: id },
    embeddableConfig: {
      enhancements: {},
      attributes: {
        ...{ title, type: 'lens', visualizationType: chart.visualizationType },
        references: [dataViewReference(options, layerReference)],
        state: lensState(chart),
      },
    },
  };
}

function searchPanel(): object {
  return {
    type: 'search',
    title: 'Prompts',
    panelIndex: promptsPanel,
    panelRefName: `panel_${promptsPanel}`,
    gridData: { x: 0, y: rowBelowPanels, w: 48, h: 18, i: promptsPanel },
    embeddableConfig: { enhancements: {} },
  };
}

function controlGroup(options: KibanaOptions): object {
  const panels = controls.map(({ id, title, field }, order) => {
    const input = {
      ...{ id, title, fieldName: field, dataViewId: dataViewId(options) },
      ...{ searchTechnique: 'prefix', selectedOptions: [], exclude: false, existsSelected: false },
      sort: { by: '_count', direction: 'desc' },
    };
    return [id, { type: 'optionsListControl', order, width: 'medium', grow: true, explicitInput: input }];
  });
  const ignored = { ignoreFilters: false, ignoreQuery: false, ignoreTimerange: false, ignoreValidations: false };
  return {
    ...{ controlStyle: 'oneLine', chainingSystem: 'HIERARCHICAL' },
    ignoreParentSettingsJSON: JSON.stringify(ignored),
    panelsJSON: JSON.stringify(Object.fromEntries(panels)),
  };
}

/** Kibana finds the objects that panels and controls use by these names. */
function references(options: KibanaOptions): Reference[] {
  return [
    ...trafficPanels.map(({ id }) => dataViewReference(options, `${id}:${layerReference}`)),
    { name: `${promptsPanel}:panel_${promptsPanel}`, type: 'search', id: searchId(options, 'prompts') },
    ...controls.map(({ id }) => dataViewReference(options, `controlGroup_${id}:optionsListDataView`)),
  ];
}
