import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ConsoleDecision, ConsoleInput } from '../../../extproc/policy/console.ts';
import { consoleRig, grantTerms, origin } from '../../builders/console.ts';
import { actor, asking } from '../../builders/grant.ts';

type Rig = Awaited<ReturnType<typeof consoleRig>>;
type Form = Record<string, string>;

const denial = (rule: string, message: string) => ({ verdict: 'deny' as const, reasons: [{ rule, message }] });

/** Whoever is logged in (Grace) may give access to others. */
function policy({ action, operator, person }: ConsoleInput): Partial<ConsoleDecision> {
  if (action === 'ask') return { terms: grantTerms };
  return operator.subject === person?.subject ? denial('console/own_request', 'It is your own.') : {};
}

async function logIn({ app }: Rig, to = '/access') {
  const begun = await app.inject(`/login?to=${encodeURIComponent(to)}`);
  const [pending] = begun.cookies;
  const login = { [pending?.name ?? '']: pending?.value ?? '' };
  const back = await app.inject({ url: '/login/callback?code=c&state=s', cookies: login });
  const session = back.cookies.find(({ name }) => name === '__Host-skilltape-session');
  const cookies = { [session?.name ?? '']: session?.value ?? '' };
  const { csrfToken } = (await app.inject({ url: '/api/v1/me', cookies })).json();
  const get = (url: string, headers: Form = {}) => app.inject({ url, cookies, headers });
  const post = (url: string, form: Form, headers: Form = { origin }) =>
    app.inject({
      ...{ method: 'POST', url, cookies, payload: new URLSearchParams(form).toString() },
      headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
    });
  return { get, post, csrf: String(csrfToken), location: back.headers.location };
}

const wanted = { connection: 'claude', skill: '', model: '', minutes: '120', reason: 'the release is on Friday' };

/** Ada asked at the command line. */
function askedByAda({ grants }: Rig, changes: Parameters<typeof asking>[0] = {}): string {
  const answer = grants.ask(asking(changes), Date.now());
  assert.ok(answer.kind === 'recorded');
  return answer.grant.id;
}

test('a person asks on a page, sees what became of it and who gave it, and cannot decide it', async (context) => {
  const rig = await consoleRig(context, { policy });
  const { get, post, csrf, location } = await logIn(rig);
  assert.equal(location, '/access');
  assert.match((await get('/access')).body, /You have asked for nothing yet..*<option value="sandbox">/s);
  const sent = await post('/access', { csrf, ...wanted });
  assert.equal(sent.statusCode, 303);
  const place = String(sent.headers.location);
  const script = await get('/approvals', { 'sec-fetch-dest': 'empty' });
  assert.doesNotMatch(script.body, /Recorded\./, 'what an open page asks for itself does not take the notice away');
  const page = (await get(place, { 'sec-fetch-dest': 'document' })).body;
  assert.match(page, /Recorded. Waits for a decision./);
  assert.match(page, /You cannot decide about this:.*It is your own./s);
  assert.doesNotMatch(page, /class="approve"/);
  const self = await post(`${place}/approve`, { csrf, minutes: '60', reason: 'I say so myself' });
  assert.deepEqual([self.statusCode, /It is your own./.test(self.body)], [403, true]);
  assert.doesNotMatch((await get('/approvals')).body, /Access requests/, 'their own waits for others');
  const id = place.split('/').at(-1) ?? '';
  rig.grants.decide(id, { kind: 'approve', by: actor('sam'), reason: 'agreed with the owner' }, Date.now());
  assert.match((await get('/access')).body, /In force until \d{4}-[^<]*, given by sam\./);
  assert.match((await get(place)).body, /Approved by sam \(sam of https:\/\/idp.example.com\) for 120 minutes: agreed/);
});

test('the inbox has what others asked for; it is given with a reason for a shorter time, and taken back at once', async (context) => {
  const rig = await consoleRig(context, { policy });
  const id = askedByAda(rig, { wanted: { connection: 'claude', skill: 'pdf' } });
  const { get, post, csrf } = await logIn(rig, `/access/${id}`);
  assert.match((await get('/approvals')).body, /Access requests \(1\).*ada@example.com asks for the skill pdf on the/s);
  assert.match((await get(`/access/${id}`)).body, /max="120" value="120"/);
  const given = await post(`/access/${id}/approve`, { csrf, minutes: '30', reason: 'agreed with the owner' });
  assert.deepEqual([given.statusCode, given.headers.location], [303, `/access/${id}`]);
  const grant = rig.grants.read(id, Date.now());
  const approved = grant?.events.find((event) => event.kind === 'approved');
  assert.ok(approved?.kind === 'approved');
  assert.deepEqual(
    [approved.forMs, approved.by.login?.via, approved.by.login?.authenticatedMs],
    [1_800_000, 'console', 5_000],
  );
  assert.match((await get('/approvals')).body, /Access in force \(1\).*given by grace@example.com/s);
  assert.equal((await post(`/access/${id}/revoke`, { csrf, reason: 'the release is out' })).statusCode, 303);
  assert.equal(rig.grants.read(id, Date.now())?.state.kind, 'revoked');
  assert.doesNotMatch((await get('/approvals')).body, /Access in force/);
  const late = await post(`/access/${id}/approve`, { csrf, minutes: '30', reason: 'after all' });
  assert.deepEqual([late.statusCode, /Taken back by grace@example.com/.test(late.body)], [409, true]);
  assert.match((await get(`/access/${id}`)).body, /There is nothing left to decide/);
});

