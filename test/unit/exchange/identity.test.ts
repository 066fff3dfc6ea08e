import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { JsonFacts } from '../../../extproc/exchange/frame.ts';
import type { Authentication, ClaimPaths, IdentityProvider } from '../../../extproc/exchange/identity.ts';
import { authenticationOf } from '../../../extproc/exchange/identity.ts';
import { alice, tokenOf } from './frames.ts';
import { provider } from './rig.ts';

const ci: IdentityProvider = {
  ...{ name: 'ci', issuer: 'https://ci.example.org', kind: 'workload' },
  claims: { subject: 'sub', name: 'repository', email: 'none', groups: 'environment' },
};
const build = { iss: ci.issuer, sub: 'repo:tape:main', repository: 'tape', environment: ['prod'] };

function read(metadata: Record<string, JsonFacts>, claims: Partial<ClaimPaths> = {}): Authentication {
  const asked = { ...provider, claims: { ...provider.claims, ...claims } };
  return authenticationOf({ metadata, query: {}, headers: [] }, [asked, ci]);
}

function jwt(facts: JsonFacts, rbac: JsonFacts = {}): Record<string, JsonFacts> {
  return { 'envoy.filters.http.jwt_authn': facts, 'envoy.filters.http.rbac': rbac };
}

function identityOf(payload: JsonFacts, claims: Partial<ClaimPaths> = {}) {
  const authentication = read(tokenOf(payload), claims);
  assert.ok(authentication.kind === 'verified', JSON.stringify(authentication));
  return authentication.identity;
}

test('a verified token of the route names its person', () => {
  const { issuer } = provider;
  const { name, email } = alice;
  assert.deepEqual(identityOf(alice), { issuer, subject: 'alice', kind: 'person', name, email, groups: ['research'] });
});

test('each provider of the route has its own claims, and says whom its tokens stand for', () => {
  const identity = {
    issuer: ci.issuer,
    subject: build.sub,
    kind: 'workload',
    name: 'tape',
    email: '',
    groups: ['prod'],
  };
  assert.deepEqual(read(jwt({ payload_ci: build })), { kind: 'verified', identity });
});

test('a credential that no provider knows is a failed one, not a missing one', () => {
  for (const name of ['authorization', 'x-api-key']) {
    const read = (value: string) => authenticationOf({ metadata: {}, query: {}, headers: [[name, value]] }, [provider]);
    const [some, empty] = [read('Bearer x'), read('')];
    assert.deepEqual(
      [some.kind === 'failed' && some.failure, empty.kind === 'failed' && empty.failure],
      ['failed', 'missing'],
    );
  }
});

const failures: [name: string, metadata: Record<string, JsonFacts>, failure: string][] = [
  ['no metadata', {}, 'missing'],
  ['metadata of other filters', { 'envoy.filters.http.lua': { payload_idp: alice } }, 'missing'],
  ['no payload and no failure', jwt({}), 'missing'],
  ['no token', jwt({ failed_idp: { code: 1, message: 'Jwt is missing' } }), 'missing'],
  ['a bad token', jwt({ failed_idp: { code: 4, message: 'Jwt is expired' } }), 'failed'],
  ['a good token beside a bad one', jwt({ payload_idp: alice, failed_idp: { message: 'Jwt is expired' } }), 'failed'],
  [
    'a good token beside a missing one',
    jwt({ payload_idp: alice, failed_idp: { message: 'Jwt is missing' } }),
    'missing',
  ],
  [
    'a good token beside a failure of another form',
    jwt({ payload_idp: alice, failed_idp: 'Jwt is expired' }),
    'failed',
  ],
  ['a good token beside an empty failure', jwt({ payload_idp: alice, failed_idp: {} }), 'failed'],
  ['a token of another provider', jwt({ payload_other: alice }), 'wrong_issuer'],
  ['a good token beside the failure of another provider', jwt({ payload_idp: alice, failed_other: {} }), 'failed'],
  ['tokens of two providers', jwt({ payload_idp: alice, payload_other: alice }), 'two_credentials'],
  ['tokens of two providers of the route', jwt({ payload_idp: alice, payload_ci: build }), 'two_credentials'],
  ["one provider's token under the name of another", jwt({ payload_ci: alice }), 'wrong_issuer'],
  ['a payload that is a list', jwt({ payload_idp: [alice] }), 'missing'],
  ['a payload that is a text', jwt({ payload_idp: 'alice' }), 'missing'],
  ['a token of another issuer', tokenOf({ ...alice, iss: 'https://evil.example' }), 'wrong_issuer'],
  ['a token without an issuer', tokenOf({ sub: 'alice' }), 'wrong_issuer'],
  ['a list of issuers', tokenOf({ ...alice, iss: [provider.issuer] }), 'wrong_issuer'],
  ['a token without a subject', tokenOf({ iss: provider.issuer }), 'failed'],
  ['an empty subject', tokenOf({ ...alice, sub: '' }), 'failed'],
  ['a subject that is a number', tokenOf({ ...alice, sub: 7 }), 'failed'],
  [
    'two credentials',
    jwt({ payload_idp: alice }, { shadow_effective_policy_id: 'two_credentials' }),
    'two_credentials',
  ],
  [
    'two credentials in one header',
    jwt({ payload_idp: alice }, { shadow_effective_policy_id: 'two_credentials_in_one_header' }),
    'two_credentials',
  ],
  ['two credentials without a good one', jwt({}, { shadow_effective_policy_id: 'two_credentials' }), 'two_credentials'],
];

