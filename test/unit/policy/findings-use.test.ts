import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compilePolicies } from '../../../extproc/policy/compile.ts';
import { mayLookAtFindings } from '../../../extproc/policy/findings-use.ts';
import { readSources } from '../../../extproc/policy/sources.ts';
import { bareFiles, policyDirectory } from '../../policy/directory.ts';
import { opaBinary, policiesDirectory } from '../../policy/opa.ts';

const filesOf = (files: Record<string, string>) =>
  new Map(Object.entries(files).map(([path, content]) => [path, Buffer.from(content)]));

function looks(rego: string, data: Record<string, string> = {}): boolean {
  return mayLookAtFindings(filesOf({ 'rules/request/a/a.rego': rego, ...data }));
}

test('a file that names fields of the input, and none about findings, does not look', () => {
  for (const rego of [
    'package a\n\nx if input.claude.model == "m"',
    'package a\n\nimport input.identity\n\nfindings contains {"effect": "deny"} if identity.groups',
    '# looks not at input.findings\npackage a\n\nx := "input_malformed"',
    'package a\n\nx := input . body.bytes',
    'package a\n\nx := data.inputs[0]',
  ]) {
    assert.equal(looks(rego), false, rego);
  }
});

test('whoever may look at findings, by any way there is in Rego, is taken to look', () => {
  for (const rego of [
    'package a\n\nx if input.findings[0].type == "SECRET"',
    'package a\n\nx if not input.findings_complete',
    'package a\n\nx := input["findings"]',
    'package a\n\nx := input[y]',
    'package a\n\nx := object.get(input, "findings", [])',
    'package a\n\nx if some y in input',
    'package a\n\nx := input\n  .findings',
    'package a\n\nimport input.findings as f',
    'package a\n\nimport input as i',
    'package a\n\nx if { walk(input, [p, v]) } # a remark',
  ]) {
    assert.equal(looks(rego), true, rego);
  }
});

test('a file that looks for the entries of a list looks when the list has some, or cannot be told', () => {
  const rego = '# METADATA\n# custom:\n#   findings: lists.limits.rules\npackage a\n\nx := input.findings';
  assert.equal(looks(rego, { 'lists/limits/data.json': '{"rules": []}' }), false);
  assert.equal(looks(rego, { 'data.json': '{"lists": {"limits": {"rules": []}}}' }), false);
  const some = ['{"rules": [1]}', '{"rules": {}}', '{"rule": []}', '{}', '[]'];
  for (const document of some) assert.equal(looks(rego, { 'lists/limits/data.json': document }), true, document);
  assert.equal(looks(rego), true);
  const both = { 'lists/limits/data.json': '{"rules": []}', 'lists/data.json': '{"limits": {"rules": [1]}}' };
  assert.equal(looks(rego, both), true);
});

test('as shipped no request is searched; an entry of the list or a rule of an operator changes that', async () => {
  const { compiled } = await readSources(policiesDirectory);
  assert.equal(mayLookAtFindings(compiled), false);
  const list = Buffer.from('{"rules": [{"effect": "deny", "types": ["SECRET"]}]}');
  assert.equal(mayLookAtFindings(new Map([...compiled, ['lists/findings/data.json', list]])), true);
  const rule = Buffer.from('package skilltape.rules.request.a\n\nfindings contains {} if input.findings');
  assert.equal(mayLookAtFindings(new Map([...compiled, ['rules/request/a/a.rego', rule]])), true);
});

test('a compiled policy says whether it looks', async (t) => {
  const compile = (files: Record<string, string>) =>
    compilePolicies({ opaBinary: opaBinary(), directory: policyDirectory(t, files) });
  assert.equal((await compile(bareFiles())).looksAtFindings, false);
  const request = 'decision := {"verdict": "allow", "reasons": []} if count(input.findings) == 0';
  assert.equal((await compile(bareFiles({ request }))).looksAtFindings, true);
});
