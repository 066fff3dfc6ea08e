import assert from 'node:assert/strict';
import { test } from 'node:test';
import { consoleRig, logInTo } from '../../builders/console.ts';
import { asking } from '../../builders/grant.ts';

const denied = { rule: 'console/operator_listed', message: 'You are not among the operators who may do this.' };
const mayNotStop = ({ action }: { action: string }) =>
  action === 'stop' ? { verdict: 'deny' as const, reasons: [denied] } : {};
const reason = 'it reads what it must not read';
const session = { kind: 'session', id: 's-0123abcd', reason };

test('a session is stopped by the second page alone, with who, when and why, and is lifted again', async (context) => {
  const rig = await consoleRig(context);
  const { get, post } = await logInTo(rig);
  const asked = await post('/incident/stop', session);
  assert.equal(asked.statusCode, 200);
  assert.match(asked.body, /<h1>Stop this session\?<\/h1>/);
  assert.match(asked.body, /name="confirmed" value="yes"/);
  assert.deepEqual([rig.stops.stopped(), rig.stops.lastNumber], [[], 0], 'nothing is stopped yet');
  const done = await post('/incident/stop', { ...session, confirmed: 'yes' });
  assert.deepEqual([done.statusCode, done.headers.location], [303, '/incident']);
  const [stopped] = rig.stops.stopped();
  assert.deepEqual(
    [stopped?.session, stopped?.reason, stopped?.by],
    [
      session.id,
      reason,
      {
        ...{ issuer: 'https://idp.example.com', subject: 'grace', name: 'grace@example.com' },
        ...{ address: '127.0.0.1', authenticatedMs: 5_000 },
      },
    ],
  );
  assert.ok(
    rig.looks.some(({ what, subject, why }) => what === 'stop' && subject === 'stop session s-0123abcd' && why),
  );
  const page = (await get('/incident')).body;
  assert.match(page, /Recorded\. The session s-0123abcd is stopped\./);
  assert.match(page, /Stopped sessions \(1\)/);
  assert.match(page, /by <bdi>grace@example\.com \(grace of https:\/\/idp\.example\.com\)<\/bdi>/);
  const lift = await get('/incident/lift/s-0123abcd');
  assert.match(lift.body, /action="\/incident\/lift\/s-0123abcd"/);
  assert.equal(rig.stops.stopped().length, 1, 'opening a page lifts nothing');
  assert.equal((await post('/incident/lift/s-0123abcd', { reason: 'it was another one' })).statusCode, 303);
  assert.deepEqual(rig.stops.stopped(), []);
  assert.equal((await post('/incident/lift/s-0123abcd', { reason: 'once more' })).statusCode, 409);
});

test('an exchange is stopped, and the page says what that ended', async (context) => {
  const rig = await consoleRig(context);
  const { get, post } = await logInTo(rig);
  const id = '019abcde-0000-7000-8000-000000000001';
  const form = { kind: 'exchange', id, reason, confirmed: 'yes' };
  assert.equal((await post('/incident/stop', form)).statusCode, 303);
  const before = (await get('/incident')).body;
  assert.match(before, /Nothing of it ran\./);
  assert.match(before, /No session is stopped\./);
  rig.stops.ended(rig.stops.lastNumber, [id], Date.now());
  assert.match((await get('/incident')).body, new RegExp(`Ended 1 exchange: ${id}`));
});

test('whoever may not stop sees nothing of it, stops nothing, and the attempt is recorded', async (context) => {
  const rig = await consoleRig(context, { policy: mayNotStop });
  rig.stops.stop({ kind: 'session', id: 's-secret' }, { osUser: 'ada', uid: 1 }, 'a secret reason', Date.now());
  const { get, post } = await logInTo(rig);
  const page = await get('/incident');
  assert.equal(page.statusCode, 200);
  assert.doesNotMatch(page.body, /s-secret|a secret reason|name="id"/);
  assert.match(page.body, /You cannot stop anything.*You are not among the operators/s);
  rig.stops.stop({ kind: 'session', id: 's-other' }, { osUser: 'ada', uid: 1 }, 'another one', Date.now());
  const seenOf = (body: string) => /data-events="([^"]+)"/.exec(body)?.[1];
  assert.equal(seenOf((await get('/incident')).body), seenOf(page.body), 'nor does it hear that something was stopped');
  rig.stops.lift('s-other', { osUser: 'ada', uid: 1 }, 'over', Date.now());
  for (const [path, form] of [
    ['/incident/stop', { ...session, confirmed: 'yes' }],
    ['/incident/lift/s-secret', { reason }],
    ['/incident/lift/s-none', { reason }],
  ] as const) {
    const answer = await post(path, form);
    assert.equal(answer.statusCode, 403, path);
    assert.doesNotMatch(answer.body, /a secret reason/);
  }
  assert.deepEqual(
    rig.stops.stopped().map((one) => one.session),
    ['s-secret'],
  );
  const refused = rig.looks.filter(({ subject }) => subject.startsWith('refused: ')).map(({ subject }) => subject);
  assert.deepEqual(refused, [
    'refused: stop session s-0123abcd (console/operator_listed)',
    'refused: lift session s-secret (console/operator_listed)',
    'refused: lift session s-none (console/operator_listed)',
  ]);
});

test('a stop from elsewhere, without a reason, or of what is no id stops nothing', async (context) => {
  const rig = await consoleRig(context);
  const { post } = await logInTo(rig);
  const whole = { ...session, confirmed: 'yes' };
  for (const [changes, status] of [
    [{ csrf: 'x' }, 403],
    [{ reason: '' }, 422],
    [{ reason: '\u200b\u200b' }, 422],
    [{ reason: 'x'.repeat(501) }, 422],
    [{ id: '' }, 422],
    [{ id: 's-1"><script>' }, 422],
    [{ id: 's'.repeat(129) }, 422],
    [{ kind: 'everything' }, 422],
    [{ confirmed: 'no' }, 422],
  ] as const) {
    const { statusCode, body } = await post('/incident/stop', { ...whole, ...changes });
    assert.equal(statusCode, status, JSON.stringify(changes));
    assert.doesNotMatch(body, /"><script>/);
  }
  const away = await rig.app.inject({ method: 'POST', url: '/incident/stop', payload: whole });
  assert.equal(away.statusCode, 401);
  assert.equal(rig.stops.lastNumber, 0);
});

test('break-glass is shown to whoever could take it back, and to nobody else', async (context) => {
  for (const isListed of [true, false]) {
    const deny = { verdict: 'deny' as const, reasons: [denied] };
    const rig = await consoleRig(context, {
      policy: ({ action }) => (action !== 'break_glass' || isListed ? {} : deny),
    });
    rig.grants.ask(asking({ wanted: { kind: 'break_glass', holder: null, connection: null } }), Date.now());
    rig.grants.ask(asking(), Date.now());
    const { get } = await logInTo(rig);
    const { body } = await get('/incident');
    assert.match(body, isListed ? /Break-glass \(1\)/ : /Break-glass \(0\)/);
    assert.equal(/Break-glass for everybody with a valid token on every connection/.test(body), isListed);
  }
});
