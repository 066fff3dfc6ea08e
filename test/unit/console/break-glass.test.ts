import assert from 'node:assert/strict';
import { test } from 'node:test';
import { glassDocument } from '../../../extproc/console/api/access-document.ts';
import { glassListDocument } from '../../../extproc/console/api/operations.ts';
import { problemDocument } from '../../../extproc/console/api/problem.ts';
import type { ConsoleDecision, ConsoleInput } from '../../../extproc/policy/console.ts';
import { consoleRig, grantTerms, logInTo } from '../../builders/console.ts';
import { actor, asking } from '../../builders/grant.ts';

type Rig = Awaited<ReturnType<typeof consoleRig>>;

const denied = { rule: 'console/operator_listed', message: 'You are not among the operators who may do this.' };
const incident = 'incident 42: the budget list is wrong';

/** Grace and Sam break glass; policy forgets that nobody decides about their own. */
function policy({ action, operator }: ConsoleInput): Partial<ConsoleDecision> {
  if (action === 'ask') return { terms: grantTerms };
  const may = action === 'break_glass' && ['grace', 'sam'].includes(operator.subject ?? '');
  if (!may) return { verdict: 'deny', reasons: [denied] };
  return { terms: grantTerms, persons: [{ issuer: operator.issuer ?? '', subject: operator.subject ?? '' }] };
}

async function call({ app }: Rig, who: string, method: 'GET' | 'POST', path: string, payload?: object) {
  const headers = { authorization: `Bearer ${who}` };
  const url = `/api/v1/break-glass${path}`;
  const response = await app.inject({ method, url, headers, ...(payload && { payload }) });
  return { status: response.statusCode, json: response.json() };
}

const wanted = { connection: null, person: null, minutes: 30, reason: incident };
const approve = { decision: 'approve', reason: 'agreed by phone' };

async function begun(rig: Rig, who = 'grace', changes: object = {}): Promise<string> {
  const { status, json } = await call(rig, who, 'POST', '', { ...wanted, ...changes });
  assert.equal(status, 200, JSON.stringify(json));
  return glassDocument.parse(json).id;
}

test('one person begins it, another approves it, and either takes it back, by the API', async (context) => {
  const rig = await consoleRig(context, { policy });
  const id = await begun(rig);
  const stateOf = () => rig.grants.read(id, Date.now())?.state.kind;
  assert.equal(stateOf(), 'pending', 'nothing is lifted yet');
  const own = await call(rig, 'grace', 'POST', `/${id}/decisions`, approve);
  assert.deepEqual([own.status, stateOf()], [403, 'pending']);
  assert.equal(problemDocument.parse(own.json).breakGlass?.id, id);
  const given = await call(rig, 'sam', 'POST', `/${id}/decisions`, approve);
  const { state, minutes, connection, person } = glassDocument.parse(given.json);
  assert.deepEqual([state, minutes, connection, person], ['in_force', 30, null, null]);
  const again = await call(rig, 'sam', 'POST', `/${id}/decisions`, approve);
  assert.equal(again.status, 409);
  const { breakGlass } = glassListDocument.parse((await call(rig, 'sam', 'GET', '')).json);
  assert.deepEqual(
    breakGlass.map((one) => one.id),
    [id],
  );
  const back = { decision: 'revoke', reason: 'the list is mended' };
  assert.equal((await call(rig, 'grace', 'POST', `/${id}/decisions`, back)).json.state, 'revoked');
  const events = rig.grants.read(id, Date.now())?.events ?? [];
  assert.deepEqual(
    events.map((event) => [
      event.kind,
      'by' in event && event.by.person?.subject,
      'by' in event && event.by.login?.via,
    ]),
    [
      ['asked', 'grace', 'api'],
      ['approved', 'sam', 'api'],
      ['granted', false, false],
      ['revoked', 'grace', 'api'],
    ],
  );
});

test('whoever began it at the command line is the same person in the console, and is not whom it is for', async (context) => {
  const rig = await consoleRig(context, { policy });
  const glass = { kind: 'break_glass' as const, holder: null, connection: 'claude' };
  const byAccount = rig.grants.ask(asking({ by: actor('grace'), wanted: glass }), Date.now());
  assert.ok(byAccount.kind === 'recorded');
  assert.equal((await call(rig, 'grace', 'POST', `/${byAccount.grant.id}/decisions`, approve)).status, 403);
  const forSam = await begun(rig, 'grace', { person: { issuer: 'https://idp.example.com', subject: 'sam' } });
  assert.equal((await call(rig, 'sam', 'POST', `/${forSam}/decisions`, approve)).status, 403);
  assert.equal(rig.grants.read(forSam, Date.now())?.state.kind, 'pending');
});

