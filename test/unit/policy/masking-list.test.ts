import assert from 'node:assert/strict';
import { test } from 'node:test';
import { policyTypes } from '../../../extproc/policy/input-bounds.ts';
import { layoutFaults } from '../../../extproc/policy/layout.ts';
import { listSchemaFaults } from '../../../extproc/policy/list-faults.ts';
import { maskedFields, secretsConsequence, tokenScopes } from '../../../extproc/policy/masking-decision.ts';
import { builtInTypeNames } from '../../../extproc/policy/type-name.ts';
import { evaluate } from '../../policy/opa.ts';

const maskingListFaults = (document: unknown) => listSchemaFaults(new Map([['lists/masking', document]]));

test('a list with every key has no fault', () => {
  const texts = ['a'];
  const rule = {
    when: { connections: texts, groups: texts, skills: texts, endpoints: texts, classes: texts },
    ...{ off: ['IP', 'SECRET'], on: ['URL'], plain: ['EMAIL'], scopes: { IBAN: 'identity' } },
    ...{ whole: ['system'], masked: ['tools'], drop: ['answer'] },
    consequence: 'secrets stay readable in the index',
  };
  assert.deepEqual(maskingListFaults({ rules: [rule, {}] }), []);
  assert.deepEqual(maskingListFaults({ rules: [] }), []);
  assert.deepEqual(listSchemaFaults(new Map()), []);
});

test('all faults of a list are told together, each by its place', () => {
  const rules = [
    { scopes: { SSN: 'all' } },
    { scopes: { EMAIL: 'everywhere' }, dropp: ['tools'] },
    { off: ['SECRET'] },
    { off: ['PEM'], consequence: 'I know' },
    { when: { connection: ['claude'] }, drop: ['prompt'] },
    { when: { groups: 'staff' }, on: 'URL' },
  ];
  const places = maskingListFaults({ rules, rule: [] }).map(({ reason }) => reason.split(':')[0]);
  assert.deepEqual(places.sort(), [
    '',
    'rules.0.scopes',
    'rules.1',
    'rules.1.scopes.EMAIL',
    'rules.2.off',
    'rules.3.consequence',
    'rules.3.off',
    'rules.4.drop.0',
    'rules.4.when',
    'rules.5.on',
    'rules.5.when.groups',
  ]);
  const [lowEntropy] = maskingListFaults({ rules: [{ scopes: { SSN: 'all' } }] });
  assert.match(lowEntropy?.reason ?? '', /"SSN" \(one of EMAIL, .*: types with few values are never linked\)$/);
  const [unsaid] = maskingListFaults({ rules: [{ off: ['SECRET'] }] });
  assert.match(unsaid?.reason ?? '', /say what comes of it: "consequence": "secrets stay readable in the index"/);
});

test('a policy directory with such a list does not load', () => {
  const compiled = new Map([['lists/masking/data.json', Buffer.from('{"rules": [{"drop": ["all"]}]}')]]);
  const [fault, ...more] = layoutFaults(compiled);
  assert.deepEqual(more, []);
  assert.equal(fault?.path, 'lists/masking/data.json');
  assert.match(fault?.reason ?? '', /^rules\.0\.drop\.0: /);
});

test('the shipped policy knows the types, fields and scopes that the masker knows', async () => {
  const names = ['types', 'low_entropy', 'fields', 'scopes', 'consequence'];
  const query = `[${names.map((name) => `data.skilltape.lib.masking.${name}`).join(', ')}]`;
  const [types, lowEntropy, fields, scopes, consequence] = (await evaluate(query, {})) as string[][];
  assert.deepEqual(types?.sort(), policyTypes.toSorted());
  assert.deepEqual(lowEntropy?.sort(), policyTypes.filter((type) => !builtInTypeNames.hashed.includes(type)).sort());
  assert.deepEqual(fields?.sort(), maskedFields.toSorted());
  assert.deepEqual([scopes, consequence], [[...tokenScopes], secretsConsequence]);
});
