import assert from 'node:assert/strict';
import { cpSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { policyCommand } from '../../../extproc/cli/policy.ts';
import { policyDirectory } from '../../policy/directory.ts';
import { policiesDirectory } from '../../policy/opa.ts';

async function run(directory: string, ...args: string[]): Promise<{ out: string; exitCode: number }> {
  const said = { out: '', exitCode: 0 };
  const command = policyCommand({
    policies: () => ({ directory, evaluationMaxMs: 10_000 }),
    write: (text) => {
      said.out += text;
    },
    setExitCode: (code) => {
      said.exitCode = code;
    },
  });
  await command.parseAsync(args, { from: 'user' });
  return said;
}

function shipped(t: TestContext): string {
  const directory = policyDirectory(t, {});
  cpSync(policiesDirectory, directory, { recursive: true });
  return directory;
}

test('the shipped policies pass check and test', async () => {
  const checked = await run(policiesDirectory, 'check');
  assert.match(checked.out, /^No fault in \d+ files of policies\.\n$/);
  const tested = await run(policiesDirectory, 'test');
  assert.match(
    tested.out,
    /^No fault in \d+ files of policies; \d{3} tests passed; \d+ exchanges tried, the slowest in /,
  );
  assert.deepEqual([checked.exitCode, tested.exitCode], [0, 0]);
});

test('check names every fault with file and line, and its status is 1', async (t) => {
  const directory = shipped(t);
  writeFileSync(join(directory, 'lists/sizes/data.json'), '{\n  "rules": [\n    { "effect": "deny" }\n  ]\n}');
  writeFileSync(join(directory, 'lists/allowed_models/data.json'), '{ "rules": [{}] }');
  const { out, exitCode } = await run('not asked for', 'check', directory);
  assert.match(out, /lists\/sizes\/data\.json:3: rules\.0: must name a size$/m);
  assert.match(out, /lists\/allowed_models\/data\.json:1: rules\.0\.models: /);
  assert.match(out, /^2 faults\.$/m);
  assert.equal(exitCode, 1);
});

test('test names the tests that fail', async (t) => {
  const directory = shipped(t);
  const rego = 'package skilltape.lib.own_test\n\ntest_success_no if false\n';
  writeFileSync(join(directory, 'lib/shown/own_test.rego'), rego);
  const { out, exitCode } = await run(directory, 'test');
  assert.match(out, /lib\/shown\/own_test\.rego:3: .*test_success_no/);
  assert.equal(exitCode, 1);
});
