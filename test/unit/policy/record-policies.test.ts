import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { keptRevisionsMax, type PolicyBundle } from '../../../extproc/policy/bundle.ts';
import { compilePolicies } from '../../../extproc/policy/compile.ts';
import { RecordPolicies } from '../../../extproc/policy/record-policies.ts';
import { bareFiles, policyDirectory } from '../../policy/directory.ts';
import { recordDocument } from '../../policy/documents.ts';
import { opaBinary } from '../../policy/opa.ts';

/** Policies that keep exchanges in the class `c<number>`. */
async function bundles(t: TestContext, count: number): Promise<PolicyBundle[]> {
  const made: PolicyBundle[] = [];
  for (let at = 0; at < count; at += 1) {
    const record = `decision := {"keep": "full", "retention_class": "c${at}", "reasons": []}`;
    made.push(await compilePolicies({ opaBinary: opaBinary(), directory: policyDirectory(t, bareFiles({ record })) }));
  }
  return made;
}

test('an exchange is asked of the policy it began with, whatever is in force, as long as that one is kept', async (t) => {
  const made = await bundles(t, keptRevisionsMax + 1);
  const [first, second, ...others] = made;
  assert.ok(first !== undefined && second !== undefined);
  const policies = new RecordPolicies();
  await policies.use(first);
  await policies.use(second);
  const classOf = (revision: string | null) => policies.record(recordDocument(), revision).retention_class;
  assert.deepEqual([first.revision, second.revision, null, 'sha256:unknown'].map(classOf), ['c0', 'c1', 'c1', 'c1']);

  for (const other of others) await policies.use(other);
  const last = made.at(-1);
  assert.equal(classOf(second.revision), 'c1');
  const { retention_class, revision } = policies.record(recordDocument(), first.revision);
  assert.deepEqual([retention_class, revision], [`c${made.length - 1}`, last?.revision]);
});

test('a policy that is taken back is in force again, and stays the longest', async (t) => {
  const made = await bundles(t, keptRevisionsMax + 1);
  const [first] = made;
  assert.ok(first !== undefined);
  const policies = new RecordPolicies();
  for (const one of made.slice(0, keptRevisionsMax)) await policies.use(one);
  await policies.use(first);
  assert.equal(policies.record(recordDocument(), null).retention_class, 'c0');
  await policies.use(made.at(-1) as PolicyBundle);
  assert.equal(policies.record(recordDocument(), first.revision).retention_class, 'c0');
  assert.equal(policies.record(recordDocument(), made[1]?.revision ?? '').retention_class, `c${keptRevisionsMax}`);
});

test('a module that cannot be loaded leaves the one before in force', async (t) => {
  const [first] = await bundles(t, 1);
  assert.ok(first !== undefined);
  const policies = new RecordPolicies();
  await policies.use(first);
  await assert.rejects(policies.use({ ...first, revision: 'sha256:other', wasm: new Uint8Array(8) }), {
    code: 'policy_invalid',
  });
  assert.equal(policies.record(recordDocument(), 'sha256:other').revision, first.revision);
});
