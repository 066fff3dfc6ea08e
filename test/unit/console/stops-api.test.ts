import assert from 'node:assert/strict';
import { test } from 'node:test';
import { problemDocument } from '../../../extproc/console/api/problem.ts';
import { stopDocument, stopListDocument } from '../../../extproc/console/api/stop-document.ts';
import { SkilltapeError } from '../../../extproc/errors.ts';
import { consoleRig, logInTo, origin } from '../../builders/console.ts';

type Rig = Awaited<ReturnType<typeof consoleRig>>;

const denied = { rule: 'console/operator_listed', message: 'You are not among the operators who may do this.' };
const reason = 'it reads what it must not read, says ada@example.com';
const session = { kind: 'session', id: 's-0123abcd', reason };
const grace = { name: 'grace@example.com', issuer: 'https://idp.example.com', subject: 'grace' };

async function call({ app }: Rig, who: string | null, method: 'GET' | 'POST', path: string, payload?: object) {
  const headers = who === null ? {} : { authorization: `Bearer ${who}` };
  const response = await app.inject({ method, url: `/api/v1${path}`, headers, ...(payload && { payload }) });
  return { status: response.statusCode, type: String(response.headers['content-type']), json: response.json() };
}

function isProblem(answer: Awaited<ReturnType<typeof call>>, status: number, type: string) {
  assert.equal(answer.status, status, JSON.stringify(answer.json));
  assert.match(answer.type, /^application\/problem\+json/);
  const read = problemDocument.parse(answer.json);
  assert.deepEqual([read.status, read.type], [status, `urn:skilltape:problem:${type}`]);
  return read;
}

const lift = (rig: Rig, id: string, who = 'grace') =>
  call(rig, who, 'POST', `/stopped-sessions/${id}/lifts`, { reason: 'talked to its owner' });

test('a session is stopped, listed with what that ended, and lifted; who, when and why are kept', async (context) => {
  const rig = await consoleRig(context, { now: () => 1_000 });
  const { at, by, ...made } = stopDocument.parse((await call(rig, 'grace', 'POST', '/stops', session)).json);
  assert.deepEqual([at, by], ['1970-01-01T00:00:01.000Z', grace]);
  assert.deepEqual(made, { ...session, reason: reason.replace('ada@example.com', '[EMAIL]') });
  const [stopped] = rig.stops.stopped();
  assert.deepEqual(stopped?.by, { ...grace, address: '127.0.0.1', authenticatedMs: null });
  rig.stops.ended(rig.stops.lastNumber, ['e-1', 'e-2'], 2_000);
  const listed = stopListDocument.parse((await call(rig, 'grace', 'GET', '/stops')).json);
  assert.deepEqual(
    listed.stoppedSessions.map(({ id }) => id),
    [session.id],
  );
  assert.deepEqual(listed.recent[0]?.ended, ['e-1', 'e-2']);
  assert.doesNotMatch(JSON.stringify(listed), /127\.0\.0\.1/, 'where somebody came from is not told');
  assert.equal((await lift(rig, session.id)).status, 200);
  assert.deepEqual(rig.stops.stopped(), []);
  isProblem(await lift(rig, session.id), 409, 'decided_already');
  const looks = rig.looks.map(({ what, subject }) => `${what} ${subject}`);
  for (const look of ['stop stop session s-0123abcd', 'stop stopped sessions', 'stop lift session s-0123abcd'])
    assert.ok(looks.includes(look), look);
});

test('an exchange is stopped by its id', async (context) => {
  const rig = await consoleRig(context);
  const target = { kind: 'exchange', id: '019abcde-0000-7000-8000-000000000001' };
  assert.equal((await call(rig, 'grace', 'POST', '/stops', { ...target, reason })).status, 200);
  const [event] = rig.stops.since(0);
  assert.ok(event?.event.kind === 'stopped');
  assert.deepEqual(event.event.target, target);
});

test('whoever may not stop is told the rule, sees nothing of it and stops nothing, and that is recorded', async (context) => {
  const rig = await consoleRig(context);
  rig.stops.stop({ kind: 'session', id: 's-secret' }, { osUser: 'ada', uid: 1 }, 'a secret reason', Date.now());
  for (const answer of [
    await call(rig, 'nobody', 'GET', '/stops'),
    await call(rig, 'nobody', 'POST', '/stops', session),
    await lift(rig, 's-secret', 'nobody'),
    await lift(rig, 's-none', 'nobody'),
  ]) {
    assert.deepEqual(isProblem(answer, 403, 'denied').reasons, [denied]);
    assert.doesNotMatch(JSON.stringify(answer.json), /a secret reason/);
  }
  assert.deepEqual(
    rig.stops.stopped().map((one) => one.session),
    ['s-secret'],
  );
  const refused = rig.looks.filter(({ subject }) => subject.startsWith('refused: '));
  assert.equal(refused.length, 3);
});

test('without a login, a token of its session or a body that can be read nothing is stopped', async (context) => {
  const rig = await consoleRig(context);
  isProblem(await call(rig, null, 'POST', '/stops', session), 401, 'not_authenticated');
  const { cookie, csrf } = await logInTo(rig);
  const post = (headers: Record<string, string>) =>
    rig.app.inject({ method: 'POST', url: '/api/v1/stops', headers: { cookie, ...headers }, payload: session });
  assert.equal((await post({ origin })).statusCode, 403);
  assert.equal((await post({ origin: 'https://evil.example', 'x-csrf-token': csrf })).statusCode, 403);
  for (const changes of [
    { reason: '' },
    { reason: '\u200b\u200b' },
    { id: '' },
    { id: 's-1"><script>' },
    { id: 's'.repeat(129) },
    { kind: 'everything' },
    { confirmed: 'yes' },
  ]) {
    isProblem(await call(rig, 'grace', 'POST', '/stops', { ...session, ...changes }), 422, 'invalid');
  }
  assert.equal(rig.stops.lastNumber, 0);
  assert.equal((await post({ origin, 'x-csrf-token': csrf })).statusCode, 200);
});

test('as many sessions are stopped as can be: the next one is refused, by pages too', async (context) => {
  const rig = await consoleRig(context);
  context.mock.method(rig.stops, 'stop', () => {
    throw new SkilltapeError('usage', 'as many sessions are stopped already');
  });
  isProblem(await call(rig, 'grace', 'POST', '/stops', session), 429, 'too_many');
  assert.ok(rig.looks.some(({ subject }) => subject === 'refused: stop session s-0123abcd (too many are stopped)'));
  const { post } = await logInTo(rig);
  assert.equal((await post('/incident/stop', { ...session, confirmed: 'yes' })).statusCode, 429);
});
