import assert from 'node:assert/strict';
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { compilePolicies } from '../../extproc/policy/compile.ts';
import { createPolicyEngine } from '../../extproc/policy/engine.ts';
import { listSchemaFaults } from '../../extproc/policy/list-faults.ts';
import { policyDirectory } from './directory.ts';
import { requestDocument } from './documents.ts';
import { opaBinary, policiesDirectory, runOpa } from './opa.ts';

const readme = readFileSync(join(policiesDirectory, 'README.md'), 'utf8');

function checkArguments(directory: string): string[] {
  const capabilities = ['--capabilities', join(directory, 'capabilities.json')];
  return ['check', '--strict', '--bundle', '--schema', join(directory, 'schemas'), ...capabilities, directory];
}

test('the tests of the shipped policies pass', async () => {
  const { status, output } = await runOpa(['test', policiesDirectory]);
  assert.equal(status, 0, output);
  assert.match(output, /PASS: \d\d/);
});

test('the shipped policies are formatted and pass the strict check with schemas and capabilities', async () => {
  assert.deepEqual(await runOpa(['fmt', '--list', policiesDirectory]), { status: 0, output: '' });
  assert.deepEqual(await runOpa(checkArguments(policiesDirectory)), { status: 0, output: '' });
});

test('every rule has a title, a description, the schema of its input, and a test of both directions', () => {
  const rules = ['access', 'request', 'record', 'console'].flatMap((stage) =>
    readdirSync(join(policiesDirectory, 'rules', stage)).map((rule) => ({ stage, rule })),
  );
  assert.ok(rules.length >= 12);
  for (const { stage, rule } of rules) {
    const folder = join(policiesDirectory, 'rules', stage, rule);
    const source = readFileSync(join(folder, `${rule}.rego`), 'utf8');
    const tests = readFileSync(join(folder, `${rule}_test.rego`), 'utf8');
    for (const part of ['# title: ', '# description: ', `#   - input: schema.${stage}.input`]) {
      assert.ok(source.includes(part), `${stage}/${rule}: ${part}`);
    }
    assert.match(tests, /^test_success_/m, rule);
    assert.match(tests, /^test_fail_/m, rule);
  }
});

test('the table in the README names every field of the input documents', () => {
  const propertiesOf = (stage: string): Record<string, { properties?: object }> =>
    JSON.parse(readFileSync(join(policiesDirectory, `schemas/${stage}/input.json`), 'utf8')).properties;
  for (const [name, field] of Object.entries({ ...propertiesOf('request'), ...propertiesOf('record') })) {
    const paths = Object.keys(field.properties ?? {}).map((inner) => `${name}.${inner}`);
    for (const path of paths.length > 0 ? paths : [name]) assert.ok(readme.includes(`\`${path}\``), path);
  }
});

test('the rule of the README works as it is written there', async (t) => {
  const directory = policyDirectory(t, {});
  cpSync(policiesDirectory, directory, { recursive: true });
  const files = [...readme.matchAll(/^`(rules\/\S+\.rego)`\n\n```rego\n([\s\S]*?)^```$/gm)];
  assert.equal(files.length, 2);
  for (const [, path = '', content = ''] of files) {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), content);
  }
  const { status, output } = await runOpa(['test', directory]);
  assert.equal(status, 0, output);
  assert.deepEqual(await runOpa(checkArguments(directory)), { status: 0, output: '' });

  const engine = await createPolicyEngine(await compilePolicies({ opaBinary: opaBinary(), directory }));
  assert.deepEqual(engine.request(requestDocument()), {
    verdict: 'hold',
    reasons: [{ rule: 'request/mcp_hold', message: 'The MCP server "docs" needs an approval.' }],
    approval: JSON.parse(readFileSync(join(directory, 'lists/approval/data.json'), 'utf8')),
  });
});

test('every list in the README is one that can be put in force', () => {
  const examples = [...readme.matchAll(/^`(lists\/\w+)\/data\.json`\n\n```json\n([\s\S]*?)^```$/gm)];
  assert.ok(examples.length >= 10, String(examples.length));
  for (const [, folder = '', json = ''] of examples) {
    assert.deepEqual(listSchemaFaults(new Map([[folder, JSON.parse(json)]])), [], folder);
  }
});

test('every list is in the table of the README, and shipped without an entry that restricts anybody new', () => {
  for (const name of readdirSync(join(policiesDirectory, 'lists'))) {
    assert.ok(readme.includes(`lists/${name}/data.json`) || readme.includes(`| [\`${name}\`]`), name);
    const { rules = [] } = JSON.parse(readFileSync(join(policiesDirectory, 'lists', name, 'data.json'), 'utf8'));
    assert.deepEqual(rules, [], name);
  }
});
