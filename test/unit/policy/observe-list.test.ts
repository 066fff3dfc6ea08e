import assert from 'node:assert/strict';
import { test } from 'node:test';
import { layoutFaults } from '../../../extproc/policy/layout.ts';
import { alwaysEnforced } from '../../../extproc/policy/observe-list.ts';
import { readSources } from '../../../extproc/policy/sources.ts';
import { evaluate, policiesDirectory } from '../../policy/opa.ts';

async function faultsWith(document: unknown): Promise<string[]> {
  const { compiled } = await readSources(policiesDirectory);
  const list = Buffer.from(JSON.stringify(document));
  return layoutFaults(new Map([...compiled, ['lists/observe/data.json', list]])).map(({ reason }) => reason);
}

test('rules of the policy and connections can be observed', async () => {
  assert.deepEqual(
    await faultsWith({ connections: ['sandbox'], rules: ['request/model_known', 'access/deny_list'] }),
    [],
  );
});

test('what stands for a fault cannot be observed, and is refused by name with the reason', async () => {
  for (const [rule, why] of Object.entries(alwaysEnforced)) {
    assert.deepEqual(await faultsWith({ connections: [], rules: ['request/oversize', rule] }), [
      `rules.1: ${rule} cannot be observed: ${why}`,
    ]);
  }
  assert.deepEqual(await faultsWith({ connections: [], rules: ['skilltape/policy_failed', 'record/keep_by_list'] }), [
    'rules.0: skilltape/policy_failed is a fault of the policy and cannot be observed',
    'rules.1: record/keep_by_list refuses nothing, so it cannot be observed',
  ]);
});

test('a rule that the policy does not have is refused by name', async () => {
  assert.deepEqual(await faultsWith({ connections: [], rules: ['request/model_knwon', 'model_known'] }), [
    'rules.1: must be a rule such as request/model_allowed',
  ]);
  assert.deepEqual(await faultsWith({ connections: [], rules: ['request/model_knwon'] }), [
    'rules.0: there is no rule request/model_knwon',
  ]);
});

test('the policy enforces by itself what the list refuses, each of them a rule that is there', async () => {
  const enforced = (await evaluate('data.skilltape.lib.observe.always_enforced', {})) as string[];
  assert.deepEqual(enforced.sort(), Object.keys(alwaysEnforced).sort());
  const { compiled } = await readSources(policiesDirectory);
  for (const rule of enforced)
    assert.ok(
      [...compiled.keys()].some((path) => path.startsWith(`rules/${rule}/`)),
      rule,
    );
});
