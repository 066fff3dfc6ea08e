import assert from 'node:assert/strict';
import { cpSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { FindingType } from '../../extproc/masking/finding.ts';
import type { PolicyBundle } from '../../extproc/policy/bundle.ts';
import { compilePolicies } from '../../extproc/policy/compile.ts';
import { createPolicyEngine } from '../../extproc/policy/engine.ts';
import { usualMasking } from '../../extproc/policy/masking-decision.ts';
import { ownList, ownNames, ownRule } from '../unit/masking/own-list.ts';
import { policyDirectory } from './directory.ts';
import { recordDocument, requestDocument } from './documents.ts';
import { opaBinary, policiesDirectory } from './opa.ts';

const detectors = ownList({
  rules: [ownRule(), ownRule({ id: 'badge', type: 'BADGE', pattern: 'BDG-[0-9]{4}', positive: ['BDG-1234'] })],
  names: [ownNames(['Acme Corp'])],
  hashed_types: ['TICKET'],
});

/** The shipped policies with other lists. */
function compiledWith(t: TestContext, lists: Record<string, unknown>): Promise<PolicyBundle> {
  const directory = policyDirectory(t, {});
  cpSync(policiesDirectory, directory, { recursive: true });
  for (const [name, list] of Object.entries(lists))
    writeFileSync(join(directory, 'lists', name, 'data.json'), JSON.stringify(list));
  return compilePolicies({ opaBinary: opaBinary(), directory });
}

async function refusal(t: TestContext, lists: Record<string, unknown>): Promise<string> {
  return compiledWith(t, lists).then(
    () => assert.fail('it compiled'),
    (thrown: Error) => thrown.message,
  );
}

test('detectors of operators are part of the policy, of its revision, and of what its rules can speak of', async (t) => {
  const shipped = await compiledWith(t, {});
  assert.deepEqual(shipped.detectors, ownList());
  const masking = {
    rules: [{ off: ['BADGE'], plain: ['TICKET'] }, { scopes: { TICKET: 'all' } }, { on: ['CUSTOMER'] }],
  };
  const findings = { rules: [{ effect: 'deny', types: ['BADGE'] }] };
  const bundle = await compiledWith(t, { detectors, masking, findings });
  assert.deepEqual(bundle.detectors, detectors);
  assert.notEqual(bundle.revision, shipped.revision);
  const failures: string[] = [];
  const engine = await createPolicyEngine(bundle, { onFailure: ({ message }) => failures.push(message) });
  const found = { type: 'BADGE' as FindingType, place: 'messages' as const, count: 1 };
  assert.equal(engine.request(requestDocument()).verdict, 'allow');
  assert.equal(engine.request(requestDocument({ findings: [found] })).verdict, 'deny');
  assert.deepEqual(engine.record(recordDocument()).masking, {
    ...usualMasking,
    ...{ off: ['BADGE'], on: ['CUSTOMER'], plain: ['TICKET'] },
  });
  assert.deepEqual(failures, []);
});

test('a type that no detector gives is a fault in the lists, and so is a scope for one whose values can be guessed', async (t) => {
  const message = await refusal(t, {
    detectors,
    masking: { rules: [{ off: ['BADGES'], scopes: { BADGE: 'all' } }] },
    findings: { rules: [{ effect: 'deny', types: ['TIKET'] }] },
  });
  assert.deepEqual(
    message.split('\n').map((line) => line.replace(/^.*lists\//, '').split(': ')[1]),
    ['rules.0.types.0', 'rules.0.off.0', 'rules.0.scopes'],
  );
});

test('every fault of every detector is told at once, with the file, and the policy is refused', async (t) => {
  const rules = [
    ownRule({ pattern: 'x+' }),
    ownRule({ id: 'ticket', positive: ['none'] }),
    ownRule({ id: 'third', type: 'third' }),
  ];
  const message = await refusal(t, { detectors: ownList({ rules }), masking: { rules: [{ drop: ['all'] }] } });
  const faults = message.split('\n');
  assert.ok(
    faults.every((fault) => /lists\/(?:detectors|masking)\/data\.json:1: /.test(fault)),
    message,
  );
  for (const fault of [
    /rules\[0\] "ticket": the pattern repeats without bound/,
    /rules\[1\] "ticket": its own example positive\[0\] is not found/,
    /rules\[2\] "third": the type "third" is not of the form/,
    /"ticket": the id is given twice/,
  ])
    assert.equal(faults.filter((line) => fault.test(line)).length, 1, String(fault));
  assert.equal(faults.length, 5);
});

test('what has not the shape of a detector is told by its place and id', async (t) => {
  const { negative: _negative, ...noExample } = ownRule();
  const rules = [{ ...noExample, patern: 'x', validator: 'lun' }, ownRule({ score: 7, id: 'Big Id' })];
  const message = await refusal(t, { detectors: { rules, name: [] } });
  for (const fault of [
    /rules\[0\]\.validator \("ticket"\): .*"luhn"/,
    /rules\[0\]\.negative \("ticket"\): /,
    /rules\[0\] \("ticket"\): .*"patern"/,
    /rules\[1\]\.score \("Big Id"\): /,
    /rules\[1\]\.id \("Big Id"\): write lower-case letters/,
    /: .*"name"/,
  ])
    assert.match(message, fault);
});
