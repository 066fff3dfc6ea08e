import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSessionLinks } from '../../../extproc/exchange/session-links.ts';

test('a key leads to the session remembered last, and an unknown one nowhere', () => {
  const links = createSessionLinks(10);
  assert.equal(links.sessionOf('key-1'), null);
  links.remember('key-1', 'session-a');
  links.remember('key-1', 'session-b');
  assert.equal(links.sessionOf('key-1'), 'session-b');
  for (const key of ['__proto__', 'constructor', '']) assert.equal(links.sessionOf(key), null);
});

test('beyond the limit the link that was unused for longest is forgotten', () => {
  const links = createSessionLinks(3);
  for (const id of ['1', '2', '3']) links.remember(`key-${id}`, id);
  assert.equal(links.sessionOf('key-1'), '1');
  links.remember('key-2', '2');
  links.remember('key-4', '4');
  assert.equal(links.sessionOf('key-3'), null);
  for (const id of ['1', '2', '4']) assert.equal(links.sessionOf(`key-${id}`), id);
});

test('what is no longer remembered is asked for where it is stored, once', () => {
  const asked: string[] = [];
  const links = createSessionLinks(2, (key) => {
    asked.push(key);
    return key === 'old' ? 'session-of-before' : null;
  });
  assert.deepEqual([links.sessionOf('old'), links.sessionOf('old')], ['session-of-before', 'session-of-before']);
  assert.equal(links.sessionOf('never'), null);
  links.remember('new', 'session-a');
  assert.equal(links.sessionOf('new'), 'session-a');
  assert.deepEqual(asked, ['old', 'never']);
});
