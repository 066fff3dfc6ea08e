import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Attempts } from '../../../extproc/console/attempts.ts';
import { PendingLogins, pendingLoginMaxMs } from '../../../extproc/console/pending-login.ts';
import { hasToken, isSentByUs } from '../../../extproc/console/same-origin.ts';
import { Sessions } from '../../../extproc/console/sessions.ts';
import { identityOf } from '../../builders/console.ts';

function rig(limits = { sessionMaxMs: 1_000, sessionsMax: 3 }) {
  const clock = { nowMs: 0 };
  const sessions = new Sessions(limits, () => clock.nowMs);
  const begin = (subject: string) =>
    sessions.begin({ identity: identityOf(subject), authenticatedMs: null, idToken: '' });
  return { clock, sessions, begin };
}

test('a session ends after its time, when it is ended, and for nobody else', () => {
  const { clock, sessions, begin } = rig();
  const grace = begin('grace');
  const sam = begin('sam');
  assert.notEqual(grace.session.csrfToken, sam.session.csrfToken);
  assert.equal(sessions.find(grace.id), grace.session);
  sessions.end(sam.id);
  assert.equal(sessions.find(sam.id), null);
  assert.equal(sessions.find(grace.id), grace.session);
  clock.nowMs = 1_000;
  assert.equal(sessions.find(grace.id), null);
  for (const id of [undefined, '', 'x'.repeat(10_000)]) assert.equal(sessions.find(id), null);
});

test('there are never more sessions than the limit, nor more than ten of one person: the oldest end, and hear of it', () => {
  const { sessions, begin } = rig();
  const first = begin('grace');
  let ended = 0;
  sessions.onEnd(first.session, () => {
    ended += 1;
  });
  for (const subject of ['sam', 'bob', 'eve']) begin(subject);
  assert.equal(sessions.count, 3);
  assert.equal(sessions.find(first.id), null);
  assert.equal(ended, 1);
  const many = rig({ sessionMaxMs: 1_000, sessionsMax: 100 });
  const other = many.begin('sam');
  for (let login = 0; login < 20; login += 1) many.begin('grace');
  assert.equal(many.sessions.count, 11);
  assert.equal(many.sessions.find(other.id), other.session);
});

test('a pending login is opened once by whoever sealed it, unchanged and in time', () => {
  let nowMs = 0;
  const logins = new PendingLogins(() => nowMs);
  const login = { state: 's', nonce: 'n', codeVerifier: 'v', returnTo: '/approvals' };
  const sealed = logins.seal(login);
  const late = logins.seal(login);
  assert.doesNotMatch(Buffer.from(sealed, 'base64url').toString('latin1'), /approvals/);
  assert.equal(new PendingLogins(() => nowMs).open(sealed), null);
  const bytes = Buffer.from(sealed, 'base64url');
  for (const at of bytes.keys()) {
    const changed = Buffer.from(bytes);
    changed[at] = (changed[at] ?? 0) ^ 1;
    assert.equal(logins.open(changed.toString('base64url')), null, `byte ${at}`);
  }
  for (const other of [undefined, '', 'x', sealed.slice(0, 20)]) assert.equal(logins.open(other), null);
  const { id, ...opened } = logins.open(sealed) ?? assert.fail();
  assert.deepEqual(opened, { ...login, endsMs: pendingLoginMaxMs });
  assert.match(id, /^[\w-]{43}$/);
  assert.equal(logins.open(sealed), null, 'once');
  nowMs = pendingLoginMaxMs;
  assert.equal(logins.open(late), null);
});

test('a POST counts as ours by its origin, and by what the browser says where there is none', () => {
  const own = 'https://console.example';
  const cases: [string | undefined, string | undefined, boolean][] = [
    [own, 'same-origin', true],
    [own, undefined, true],
    [undefined, 'same-origin', true],
    [undefined, undefined, false],
    [undefined, 'none', false],
    ['null', 'same-origin', false],
    ['null', undefined, false],
    [own, 'same-site', false],
    [own, 'cross-site', false],
    [`${own}.evil.example`, undefined, false],
    ['http://console.example', undefined, false],
    [`${own}:444`, undefined, false],
  ];
  for (const [sent, site, expected] of cases) {
    assert.equal(isSentByUs({ origin: sent, site }, own), expected, `${sent} ${site}`);
  }
});

test('the token of a session is this one, and no empty or missing one', () => {
  assert.ok(hasToken('abc', 'abc'));
  for (const given of ['abd', '', undefined, null, ['abc'], 'abcabc']) assert.ok(!hasToken(given, 'abc'));
  assert.ok(!hasToken('', ''));
});

test('one address has so many tries a minute, and addresses beyond those that are counted share', () => {
  let nowMs = 0;
  const attempts = new Attempts({ maxPerMinute: 2, keysMax: 2 }, () => nowMs);
  const taken = (address: string) => [1, 2, 3].map(() => attempts.take(address));
  assert.deepEqual(taken('a'), [true, true, false]);
  assert.deepEqual(taken('b'), [true, true, false]);
  assert.deepEqual(taken('c'), [true, true, false]);
  assert.equal(attempts.take('d'), false, 'counted with the others');
  nowMs = 60_000;
  assert.ok(attempts.take('a'));
});
