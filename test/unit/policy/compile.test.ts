import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { compilePolicies } from '../../../extproc/policy/compile.ts';
import { bareFiles, policyDirectory } from '../../policy/directory.ts';
import { opaBinary, policiesDirectory } from '../../policy/opa.ts';

function compile(directory: string) {
  return compilePolicies({ opaBinary: opaBinary(), directory });
}

/** The message of the refusal, with `DIR` for the directory. */
async function refusal(directory: string): Promise<string> {
  const error = await compile(directory).then(
    () => assert.fail('it compiled'),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof Error && 'code' in error && error.code === 'policy_invalid', String(error));
  return error.message.replaceAll(directory, 'DIR');
}

test('a bundle has the module, the lists and the revision of its sources', async () => {
  const bundle = await compile(policiesDirectory);
  assert.deepEqual([...bundle.wasm.subarray(0, 4)], [0, 0x61, 0x73, 0x6d]);
  assert.deepEqual(Object.keys(bundle.data), ['lists']);
  assert.match(bundle.revision, /^sha256:[0-9a-f]{64}$/);
  assert.equal((await compile(policiesDirectory)).revision, bundle.revision);
});

test('the revision follows rules, lists and their places, and nothing else', async (t) => {
  const revisionWith = async (files: Record<string, string>): Promise<string> =>
    (await compile(policyDirectory(t, { ...bareFiles(), ...files }))).revision;
  const revision = await revisionWith({});
  const same = { 'README.md': 'x', 'access/access_test.rego': 'package skilltape.access_test', '.hidden': 'x' };
  assert.equal(await revisionWith(same), revision);
  const others = [
    await revisionWith({ 'lists/data.json': '{}' }),
    await revisionWith({ 'lists/data.json': '{} ' }),
    await revisionWith({ 'lists/a/data.json': '{}' }),
    await revisionWith({ 'access/access.rego': `${bareFiles()['access/access.rego']}\n` }),
  ];
  assert.equal(new Set([revision, ...others]).size, 5);
});

test('a file that is not Rego is refused with file, line and reason', async (t) => {
  const directory = policyDirectory(t, bareFiles({ request: 'decision := {\n\t"verdict" "allow",\n}' }));
  assert.match(await refusal(directory), /^DIR\/request\/request\.rego:4: /);
});

test('every fault of the check is given, with file, line and reason', async (t) => {
  const files = bareFiles({
    access: 'import data.skilltape.request\n\ndecision := {"verdict": "allow", "reasons": []}',
    record: 'decision := nosuch(input)',
  });
  const message = await refusal(policyDirectory(t, files));
  assert.deepEqual(message.split('\n').sort(), [
    'DIR/access/access.rego:3: import data.skilltape.request unused',
    'DIR/record/record.rego:3: undefined function nosuch',
  ]);
});

test('a misspelt field of the input is refused', async (t) => {
  const rule = [
    '# METADATA',
    '# scope: package',
    '# schemas:',
    '#   - input: schema.access.input',
    'package skilltape.access',
    '',
    'decision := {"verdict": "allow", "reasons": []} if input.identity.subjct == "u-1"',
  ];
  const files = { ...bareFiles(), 'access/access.rego': `${rule.join('\n')}\n` };
  assert.equal(
    await refusal(policyDirectory(t, files)),
    'DIR/access/access.rego:7: undefined ref: input.identity.subjct',
  );
});

test('a builtin outside of capabilities.json is refused with file and line', async (t) => {
  const access = 'decision := {"verdict": "allow", "reasons": [], "at": time.now_ns()}';
  const capabilities = '{"builtins": [], "features": ["rego_v1"], "wasm_abi_versions": [{"version": 1}]}';
  const directory = policyDirectory(t, { ...bareFiles({ access }), 'capabilities.json': capabilities });
  assert.equal(await refusal(directory), 'DIR/access/access.rego:3: undefined function time.now_ns');
});

test('a policy without one of the decisions is refused', async (t) => {
  const { 'record/record.rego': _, ...files } = bareFiles();
  assert.match(await refusal(policyDirectory(t, files)), /skilltape\/record\/decision/);
});

test('lists that contradict each other are refused by name', async (t) => {
  const files = { 'lists/data.json': '{"deny": [1]}', 'lists/deny/data.json': '{"subjects": []}' };
  assert.match(await refusal(policyDirectory(t, { ...bareFiles(), ...files })), /lists/);
});

test('a misplaced rule is refused before OPA sees it', async (t) => {
  const files = { ...bareFiles(), 'rules/acess/x/x.rego': 'package skilltape.rules.acess.x\n' };
  assert.match(await refusal(policyDirectory(t, files)), /^DIR\/rules\/acess\/x\/x\.rego:1: a rule stands in rules\//);
});

test('OPA that cannot be run is a missing tool', async (t) => {
  const directory = policyDirectory(t, bareFiles());
  await assert.rejects(compilePolicies({ opaBinary: join(directory, 'no-opa'), directory }), { code: 'tool_missing' });
});

test('nothing is left behind in the folder for temporary files', async (t) => {
  const left = () => readdirSync(tmpdir()).filter((name) => name.startsWith('skilltape-policy-'));
  const own = policyDirectory(t, {});
  mkdirSync(join(own, 'tmp'));
  const before = process.env.TMPDIR;
  process.env.TMPDIR = join(own, 'tmp');
  t.after(() => {
    if (before === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = before;
  });
  await compile(policyDirectory(t, bareFiles()));
  await refusal(policyDirectory(t, bareFiles({ access: 'decision :=' })));
  assert.deepEqual(left(), []);
});

test('a symbolic link is refused, wherever it points', async (t) => {
  const directory = policyDirectory(t, bareFiles());
  symlinkSync(join(directory, 'access/access.rego'), join(directory, 'access/more.txt'));
  assert.equal(await refusal(directory), 'DIR/access/more.txt is a symbolic link');
});
