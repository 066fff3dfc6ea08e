import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tokenGroupFaults } from '../../../extproc/policy/token-groups.ts';

const [home, other] = ['https://idp.example.com', 'https://partner.example.net'];

const dataOf = (...operators: object[]) => ({ lists: { console: { operators } } });

test('groups of tokens are of the one provider of people without a word', () => {
  const data = dataOf({ actions: ['decide'], token_groups: ['security'] }, { actions: ['stop'], users: ['ada'] });
  assert.deepEqual(tokenGroupFaults(data, [home], [home]), []);
});

test('where people of two providers can come, groups of tokens without an issuer are a fault that names the entry and the choice', () => {
  const data = dataOf(
    { actions: ['decide'], token_groups: ['security'], issuer: home },
    { actions: ['stop'], users: ['ada'] },
    { actions: ['decide'], token_groups: ['security'] },
  );
  assert.deepEqual(tokenGroupFaults(data, [home, other], [home, other]), [
    `lists/console/data.json: operators[2] does not say who gives its token_groups: add issuer, one of ${home}, ${other}`,
  ]);
});

test('an issuer of nobody who can come, and one for no groups, are faults', () => {
  const data = dataOf(
    { actions: ['decide'], token_groups: ['security'], issuer: other },
    { actions: ['decide'], users: ['ada'], issuer: home },
  );
  assert.deepEqual(tokenGroupFaults(data, [home], [home]), [
    `lists/console/data.json: operators[0] has an issuer by whose tokens nobody can come here: make it one of ${home}`,
    'lists/console/data.json: operators[1] has an issuer and no token_groups, for which it would be',
  ]);
});

test('what can be asked for says whose groups it is offered to, where people of two providers can come', () => {
  const rules = [{ groups: ['staff'], issuer: other }, { connections: ['claude'] }, { groups: ['staff'] }];
  const data = { lists: { ...dataOf().lists, access_requests: { rules } } };
  assert.deepEqual(tokenGroupFaults(data, [home, other], [home, other]), [
    `lists/access_requests/data.json: rules[2] does not say who gives its groups: add issuer, one of ${home}, ${other}`,
  ]);
  assert.deepEqual(tokenGroupFaults(data, [home], [home, other]), []);
  assert.deepEqual(tokenGroupFaults(data, [home], [home]), [
    `lists/access_requests/data.json: rules[0] has an issuer of which no provider is configured: make it one of ${home}`,
  ]);
});
