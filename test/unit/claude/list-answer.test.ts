import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isListOfThings, listedMax, readList, shownList } from '../../../extproc/claude/list-answer.ts';

const read = (text: string | object, endpoint = 'files.list') =>
  readList(endpoint, Buffer.from(typeof text === 'string' ? text : JSON.stringify(text)));

function listOf(text: string | object, endpoint?: string) {
  const found = read(text, endpoint);
  assert.ok(found.ok, JSON.stringify(found));
  return found.list;
}

/** What a caller is given who owns the things with these ids; null where the list passes as it came. */
function given(text: string | object, mine: readonly string[], endpoint?: string): string | null {
  const list = shownList(listOf(text, endpoint), ({ id }) => id !== null && mine.includes(id));
  assert.ok(list.ok, JSON.stringify(list));
  return list.json;
}

const fault = (text: string | object) => {
  const found = read(text);
  return found.ok ? null : found.fault;
};

test('what is left out is gone, and what stays is there as it came', () => {
  const text =
    ' { "data" : [ {"id":"a", "n":1.0e2}, {"id":"b","x":[{"id":"a"},"]}"]} ,\n{"id":"\\u0063","é":"\\"}"}], "has_more": true,' +
    '"first_id":"a","last_id":"c" , "next_page" : "page_1" }';
  assert.equal(
    given(text, ['b', 'c']),
    '{"data":[{"id":"b","x":[{"id":"a"},"]}"]},{"id":"\\u0063","é":"\\"}"}],"has_more":true,"first_id":"b","last_id":"c","next_page":"page_1"}',
  );
  assert.equal(
    given(text, ['a']),
    '{"data":[{"id":"a", "n":1.0e2}],"has_more":true,"first_id":"a","last_id":"a","next_page":"page_1"}',
  );
  assert.equal(given(text, ['a', 'b', 'c']), null, 'a list that is all of the caller passes to the byte');
});

test('a page that has nothing of the caller names nothing, and says whether more is behind', () => {
  const page = { data: [{ id: 'a' }, { id: 'b' }], has_more: true, first_id: 'a', last_id: 'b' };
  assert.equal(given(page, []), '{"data":[],"has_more":true,"first_id":null,"last_id":null}');
});

test('fields that could speak of everything are left out, and so are cursors of another form', () => {
  const more = { total: 7, by_id: { b: {} }, has_more: 7, next_page: { after: 'b' }, prev_page: null };
  assert.equal(given({ data: [{ id: 'a' }], ...more }, ['a']), '{"data":[{"id":"a"}],"prev_page":null}');
});

test('ends that are not those of what is shown are put right', () => {
  const page = { data: [{ id: 'a' }], first_id: 'x', last_id: 'y' };
  assert.equal(given(page, ['a']), '{"data":[{"id":"a"}],"first_id":"a","last_id":"a"}');
});

test('a cursor in which an id of others can be read is a fault, however it is written', () => {
  const other = 'file_011CNha8iCJcU1wXNR6q4V8w';
  const encoded = (text: string) => Buffer.from(text).toString('base64url');
  const cursors = [other, `page_${encoded(other)}`, encoded(`{"after":"${other}"}`), 'x'.repeat(5000)];
  for (const ofOthers of [[{ id: other }], []]) {
    for (const field of ['next_page', 'prev_page'])
      for (const cursor of cursors) {
        const list = listOf({ data: [{ id: 'file_a' }, ...ofOthers], [field]: cursor });
        assert.deepEqual(
          shownList(list, ({ id }) => id === 'file_a'),
          { ok: false, fault: 'cursor_shows_ids' },
          cursor,
        );
      }
  }
  const short = listOf({ data: [{ id: 'b7-1234' }], next_page: encoded('after b7-1234') });
  assert.deepEqual(
    shownList(short, () => false),
    { ok: false, fault: 'cursor_shows_ids' },
  );
});

test('cursors of times, of places and of what is shown pass', () => {
  const mine = 'file_011CNha8iCJcU1wXNR6q4V8w';
  for (const cursor of ['page_20', 'page_MjAyNS0wNS0xNFQwMDowMDowMFo=', mine, null]) {
    assert.equal(given({ data: [{ id: mine }], next_page: cursor }, [mine]), null, String(cursor));
  }
});

test('skills of the vendor are known as such by their source and their id', () => {
  const skill = (id: string, source: string) => ({ id, source });
  const data = [skill('xlsx', 'anthropic'), skill('skill_1', 'anthropic'), skill('xlsx', 'custom'), { id: 'pdf' }];
  const isVendors = (endpoint: string) => listOf({ data }, endpoint).entries.map((entry) => entry.isVendors);
  assert.deepEqual(isVendors('skills.list'), [true, false, false, false]);
  assert.deepEqual(isVendors('files.list'), [false, false, false, false]);
});

test('a run of a deployment is of whoever made the deployment', () => {
  const { entries } = listOf({ data: [{ id: 'drun_1', deployment_id: 'depl_1' }] }, 'deployment_runs.list');
  assert.deepEqual(
    entries.map(({ kind, id }) => [kind, id]),
    [['deployment', 'depl_1']],
  );
});

test('entries without an id of their own are known to be nobody’s', () => {
  const data = [null, 7, 'file_1', [{ id: 'file_1' }], {}, { id: 7 }, { id: null }];
  assert.deepEqual(
    listOf({ data }).entries.map(({ id }) => id),
    data.map(() => null),
  );
  assert.equal(given({ data }, ['file_1']), '{"data":[]}');
});

test('what is no list, or could be read in two ways, is a fault', () => {
  for (const text of ['', 'x', '[{"id":"a"}]x', '{"data":[}', '\ufeff{"data":[]}', '{"data":[],"data":[{"id":"b"}]}'])
    assert.equal(fault(text), 'not_json', text);
  assert.equal(fault('{"data":[{"id":"a","\\u0069d":"b"}]}'), 'not_json');
  for (const text of ['[]', '7', '{}', '{"data":{}}', '{"data":null}', '{"Data":[]}'])
    assert.equal(fault(text), 'not_a_list', text);
  const entries = (count: number) => ({ data: Array.from({ length: count }, (_, at) => ({ id: `f${at}` })) });
  assert.equal(fault(entries(listedMax)), null);
  assert.equal(fault(entries(listedMax + 1)), 'too_many_entries');
});

test('only lists of things with owners are read', () => {
  for (const endpoint of ['models.list', 'files.get', 'memories.list', 'sessions.events.list', 'unknown']) {
    assert.equal(isListOfThings(endpoint), false, endpoint);
    const found = read({ data: [] }, endpoint);
    assert.ok(!found.ok && found.fault === 'not_a_list');
  }
});

test('property: whatever the entries hold, the caller is given exactly its own, and each as it came', () => {
  const entry = fc.record({ id: fc.constantFrom('a', 'b', 'c', '"', '\\', '}', '😀'), more: fc.jsonValue() });
  const lists = fc.record({ data: fc.array(entry), has_more: fc.boolean() });
  const spaces = fc.constantFrom(0, 1, '\t');
  fc.assert(
    fc.property(lists, spaces, fc.subarray(['a', '"', '\\', '}', '😀']), (list, space, mine) => {
      const text = JSON.stringify(list, null, space);
      const json = given(text, mine) ?? text;
      const own = list.data.filter(({ id }) => mine.includes(id));
      assert.deepEqual(JSON.parse(json), JSON.parse(JSON.stringify({ ...list, data: own })));
      for (const each of listOf(json).entries) assert.ok(text.includes(each.json));
    }),
  );
});
