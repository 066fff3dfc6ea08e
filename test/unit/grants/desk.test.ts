import assert from 'node:assert/strict';
import { test } from 'node:test';
import { askForAccess } from '../../../extproc/grants/desk.ts';

const minute = 60_000;
const fails = () => assert.fail('nobody is asked, and nothing is written down');

const parts = {
  grants: { ask: fails, decide: fails, read: fails },
  policy: { console: fails },
  limits: { accessMaxMs: 60 * minute, breakGlassMaxMs: 60 * minute },
  connections: ['claude'],
};

const asker = { issuer: 'https://idp.example.org', subject: 'u-ada', name: 'Ada', email: '', groups: ['staff'] };
const doer = {
  operator: { kind: 'os' as const, name: 'ada', uid: 1000, groups: [], issuer: '', subject: '' },
  person: null,
};

function askedFor(thing: { connection: string | null; skill: string | null; model: string | null }, forMs = minute) {
  const answer = askForAccess(parts, { asker, doer, thing, forMs, reason: 'the quarter ends' }, 0);
  assert.ok(answer.kind === 'not_allowed');
  return answer.reasons.join(' ');
}

test('a skill and a model are not asked for together: policy looks at one, and the grant would lift both', () => {
  assert.match(askedFor({ connection: 'claude', skill: 'pdf', model: 'claude-opus-5-5' }), /ask for each by itself/);
});

test('what cannot be is said before policy is asked', () => {
  assert.match(askedFor({ connection: 'nowhere', skill: null, model: null }), /There is no connection nowhere/);
  assert.match(askedFor({ connection: 'claude', skill: null, model: null }, 61 * minute), /longest time is 60 minutes/);
  assert.match(askedFor({ connection: 'claude', skill: null, model: null }, 1), /shortest time is one minute/);
});