test('whoever may not break glass begins, sees and decides nothing, and the attempts are recorded', async (context) => {
  const rig = await consoleRig(context, { policy });
  const id = await begun(rig, 'grace', { person: { issuer: 'https://idp.example.com', subject: 'olga' } });
  assert.equal((await call(rig, 'olga', 'POST', '', wanted)).status, 403);
  assert.deepEqual((await call(rig, 'olga', 'GET', '?state=all')).json, { breakGlass: [], next: null });
  assert.equal((await call(rig, 'olga', 'GET', `/${id}`)).status, 404);
  assert.equal((await call(rig, 'olga', 'POST', `/${id}/decisions`, approve)).status, 404);
  const refused = rig.looks.filter(({ subject }) => subject.startsWith('refused: '));
  assert.deepEqual(
    refused.map(({ subject }) => subject),
    ['refused: begin\nall connections (console/operator_listed)', `refused: approve ${id} (not to be seen)`],
  );
});

test('access that somebody asked for is no break-glass, and the other way round', async (context) => {
  const rig = await consoleRig(context, { policy: (input) => ({ ...policy(input), verdict: 'allow', reasons: [] }) });
  const asked = rig.grants.ask(asking(), Date.now());
  assert.ok(asked.kind === 'recorded');
  assert.equal((await call(rig, 'sam', 'POST', `/${asked.grant.id}/decisions`, approve)).status, 404);
  const { get, post } = await logInTo(rig);
  const id = await begun(rig, 'sam');
  assert.equal((await get(`/access/${id}`)).statusCode, 404);
  assert.equal((await post(`/access/${id}/approve`, { reason: 'agreed', minutes: '5' })).statusCode, 404);
  assert.equal((await get(`/break-glass/${asked.grant.id}`)).statusCode, 404);
  assert.equal(rig.grants.read(id, Date.now())?.state.kind, 'pending');
});

test('what is lifted for everybody or everywhere is said so: nothing is meant by leaving it out', async (context) => {
  const rig = await consoleRig(context, { policy });
  for (const [name, value] of [
    ['connection', undefined],
    ['person', undefined],
    ['minutes', undefined],
    ['minutes', 0],
    ['minutes', 61],
    ['reason', '\u200b'],
    ['connection', 'no-such'],
    ['connection', ''],
    ['person', { issuer: 'https://idp.example.com' }],
    ['skill', 'pdf'],
  ] as const) {
    const answer = await call(rig, 'grace', 'POST', '', { ...wanted, [name]: value });
    assert.equal(answer.status, 422, `${name} ${JSON.stringify(value)}`);
    assert.ok(problemDocument.parse(answer.json).detail.length > 0);
  }
  assert.deepEqual(rig.grants.list('all', 10, Date.now()), []);
});

test('on pages it is begun, approved by another person and taken back, by a form with the token of the session alone', async (context) => {
  const rig = await consoleRig(context, { policy });
  const { get, post } = await logInTo(rig);
  assert.match((await get('/incident')).body, /<form method="post" action="\/break-glass">/);
  const form = { connection: 'claude', issuer: '', subject: '', minutes: '20', reason: incident };
  assert.equal((await post('/break-glass', { ...form, csrf: 'x' })).statusCode, 403);
  const wrong = await post('/break-glass', { ...form, minutes: 'long', reason: '<b>42</b>' });
  assert.equal(wrong.statusCode, 422);
  assert.match(wrong.body, /&lt;b&gt;42&lt;\/b&gt;/);
  assert.deepEqual(rig.grants.list('all', 10, Date.now()), []);
  const done = await post('/break-glass', form);
  const [mine] = rig.grants.list('all', 10, Date.now());
  assert.deepEqual([done.statusCode, done.headers.location], [303, `/break-glass/${mine?.id}`]);
  const page = (await get(`/break-glass/${mine?.id}`)).body;
  assert.match(page, /<h1>Break-glass for everybody with a valid token on the connection claude<\/h1>/);
  assert.equal((await post(`/break-glass/${mine?.id}/approve`, { reason: 'me too', minutes: '20' })).statusCode, 403);
  const theirs = await begun(rig, 'sam', { connection: 'sandbox' });
  assert.match((await get('/incident')).body, new RegExp(`href="/break-glass/${theirs}"`));
  assert.equal((await get(`/break-glass/${theirs}/approve`)).statusCode, 404, 'a GET decides nothing');
  const approved = await post(`/break-glass/${theirs}/approve`, { reason: 'agreed by phone', minutes: '10' });
  assert.equal(approved.statusCode, 303);
  assert.match((await get(`/break-glass/${theirs}`)).body, /In force until .*Take it back/s);
  assert.equal((await post(`/break-glass/${theirs}/revoke`, { reason: 'mended' })).statusCode, 303);
  assert.equal(rig.grants.read(theirs, Date.now())?.state.kind, 'revoked');
});

test('the form to begin it is for whoever may, on whichever connection', async (context) => {
  for (const connection of ['', 'sandbox', 'none']) {
    const rig = await consoleRig(context, {
      policy: (input) =>
        input.action === 'break_glass' && input.connection !== connection ? { verdict: 'deny', reasons: [denied] } : {},
    });
    const { get } = await logInTo(rig);
    const { body } = await get('/incident');
    assert.equal(body.includes('action="/break-glass"'), connection !== 'none', connection);
  }
});