test('a form without the token of its session or from elsewhere asks and decides nothing, and is recorded', async (context) => {
  const rig = await consoleRig(context, { policy });
  const id = askedByAda(rig);
  const { post, csrf } = await logIn(rig);
  const other = await logIn(rig);
  const wrong: readonly (readonly [Form, Form])[] = [
    [{}, { origin }],
    [{ csrf: other.csrf }, { origin }],
    [{ csrf }, {}],
    [{ csrf }, { origin: 'https://evil.example' }],
    [{ csrf }, { origin, 'sec-fetch-site': 'cross-site' }],
  ];
  for (const [token, headers] of wrong) {
    assert.equal((await post('/access', { ...token, ...wanted }, headers)).statusCode, 403);
    const approve = { ...token, minutes: '60', reason: 'agreed with the owner' };
    assert.equal((await post(`/access/${id}/approve`, approve, headers)).statusCode, 403);
  }
  assert.deepEqual(
    rig.grants.list('all', 10, Date.now()).map(({ state }) => state.kind),
    ['pending'],
  );
  assert.equal(rig.looks.filter(({ subject }) => subject.includes('not sent by a page')).length, 2 * wrong.length);
  const without = await rig.app.inject({ method: 'POST', url: `/access/${id}/approve`, headers: { origin } });
  assert.equal(without.statusCode, 401);
  for (const url of ['/access', `/access/${id}`]) {
    assert.equal((await rig.app.inject(url)).headers.location, `/login?to=${encodeURIComponent(url)}`);
  }
});

test('what cannot be taken is told in words beside what was typed, and nothing is recorded', async (context) => {
  const rig = await consoleRig(context, { policy });
  const { post, csrf } = await logIn(rig);
  for (const [changes, words] of [
    [{ connection: '' }, /Say what you ask for/],
    [{ skill: 'pdf', model: 'claude-opus-5-5' }, /each by itself/],
    [{ minutes: '1.5' }, /number of minutes/],
    [{ reason: ' ' }, /a decision needs a reason|Say why/],
    [{ connection: 'elsewhere' }, /no connection elsewhere/],
    [{ minutes: '20000' }, /longest time/],
  ] as const) {
    const answer = await post('/access', { csrf, ...wanted, ...changes });
    assert.equal(answer.statusCode, 422, JSON.stringify(changes));
    assert.match(answer.body, words);
    assert.match(answer.body, /role="alert"/);
    if (!('reason' in changes)) assert.match(answer.body, />the release is on Friday<\/textarea>/);
  }
  assert.deepEqual(rig.grants.list('all', 10, Date.now()), []);
});

test('whatever somebody wrote into a request, it is text on every page that shows it', async (context) => {
  const rig = await consoleRig(context, { policy });
  const hostile = `"><script>alert(1)</script>\u202e\u200b'`;
  const issuer = 'https://idp.example.com';
  const holder = { issuer, subject: hostile, name: hostile, email: hostile };
  const by = { name: hostile, uid: null, person: { issuer, subject: hostile } };
  const things = { connection: hostile, skill: hostile };
  const id = askedByAda(rig, { by, reason: hostile, wanted: { holder, ...things }, terms: { approvers: [[hostile]] } });
  const { get, post, csrf } = await logIn(rig);
  const typed = await post('/access', { csrf, ...wanted, skill: hostile, model: hostile, reason: hostile });
  const pages = [await get('/approvals'), await get(`/access/${id}`), typed];
  rig.grants.decide(id, { kind: 'deny', by: { ...actor('x'), name: hostile }, reason: hostile }, Date.now());
  for (const { body } of [...pages, await get(`/access/${id}`)]) {
    assert.match(body, /&quot;&gt;&lt;script&gt;alert\(1\)&lt;\/script&gt;&lt;U\+202E&gt;&lt;U\+200B&gt;&#39;/);
    assert.doesNotMatch(body, /<script>|\u202e|\u200b/);
  }
});

test('whoever may not see a request is told the same as where there is none', async (context) => {
  const nothing = denial('console/operator_listed', 'You are not listed.');
  const rig = await consoleRig(context, { policy: () => nothing });
  const id = askedByAda(rig);
  const { get, post, csrf } = await logIn(rig);
  const form = { csrf, minutes: '5', reason: 'agreed with the owner' };
  for (const ask of [
    (place: string) => get(`/access/${place}`),
    (place: string) => post(`/access/${place}/approve`, form),
  ]) {
    const [hidden, absent] = [await ask(id), await ask('g-none')];
    assert.deepEqual([hidden.statusCode, hidden.body], [404, absent.body]);
  }
  assert.doesNotMatch((await get('/approvals')).body, /Access/);
  assert.equal(rig.grants.read(id, Date.now())?.state.kind, 'pending');
});
