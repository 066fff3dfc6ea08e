import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withoutComments, withoutTexts } from '../../../extproc/policy/rego-text.ts';
import { silentFaults } from '../../../extproc/policy/silent-faults.ts';
import { readSources } from '../../../extproc/policy/sources.ts';
import { policiesDirectory } from '../../policy/opa.ts';

const lib = 'package skilltape.lib.facts\n\nmodels := input.claude.models\n\nof(x) := x\n';

function faults(files: Record<string, string>): string[] {
  const compiled = new Map(Object.entries(files).map(([path, content]) => [path, Buffer.from(content)]));
  return silentFaults(compiled).map(({ path, line, reason }) => `${path}:${line}: ${reason}`);
}

/** Of a rule with this body behind its package, without the path of its file. */
function ofRule(body: string, stage = 'request'): string[] {
  const path = `rules/${stage}/a/a.rego`;
  const text = `package skilltape.rules.${stage}.a\n\n${body}\n`;
  return faults({ [path]: text, 'lib/facts/facts.rego': lib }).map((fault) => fault.replace(`${path}:`, ''));
}

const denying = (condition: string) => `findings contains {"effect": "deny", "message": "No."} if ${condition}`;
const importing = (condition: string) => `import data.skilltape.lib.facts\n\n${denying(condition)}`;

test('the shipped policies have none', async () => {
  assert.deepEqual(silentFaults((await readSources(policiesDirectory)).compiled), []);
});

test('a package that there is not is a fault, where it is imported and where it is named', () => {
  assert.deepEqual(ofRule(`import data.skilltape.lib.fact\n\n${denying('fact.models')}`), [
    '3: there is no data.skilltape.lib.fact',
  ]);
  assert.deepEqual(ofRule(denying('data.skilltape.lib.nosuch.y == 1')), ['3: there is no data.skilltape.lib.nosuch.y']);
  assert.deepEqual(ofRule(denying('data.skilltape.lib.facts.modles')), [
    '3: there is no data.skilltape.lib.facts.modles',
  ]);
  assert.deepEqual(ofRule(denying('data.skilltape.lib.facts.models')), []);
  assert.deepEqual(ofRule(denying('some name, rule in data.skilltape.rules.request')), []);
});

test('a name that is not in the package is a fault, also by another name of the package', () => {
  assert.deepEqual(ofRule(importing('count(facts.modles) > 0')), [
    '5: there is no facts.modles in skilltape.lib.facts',
  ]);
  const renamed = `import data.skilltape.lib.facts as f\n\n${denying('f.models[_] == f.modles')}`;
  assert.deepEqual(ofRule(renamed), ['5: there is no f.modles in skilltape.lib.facts']);
  for (const condition of [
    'facts.models',
    'facts.of(1)',
    '"facts.modles" != input.time',
    'x.facts.modles # facts.modles',
  ])
    assert.deepEqual(ofRule(importing(condition)), [], condition);
  for (const variable of [
    'some facts in input.x; facts.modles',
    'f(1)\n\nf(facts) := facts.modles',
    'facts := 1; facts.modles',
  ])
    assert.deepEqual(ofRule(importing(variable)), [], 'a variable of that name is another thing');
});

test('a pattern that is none is a fault, in either kind of quotes', () => {
  const [quoted = '', raw = ''] = ['"a\\\\d("', '`a\\d(`'].map((p) =>
    ofRule(denying(`regex.match(${p}, input.time)`)).join(),
  );
  for (const said of [quoted, raw]) assert.match(said, /^3: no regular expression: .*missing closing \)/);
  assert.deepEqual(ofRule(denying('regex.match(`a\\d+`, input.time)')), []);
  assert.deepEqual(ofRule(denying('regex.match(pattern, input.time)')), []);
});

test('a field that is compared with what it never is, is a fault', () => {
  const never = '3: input.request.endpoint is never "messages.creat"';
  assert.deepEqual(ofRule(denying('input.request.endpoint == "messages.creat"')), [never]);
  assert.deepEqual(ofRule(denying('input.request.endpoint != "messages.creat"')), [never]);
  assert.deepEqual(ofRule(denying('input.request.endpoint in {"messages.create", "messages.creat"}')), [never]);
  assert.deepEqual(ofRule(denying('input.request.endpoint in ["messages.creat"]')), [never]);
  assert.deepEqual(ofRule(denying('input.authentication.failure == "expired"')), [
    '3: input.authentication.failure is never "expired"',
  ]);
  for (const condition of [
    'input.request.endpoint == "messages.create"',
    'input.request.endpoint in {"files.list", "files.get"}',
    'input.authentication.failure == "two_credentials"',
    'input.request.method == "post"',
    'input.request.endpoint == name',
  ])
    assert.deepEqual(ofRule(denying(condition)), [], condition);
});

test('findings of which every decision would be a fault are told at the rule', () => {
  assert.deepEqual(ofRule('finding contains {"effect": "deny", "message": "No."} if true'), [
    '1: has no findings: what the rule request/a has to say is in the set of that name',
  ]);
  assert.deepEqual(ofRule('findings contains {"effect": "block", "message": "No."} if true'), [
    '3: the effect "block" is none of deny, hold',
  ]);
  assert.deepEqual(ofRule('findings contains {\n\t"effect": "deny",\n\t"messages": "No.",\n} if true'), [
    '3: the finding has no message',
  ]);
  assert.deepEqual(ofRule('findings contains {"effect": "deny", "message": "No.", "status": 429} if true'), [
    '3: 429 is no status of a refusal',
  ]);
  assert.deepEqual(ofRule('findings := [{"effect": "deny", "message": "No."}]'), [
    '3: findings is a list, and not a set',
  ]);
  assert.deepEqual(ofRule('findings contains finding if some finding in _all'), []);
  assert.deepEqual(
    ofRule('findings contains {"keep": "metadata"} if true', 'record'),
    [],
    'those of record are others',
  );
});

test('a list that no rule reads is a fault, and one that any names is not', () => {
  const list = { 'lists/mine/data.json': '{}' };
  const read = (how: string) =>
    faults({ ...list, 'rules/record/a/a.rego': `package skilltape.rules.record.a\n\nx := ${how}\n` });
  assert.deepEqual(read('1'), ['lists/mine/data.json:1: no rule reads data.lists.mine']);
  assert.deepEqual(read('1 # data.lists.mine'), ['lists/mine/data.json:1: no rule reads data.lists.mine']);
  for (const how of ['data.lists.mine.rules', 'data.lists["mine"]']) assert.deepEqual(read(how), [], how);
});

test('comments and texts are blanked out where they stand, whatever is in them', () => {
  const rego = 'a := "# no \\" comment" # "one"\nb := `"#`\nc := "d" # e';
  const plain = withoutComments(rego);
  assert.equal(plain.length, rego.length);
  assert.equal(plain.replaceAll(/ +$/gm, ''), 'a := "# no \\" comment"\nb := `"#`\nc := "d"');
  assert.equal(withoutTexts(plain).replaceAll(/ +/g, ' ').replaceAll(/ $/gm, ''), 'a := " "\nb := ` `\nc := " "');
});