for (const [name, metadata, failure] of failures) {
  test(`${name} is no identity: ${failure}`, () => {
    const authentication = read(metadata);
    assert.ok(authentication.kind === 'failed', JSON.stringify(authentication));
    assert.equal(authentication.failure, failure);
  });
}

test('a token in the query of the URL is not taken, also beside a good one', () => {
  const authentication = authenticationOf(
    { metadata: tokenOf(alice), query: { access_token: '[not recorded]' }, headers: [] },
    [provider],
  );
  assert.equal(authentication.kind, 'failed');
});

test('groups are found in nested claims and in claims whose name is a URL', () => {
  const nested = { ...alice, realm_access: { roles: ['a', 'b'] } };
  assert.deepEqual(identityOf(nested, { groups: 'realm_access.roles' }).groups, ['a', 'b']);
  const named = { ...alice, 'https://idp.example.org/groups': ['c'] };
  assert.deepEqual(identityOf(named, { groups: 'https://idp.example.org/groups' }).groups, ['c']);
  const both = { ...alice, 'x.y': ['whole'], x: { y: ['path'] } };
  assert.deepEqual(identityOf(both, { groups: 'x.y' }).groups, ['whole'], 'the claim of that very name wins');
});

test('one group may be a text, as some providers write it', () => {
  assert.deepEqual(identityOf({ ...alice, groups: 'suspended' }).groups, ['suspended']);
  assert.deepEqual(identityOf({ ...alice, groups: 'a b, c' }).groups, ['a b, c'], 'it is not taken apart');
  for (const none of ['', [''], [], null, undefined])
    assert.deepEqual(identityOf({ ...alice, groups: none } as never).groups, []);
  assert.deepEqual(identityOf({ ...alice, name: { toString: 'x' }, email: 1 }).name, '');
});

test('groups that cannot be read are no reason to pass for somebody without groups', () => {
  const unread = [
    7,
    true,
    {},
    { 0: 'admins', length: 1 },
    ['a', 1],
    ['a', null],
    [['suspended']],
    [{ name: 'suspended' }],
  ];
  const elsewhere = { _claim_names: { groups: 'src1' }, _claim_sources: { src1: { endpoint: 'https://idp.example' } } };
  for (const claims of [...unread.map((groups) => ({ groups })), { ...elsewhere, groups: undefined }]) {
    const authentication = read(tokenOf({ ...alice, ...claims } as never));
    assert.ok(authentication.kind === 'failed', JSON.stringify(claims));
    assert.equal(authentication.detail, 'The groups of the token (groups) cannot be read from it');
  }
  assert.deepEqual(identityOf({ ...alice, ...elsewhere, groups: ['a'] }).groups, ['a'], 'they are in the token');
  const nested = tokenOf({ ...alice, _claim_names: { realm_access: 'src1' } });
  assert.equal(read(nested, { groups: 'realm_access.roles' }).kind, 'failed');
  assert.deepEqual(identityOf({ ...alice, _claim_names: { photo: 'src1' }, groups: [] }).groups, []);
});

test('claims named like parts of every object are read as claims, never inherited', () => {
  for (const path of ['__proto__', 'constructor', 'constructor.name', 'toString', '__proto__.sub', 'groups.length']) {
    assert.equal(read(tokenOf(alice), { subject: path }).kind, 'failed', path);
    assert.deepEqual(identityOf(alice, { groups: path }).groups, []);
  }
  const hostile = JSON.parse(
    `{"iss":"${provider.issuer}","sub":"mallory","__proto__":{"sub":"alice","groups":["admins"]}}`,
  );
  assert.deepEqual(identityOf(hostile).groups, []);
  assert.equal(identityOf(hostile).subject, 'mallory');
  assert.deepEqual(
    identityOf(hostile, { groups: '__proto__.groups' }).groups,
    ['admins'],
    'when that is what is asked for',
  );
});

test('no identity without the payload of the provider and its issuer, whatever the metadata holds', () => {
  const facts = fc.dictionary(
    fc.constantFrom('payload_idp', 'failed_idp', 'payload_other', 'failed_other', '__proto__'),
    fc.jsonValue(),
  );
  fc.assert(
    fc.property(facts, fc.object(), (jwtFacts, rbac) => {
      const authentication = read(jwt(jwtFacts, rbac as JsonFacts));
      if (authentication.kind === 'failed') return;
      const payload = jwtFacts.payload_idp as JsonFacts;
      assert.equal(payload.iss, provider.issuer);
      assert.deepEqual(
        Object.keys(jwtFacts).filter((key) => key.startsWith('failed_')),
        [],
      );
    }),
  );
});
