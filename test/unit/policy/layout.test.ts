import assert from 'node:assert/strict';
import { test } from 'node:test';
import { layoutFaults } from '../../../extproc/policy/layout.ts';

/** Stands above the package of a rule. */
const schemas = '# METADATA\n# schemas:\n#   - input: schema.request.input\n';

function faults(files: Record<string, string>): string[] {
  const compiled = new Map(Object.entries(files).map(([path, content]) => [path, Buffer.from(content)]));
  return layoutFaults(compiled).map(({ path, line, reason }) => `${path}:${line}: ${reason}`);
}

test('a rule in its place has no fault', () => {
  assert.deepEqual(
    faults({
      'rules/request/a/a.rego':
        '# METADATA\n# schemas:\n#   - input: schema.request.input\npackage skilltape.rules.request.a # here\n\nx if data.lists.b.c\n',
      'lists/b/data.json': '{"c": []}',
    }),
    [],
  );
});

test('a rule where no decision looks for it is a fault', () => {
  const place = 'a rule stands in rules/<access|request|record|console>/<rule>/<rule>.rego';
  for (const path of ['rules/a.rego', 'rules/request/a.rego', 'rules/requests/a/a.rego', 'rules/request/a/b/a.rego']) {
    const name = ['skilltape', ...path.split('/').slice(0, -1)].join('.');
    assert.equal(faults({ [path]: `${schemas}package ${name}` })[0], `${path}:1: ${place}`);
  }
});

test('a rule that would be taken for a test is a fault', () => {
  assert.deepEqual(faults({ 'rules/request/a_test/a.rego': `${schemas}package skilltape.rules.request.a_test` }), [
    'rules/request/a_test/a.rego:1: the name of a rule cannot end in _test',
  ]);
});

test('a rule that does not name the schema of its own input is a fault', () => {
  for (const remark of ['# one', '#   - input: schema.access.input', '- input: schema.request.input']) {
    assert.deepEqual(faults({ 'rules/request/a/a.rego': `${remark}\npackage skilltape.rules.request.a\n` }), [
      'rules/request/a/a.rego:1: the METADATA of the package has no schemas with - input: schema.request.input',
    ]);
  }
});

test('a package that does not fit its folder is a fault, with its line', () => {
  for (const name of ['skilltape.rules.request.b', 'skilltape.rules.request', 'skilltape["rules"].request.a']) {
    assert.deepEqual(faults({ 'rules/request/a/a.rego': `${schemas}package ${name}\n` }), [
      `rules/request/a/a.rego:4: the package of this folder is skilltape.rules.request.a, not ${name}`,
    ]);
  }
});

test('a reference to a list that does not exist is a fault, with its line', () => {
  const data = { 'lists/mine/data.json': '{"subjects": ["toString"], "models": {"names": []}}' };
  const rego = [
    'package skilltape.lib',
    'a := data.lists.mine.subjects[0]',
    'b := data.lists.mine.subject',
    'c := data.lists.others',
    '# data.lists.remark',
    'd := data.lists.mine.models["prefixes"]; e := data.lists.mine["models"].names',
    'f := data.lists.mine.toString',
    'g := data.lists[input.x]',
  ];
  assert.deepEqual(faults({ 'lib/a.rego': rego.join('\n'), ...data }), [
    'lib/a.rego:3: there is no list data.lists.mine.subject',
    'lib/a.rego:4: there is no list data.lists.others',
    'lib/a.rego:6: there is no list data.lists.mine.models["prefixes"]',
    'lib/a.rego:7: there is no list data.lists.mine.toString',
  ]);
});

test('data that is not a JSON object is a fault, with its line where there is one', () => {
  assert.deepEqual(faults({ 'lists/data.json': '[]' }), ['lists/data.json:1: data must be an object']);
  assert.deepEqual(faults({ 'lists/data.json': '{\n  "a": [],\n  b\n}' }), ['lists/data.json:3: not JSON']);
  assert.deepEqual(faults({ 'lists/data.json': '' }), ['lists/data.json:1: not JSON']);
});
