import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stopDetail } from '../../../extproc/exchange/stopping.ts';
import { keyedHashWith } from '../../../extproc/keyed-hash.ts';
import { unjudgedPrivacy, usualPrivacy } from '../../../extproc/policy/privacy-decision.ts';
import { stopperName } from '../../../extproc/stops/stops.ts';
import { liftedOf } from '../../../extproc/transcript/lifted.ts';
import { pseudonymOf, withShownCaller, withShownPerson } from '../../../extproc/transcript/shown-person.ts';
import type { Transcript } from '../../../extproc/transcript/transcript.ts';
import { documentOf } from '../../builders/document.ts';

const keyedHash = keyedHashWith(new Uint8Array(32).fill(3));
const document = {
  ...documentOf(),
  user: { id: 'u-1', name: 'Ada', email: 'ada@example.org', roles: ['staff'], domain: 'https://idp.example' },
  source: { ip: '192.0.2.7' },
};

test('a pseudonym stands in place of name, mail address and subject, one for each person of an issuer', () => {
  const { user, source } = withShownPerson(document, { ...usualPrivacy, person: 'pseudonym' }, keyedHash);
  const pseudonym = pseudonymOf(keyedHash, { issuer: 'https://idp.example', subject: 'u-1' });
  assert.match(pseudonym, /^p-[0-9a-f]{20}$/);
  assert.deepEqual(user, { id: pseudonym, name: '', email: '', roles: ['staff'], domain: 'https://idp.example' });
  assert.deepEqual(source, { ip: '192.0.2.7' });
  assert.notEqual(pseudonymOf(keyedHash, { issuer: 'https://other.example', subject: 'u-1' }), pseudonym);
  assert.notEqual(pseudonymOf(keyedHash, { issuer: 'https://idp.example', subject: 'u-2' }), pseudonym);
});

test('address and groups are left out where policy wants it, and nothing else changes', () => {
  const shown = withShownPerson(document, { person: 'named', address: 'dropped', groups: 'dropped' }, keyedHash);
  assert.deepEqual([shown.user?.roles, shown.user?.name, shown.source.ip], [[], 'Ada', '0.0.0.0']);
  assert.deepEqual(withShownPerson(document, usualPrivacy, keyedHash), document);
  assert.equal(
    withShownPerson({ ...document, user: null }, { ...usualPrivacy, person: 'pseudonym' }, keyedHash).user,
    null,
  );
});

test('where a person has a pseudonym nobody who decided about the exchange has a name', () => {
  const reasons = [
    { rule: 'request/oversize', message: 'Approved by nobody (ticket x).' },
    { rule: 'skilltape/approved', message: 'Approved by Bob (Ops) Baker, Eve (ticket t-1) Adams (ticket t-2).' },
  ];
  const browser = { name: 'Bob', address: '192.0.2.8', authenticatedMs: null };
  const decided = (detail: string) => {
    const { skilltape } = documentOf();
    const verdict = { ...skilltape.verdict, reasons, lifted: 'access' as const, lifted_by: ['Bob Baker'] };
    const stopped = { ...skilltape, outcome: 'stopped' as const, outcome_detail: detail, verdict };
    return { ...document, skilltape: stopped };
  };
  for (const by of [
    { osUser: 'bob', uid: 1000 },
    { subject: 'bob: b of c', issuer: 'https://idp.example:8443/x', ...browser },
  ]) {
    const stopped = decided(stopDetail({ by: stopperName(by), reason: 'it talks of x: and y' }));
    const { verdict, outcome_detail: detail } = withShownPerson(
      stopped,
      { ...usualPrivacy, person: 'pseudonym' },
      keyedHash,
    ).skilltape;
    assert.equal(detail, 'stopped by an operator: it talks of x: and y');
    assert.deepEqual(verdict.lifted_by, []);
    assert.deepEqual(
      verdict.reasons.map(({ message }) => message),
      ['Approved by nobody (ticket x).', 'Approved by people (ticket t-2).'],
    );
    assert.deepEqual(
      withShownPerson(stopped, { ...usualPrivacy, address: 'dropped' }, keyedHash).skilltape,
      stopped.skilltape,
    );
  }
});

test('the metadata alone have no names of those who gave access either', () => {
  const grant = {
    id: 'g-1',
    kind: 'access' as const,
    skill: null,
    model: null,
    untilMs: 1,
    by: ['Bob Baker'],
    reason: 'r',
  };
  const decided = { lifted: { grants: [grant], reasons: [] } } as unknown as Transcript['decided'];
  const transcript = { started: { identity: null, sourceAddress: '192.0.2.7' }, decided } as Transcript;
  const by = (person: 'named' | 'pseudonym') =>
    liftedOf(withShownCaller(transcript, { ...usualPrivacy, person }, keyedHash).decided).lifted_by;
  assert.deepEqual([by('named'), by('pseudonym')], [['Bob Baker'], []]);
});

test('what no rule could judge is shown as little as any entry of the list asks for', () => {
  const rules = [{ person: 'pseudonym' }, { when: { groups: ['x'] }, address: 'dropped', person: 'named' }];
  assert.deepEqual(unjudgedPrivacy({ lists: { privacy: { rules } } }), {
    ...{ person: 'pseudonym', address: 'dropped', groups: 'kept' },
  });
  for (const data of [{}, { lists: {} }, { lists: { privacy: { rules: [] } } }])
    assert.deepEqual(unjudgedPrivacy(data), usualPrivacy);
});
