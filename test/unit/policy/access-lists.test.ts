import assert from 'node:assert/strict';
import { test } from 'node:test';
import { neverLifted } from '../../../extproc/policy/access-lists.ts';
import { layoutFaults } from '../../../extproc/policy/layout.ts';
import { readSources } from '../../../extproc/policy/sources.ts';
import { evaluate, policiesDirectory } from '../../policy/opa.ts';

async function faultsWith(name: string, document: unknown): Promise<string[]> {
  const { compiled } = await readSources(policiesDirectory);
  const list = Buffer.from(JSON.stringify(document));
  return layoutFaults(new Map([...compiled, [`lists/${name}/data.json`, list]])).map(({ reason }) => reason);
}

const times = { open_minutes: 15, grant_minutes: 60 };
const terms = {
  approvers: ['security'],
  quorum: 1,
  open_minutes: 60,
  scopes: ['request'],
  grant_minutes: 30,
  risk: 'low',
};

test('the rules that no grant lifts are the same here and in Rego', async () => {
  const inRego = await evaluate('data.skilltape.lib.grants.never_lifted', {});
  assert.deepEqual((inRego as string[]).toSorted(), Object.keys(neverLifted).toSorted());
});

test('break-glass cannot be set up to lift what stands for a fault, the deny list or a rule that there is not', async () => {
  for (const [rule, why] of Object.entries(neverLifted)) {
    assert.deepEqual(await faultsWith('break_glass', { lifts: ['request/budget', rule], ...times }), [
      `lifts.1: ${rule} cannot be lifted: ${why}`,
    ]);
  }
  assert.deepEqual(await faultsWith('break_glass', { lifts: ['request/bugdet'], ...times }), [
    'lifts.0: there is no rule request/bugdet',
  ]);
  assert.deepEqual(
    await faultsWith('break_glass', { lifts: ['skilltape/policy_failed', 'record/keep_by_list'], ...times }),
    [
      'lifts.0: skilltape/policy_failed is a fault of the policy and cannot be lifted',
      'lifts.1: record/keep_by_list refuses nothing, so it cannot be lifted',
    ],
  );
  assert.deepEqual(
    await faultsWith('break_glass', { lifts: ['request/owner_only'], ...times }),
    [],
    'where it is said',
  );
});

test('an offer of access without terms, of nothing, or with a quorum of nobody is a fault with its place', async () => {
  const offer = { connections: ['claude'], quorum: 1, ...times };
  assert.deepEqual(await faultsWith('access_requests', { rules: [offer] }), []);
  const faulty = [
    { ...offer, quorum: 0 },
    { quorum: 1, ...times },
    { ...offer, aprovers: ['x'] },
    { connections: ['a'] },
  ];
  const faults = await faultsWith('access_requests', { rules: faulty });
  for (const [at, name] of ['quorum', '', '', 'quorum'].entries()) {
    assert.ok(
      faults.some((fault) => fault.startsWith(`rules.${at}${name === '' ? '' : `.${name}`}: `)),
      `${at}: ${faults.join('\n')}`,
    );
  }
});

test('terms of a rule that cannot be, or of a rule that there is not, are faults with their place', async () => {
  const of = (rules: unknown) => faultsWith('approval', { ...terms, rules });
  assert.deepEqual(await of({ 'request/findings_listed': { quorum: 2, approvers: ['owners'] } }), []);
  const [quorum, ...others] = await of({ 'request/findings_listed': { quorum: 0 } });
  assert.match(quorum ?? '', /^rules\.request\/findings_listed\.quorum: /);
  assert.deepEqual(others, []);
  assert.deepEqual(await of({ 'request/findings_lsited': { quorum: 2 } }), [
    'rules.request/findings_lsited: there is no rule request/findings_lsited',
  ]);
  assert.equal((await of({ findings: { quorum: 2 } })).length, 1);
  assert.equal((await of({ 'request/budget': { approvers: [''] } })).length, 1);
});
