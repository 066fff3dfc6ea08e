import assert from 'node:assert/strict';
import { test } from 'node:test';
import { kibanaObjects } from '../../../extproc/kibana/objects.ts';
import { toNdjson } from '../../../extproc/kibana/saved-object.ts';
import { controlFieldsOf, lensPanelsOf, panelsOf, parseNdjson } from '../../environment/kibana/saved-objects.ts';

const consoleUrl = 'https://skilltape.example.com';

function objectsOf(prefix = 'skilltape', url: string | null = consoleUrl) {
  return parseNdjson(toNdjson(kibanaObjects({ prefix, consoleUrl: url })));
}

function dashboardOf(objects: ReturnType<typeof objectsOf>) {
  const dashboard = objects.find(({ type }) => type === 'dashboard');
  assert.ok(dashboard !== undefined);
  return dashboard;
}

test('the same options give the same bytes, so that a second import overwrites the first', () => {
  const [first, second] = [1, 2].map(() => toNdjson(kibanaObjects({ prefix: 'skilltape', consoleUrl })));
  assert.equal(first, second);
  assert.deepEqual(
    objectsOf().map(({ id, type }) => [type, id]),
    [
      ['index-pattern', 'skilltape-data-view'],
      ['search', 'skilltape-prompts'],
      ['search', 'skilltape-denied-and-held'],
      ['search', 'skilltape-would-be-stopped'],
      ['search', 'skilltape-let-through-by-a-grant'],
      ['search', 'skilltape-refused-and-failed'],
      ['search', 'skilltape-masked'],
      ['search', 'skilltape-masking-failed'],
      ['dashboard', 'skilltape-traffic'],
    ],
  );
});

test('the objects of two prefixes share no id', () => {
  const ids = [...objectsOf('tape'), ...objectsOf('tape_two')].map(({ id }) => id);
  assert.equal(new Set(ids).size, ids.length);
});

test('an object refers only to objects of the same file that stand before it', () => {
  const known = new Set<string>();
  for (const { id, type, references } of objectsOf()) {
    for (const reference of references) assert.ok(known.has(`${reference.type}:${reference.id}`), reference.name);
    known.add(`${type}:${id}`);
  }
});

test('no object is newer than the first Kibana 8 that knows its attributes', () => {
  const versions = objectsOf().map((object) => {
    const { type, coreMigrationVersion, typeMigrationVersion } = object as unknown as Record<string, string>;
    return [type, coreMigrationVersion, typeMigrationVersion];
  });
  const expected = { 'index-pattern': '8.0.0', search: '10.1.0', dashboard: '10.1.0' };
  for (const [type, core, version] of versions) {
    assert.equal(core, '8.8.0');
    assert.equal(version, expected[type as keyof typeof expected]);
  }
});

test('the data view covers the indices of all retention classes and may come before the first of them', () => {
  const [view] = objectsOf('tape');
  assert.equal(view?.attributes.title, 'tape-*');
  assert.equal(view?.attributes.timeFieldName, '@timestamp');
  assert.equal(view?.attributes.allowNoIndex, true);
});

test('ids lead to the console only when its address is known', () => {
  const formatsOf = (url: string | null) =>
    JSON.parse(String(objectsOf('skilltape', url)[0]?.attributes.fieldFormatMap));
  const linked = formatsOf(consoleUrl);
  assert.equal(linked['event.id'].params.urlTemplate, 'https://skilltape.example.com/exchanges/{{value}}');
  assert.equal(linked['gen_ai.conversation.id'].params.urlTemplate, 'https://skilltape.example.com/sessions/{{value}}');
  assert.equal(linked['event.duration'].params.inputFormat, 'nanoseconds');
  const ids = Object.values(formatsOf(null) as Record<string, { id: string }>).map(({ id }) => id);
  assert.deepEqual([...new Set(ids)], ['duration', 'bytes', 'number']);
});

test('a saved search loads few documents and shows no long text by itself', () => {
  for (const { type, attributes } of objectsOf()) {
    if (type !== 'search') continue;
    assert.equal(attributes.sampleSize, 100);
    for (const column of attributes.columns as string[]) assert.doesNotMatch(column, /text$|messages|answer|system/);
  }
});

test('every panel, list and layer of the dashboard finds its object by the name that Kibana looks for', () => {
  const dashboard = dashboardOf(objectsOf());
  const names = new Set(dashboard.references.map(({ name }) => name));
  for (const { type, panelIndex, embeddableConfig } of panelsOf(dashboard)) {
    if (type === 'search') {
      assert.ok(names.delete(`${panelIndex}:panel_${panelIndex}`));
      continue;
    }
    for (const { name } of embeddableConfig.attributes?.references ?? []) {
      const [layer] = Object.keys(embeddableConfig.attributes?.state.datasourceStates.formBased.layers ?? {});
      assert.equal(name, `indexpattern-datasource-layer-${layer}`);
      assert.ok(names.delete(`${panelIndex}:${name}`));
    }
  }
  assert.deepEqual(
    [...names],
    ['user', 'connection', 'skill', 'model'].map((id) => `controlGroup_${id}:optionsListDataView`),
  );
  assert.equal(controlFieldsOf(dashboard).length, 4);
});

test('the columns of every chart are all there: those it orders by, and those it draws', () => {
  for (const { id, state } of lensPanelsOf(dashboardOf(objectsOf()))) {
    const { layer } = state.datasourceStates.formBased.layers;
    assert.ok(layer !== undefined, id);
    assert.deepEqual(layer.columnOrder, Object.keys(layer.columns));
    const grouping = layer.columnOrder.map((column) => layer.columns[column]?.isBucketed);
    assert.deepEqual(grouping, grouping.toSorted().toReversed(), `${id}: groups stand before counts`);
    for (const { params } of Object.values(layer.columns)) {
      if (params.orderBy !== undefined) assert.ok(Object.hasOwn(layer.columns, params.orderBy.columnId), id);
    }
    const drawn = JSON.stringify((state as unknown as { visualization: object }).visualization);
    for (const column of layer.columnOrder) assert.ok(drawn.includes(`"${column}"`), `${id} does not draw ${column}`);
  }
});

test('no two panels of the dashboard overlap, and none is wider than it', () => {
  const taken = new Set<string>();
  const places = panelsOf(dashboardOf(objectsOf())) as unknown as { gridData: Record<'x' | 'y' | 'w' | 'h', number> }[];
  for (const { gridData } of places) {
    const { x, y, w, h } = gridData;
    assert.ok(x >= 0 && x + w <= 48);
    for (let column = x; column < x + w; column++) {
      for (let row = y; row < y + h; row++) {
        assert.ok(!taken.has(`${column},${row}`));
        taken.add(`${column},${row}`);
      }
    }
  }
});
