import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findingPlaces } from '../../../extproc/masking/finding.ts';
import { listSchemaFaults } from '../../../extproc/policy/list-faults.ts';
import { evaluate } from '../../policy/opa.ts';

const faultsOf = (document: unknown) => listSchemaFaults(new Map([['lists/findings', document]]));

test('a list with every key has no fault', () => {
  const when = { connections: ['a'], groups: ['b'], skills: ['c'], endpoints: ['d'] };
  const rule = { when, effect: 'hold', types: ['SECRET'], places: ['file'], min_count: 2, incomplete: 'allow' };
  assert.deepEqual(faultsOf({ rules: [rule, { effect: 'deny', types: ['PEM'] }] }), []);
  assert.deepEqual(faultsOf({ rules: [] }), []);
});

test('all faults of a list are told together, each by its place', () => {
  const rules = [
    { effect: 'refuse', types: ['SECRETS'], places: ['prompt', 'answer'] },
    { effect: 'deny', types: [], min_count: 0.5, incomplete: 'deny' },
    { types: ['PEM'], when: { classes: ['x'] }, plces: [] },
  ];
  const faults = faultsOf({ rules });
  assert.ok(faults.every(({ path }) => path === 'lists/findings/data.json'));
  assert.deepEqual(faults.map(({ reason }) => reason.split(':')[0]).sort(), [
    'rules.0.effect',
    'rules.0.places.0',
    'rules.0.places.1',
    'rules.0.types.0',
    'rules.1.incomplete',
    'rules.1.min_count',
    'rules.1.types',
    'rules.2',
    'rules.2.effect',
    'rules.2.when',
  ]);
});

test('the shipped policy knows the places in which a request is searched', async () => {
  const places = (await evaluate('data.skilltape.lib.found.places', {})) as string[];
  const ofAnswers = ['answer', 'error'];
  assert.deepEqual(places.sort(), findingPlaces.filter((place) => !ofAnswers.includes(place)).toSorted());
});
