import assert from 'node:assert/strict';
import { test } from 'node:test';
import { consoleRig, origin } from '../../builders/console.ts';

type Rig = Awaited<ReturnType<typeof consoleRig>>;

/** Logs in, and gives what a browser of that person has. */
async function logIn({ app }: Rig) {
  const begun = await app.inject('/login?to=/decided');
  const pending = begun.cookies.find(({ name }) => name === '__Host-skilltape-login');
  const back = await app.inject({
    url: '/login/callback?code=c&state=s',
    cookies: { [pending?.name ?? '']: pending?.value ?? '' },
  });
  assert.equal(back.headers.location, '/decided');
  const session = back.cookies.find(({ name }) => name === '__Host-skilltape-session');
  assert.ok(session !== undefined);
  const cookies = { [session.name]: session.value };
  const page = await app.inject({ url: '/approvals', cookies });
  const [, csrf = ''] = /name="csrf" value="([^"]+)"/.exec(page.body) ?? [];
  return { cookies, csrf, session, pending };
}

test('a login has a new id each time, and its cookies are for this host and no script', async (context) => {
  const rig = await consoleRig(context);
  const first = await logIn(rig);
  const second = await logIn(rig);
  assert.notEqual(first.session.value, second.session.value);
  for (const cookie of [first.session, first.pending]) {
    assert.deepEqual([cookie?.httpOnly, cookie?.secure, cookie?.sameSite, cookie?.path], [true, true, 'Lax', '/']);
  }
});

test('a session that somebody planted is ended by the login that follows it', async (context) => {
  const rig = await consoleRig(context);
  const planted = await logIn(rig);
  const begun = await rig.app.inject('/login');
  const [pending] = begun.cookies;
  const cookies = { ...planted.cookies, [pending?.name ?? '']: pending?.value ?? '' };
  const back = await rig.app.inject({ url: '/login/callback?code=c&state=s', cookies });
  assert.notEqual(back.cookies.find(({ name }) => name === '__Host-skilltape-session')?.value, planted.session.value);
  assert.equal((await rig.app.inject({ url: '/approvals', cookies: planted.cookies })).statusCode, 303);
});

test('a login that did not begin here, or that the provider refused, logs nobody in', async (context) => {
  const rig = await consoleRig(context, { signedIn: { kind: 'refused', why: '<b>access_denied</b>' } });
  const strange = await rig.app.inject({
    url: '/login/callback?code=c&state=s',
    cookies: { '__Host-skilltape-login': 'x' },
  });
  assert.equal(strange.statusCode, 400);
  const [pending] = (await rig.app.inject('/login')).cookies;
  const cookies = { [pending?.name ?? '']: pending?.value ?? '' };
  const refused = await rig.app.inject({ url: '/login/callback?error=access_denied', cookies });
  assert.equal(refused.statusCode, 403);
  assert.match(refused.body, /&lt;b&gt;access_denied/);
  for (const answer of [strange, refused]) {
    assert.ok(!answer.cookies.some(({ name }) => name.endsWith('-session')));
    assert.ok(
      answer.cookies.some(({ name, maxAge }) => name.endsWith('-login') && maxAge === 0),
      'the pending login ends',
    );
  }
});

test('a login leads to a page of the console and nowhere else', async (context) => {
  const rig = await consoleRig(context);
  const places = [
    ['/approvals/t-abc-0123', '/approvals/t-abc-0123'],
    ['//evil.example', '/approvals'],
    ['/\\evil.example', '/approvals'],
    ['https://evil.example/approvals', '/approvals'],
    ['/approvals/../logout', '/approvals'],
    ['/approvals\n/x', '/approvals'],
  ] as const;
  for (const [to, expected] of places) {
    const [pending] = (await rig.app.inject(`/login?to=${encodeURIComponent(to)}`)).cookies;
    const cookies = { [pending?.name ?? '']: pending?.value ?? '' };
    const back = await rig.app.inject({ url: '/login/callback?code=c&state=s', cookies });
    assert.equal(back.headers.location, expected, to);
  }
});

test('every answer forbids script of others, frames and caches', async (context) => {
  const rig = await consoleRig(context);
  for (const url of ['/', '/approvals', '/login', '/nothing', '/api/v1/me', '/assets/console.css']) {
    const { headers } = await rig.app.inject(url);
    const csp = String(headers['content-security-policy']);
    assert.match(csp, /^default-src 'none'; script-src 'self'; style-src 'self';/, url);
    assert.doesNotMatch(csp, /unsafe/);
    assert.match(csp, /frame-ancestors 'none'/);
    assert.equal(headers['x-content-type-options'], 'nosniff');
    assert.match(String(headers['cache-control']), /no-store|no-cache/);
    assert.match(String(headers['strict-transport-security']), /max-age/);
  }
});

test('pages lead whoever is not logged in to the login and back, and decide nothing without one', async (context) => {
  const rig = await consoleRig(context);
  const ticket = rig.hold();
  const page = await rig.app.inject(`/approvals/${ticket}?x=1`);
  assert.equal(page.headers.location, `/login?to=${encodeURIComponent(`/approvals/${ticket}`)}`);
  const headers = { origin, 'content-type': 'application/x-www-form-urlencoded' };
  const post = await rig.app.inject({
    method: 'POST',
    url: `/approvals/${ticket}/deny`,
    headers,
    payload: 'reason=because',
  });
  assert.equal(post.statusCode, 401);
  assert.equal(rig.desk.read(ticket, Date.now())?.state.kind, 'pending');
  assert.equal((await rig.app.inject('/events')).statusCode, 401);
});

test('a form without the token of its session or from elsewhere decides nothing and is recorded', async (context) => {
  const rig = await consoleRig(context);
  const ticket = rig.hold();
  const { cookies, csrf } = await logIn(rig);
  const other = await logIn(rig);
  const type = 'application/x-www-form-urlencoded';
  const post = (payload: string, headers: Record<string, string>) =>
    rig.app.inject({
      method: 'POST',
      url: `/approvals/${ticket}/deny`,
      cookies,
      payload,
      headers: { 'content-type': type, ...headers },
    });
  const right = `csrf=${csrf}&reason=not+with+this+customer`;
  const wrong = [
    ['reason=not+with+this+customer', { origin }],
    [`csrf=${other.csrf}&reason=not+with+this+customer`, { origin }],
    [right, {}],
    [right, { origin: 'https://evil.example' }],
    [right, { origin, 'sec-fetch-site': 'cross-site' }],
  ] as const;
  for (const [payload, headers] of wrong) assert.equal((await post(payload, headers)).statusCode, 403);
  assert.equal(rig.desk.read(ticket, Date.now())?.state.kind, 'pending');
  assert.equal(rig.looks.filter(({ subject }) => subject.includes('not sent by a page')).length, wrong.length);
  assert.equal((await post(right, { origin, 'sec-fetch-site': 'same-origin' })).statusCode, 303);
  assert.equal(rig.desk.read(ticket, Date.now())?.state.kind, 'denied');
});

test('a page tells every group that whoever decides has to be of', async (context) => {
  const rig = await consoleRig(context);
  const { cookies } = await logIn(rig);
  const lists = [['owners', 'leads'], ['security']];
  const ticket = rig.hold({ terms: { approvers: lists.flat(), approverLists: lists } });
  const { body } = await rig.app.inject({ url: `/approvals/${ticket}`, cookies });
  assert.match(body, /people of one of the groups owners, leads and of one of the groups security</);
});

test('an approval for a time or a number that cannot be read is refused, and not given for the usual one', async (context) => {
  const rig = await consoleRig(context);
  const ticket = rig.hold();
  const { cookies, csrf } = await logIn(rig);
  const approve = (numbers: string) =>
    rig.app.inject({
      ...{ method: 'POST', url: `/approvals/${ticket}/approve`, cookies },
      headers: { origin, 'content-type': 'application/x-www-form-urlencoded' },
      payload: `csrf=${csrf}&reason=agreed+with+the+owner&${numbers}`,
    });
  for (const numbers of ['minutes=0.5', 'minutes=five', 'minutes=1e1', 'minutes=9999999', 'uses=1.5', 'uses=-1']) {
    const answer = await approve(numbers);
    assert.deepEqual([answer.statusCode, /has to be a whole one/.test(answer.body)], [422, true], numbers);
  }
  assert.equal(rig.desk.read(ticket, Date.now())?.state.kind, 'pending');
  assert.equal((await approve('minutes=5&uses=')).statusCode, 303);
});

test('the API takes the cookie of a session only with its token', async (context) => {
  const rig = await consoleRig(context);
  const ticket = rig.hold();
  const { cookies } = await logIn(rig);
  const { csrfToken } = (await rig.app.inject({ url: '/api/v1/me', cookies })).json();
  const post = (headers: Record<string, string>) =>
    rig.app.inject({
      ...{ method: 'POST', url: `/api/v1/approvals/${ticket}/decisions`, cookies, headers: { origin, ...headers } },
      payload: { decision: 'deny', reason: 'not with this customer' },
    });
  assert.equal((await post({})).statusCode, 403);
  assert.equal((await post({ 'x-csrf-token': csrfToken, origin: 'https://evil.example' })).statusCode, 403);
  assert.equal(rig.desk.read(ticket, Date.now())?.state.kind, 'pending');
  assert.equal((await post({ 'x-csrf-token': csrfToken })).statusCode, 200);
  const denied = rig.desk.read(ticket, Date.now())?.events.at(-1);
  assert.ok(denied?.kind === 'denied' && denied.by.kind === 'person');
  assert.deepEqual([denied.by.subject, denied.by.authenticatedMs], ['grace', 5_000]);
});

test('logging out takes a POST of a page, and ends the session for good', async (context) => {
  const rig = await consoleRig(context);
  const { cookies, csrf } = await logIn(rig);
  const post = (payload: string) =>
    rig.app.inject({
      method: 'POST',
      url: '/logout',
      cookies,
      payload,
      headers: { origin, 'content-type': 'application/x-www-form-urlencoded' },
    });
  assert.equal((await rig.app.inject({ url: '/logout', cookies })).statusCode, 404);
  assert.equal((await post('csrf=x')).statusCode, 403);
  assert.equal((await rig.app.inject({ url: '/approvals', cookies })).statusCode, 200);
  assert.equal((await post(`csrf=${csrf}`)).headers.location, '/logged-out');
  assert.equal((await rig.app.inject({ url: '/approvals', cookies })).statusCode, 303);
});

test('a policy with a fault lets nobody see or decide, and the page says so', async (context) => {
  const rig = await consoleRig(context, {
    policy: () => ({ verdict: 'deny', reasons: [{ rule: 'skilltape/policy_failed', message: 'It failed.' }] }),
  });
  const ticket = rig.hold();
  const { cookies } = await logIn(rig);
  assert.match((await rig.app.inject({ url: '/approvals', cookies })).body, /No request waits for you/);
  assert.equal((await rig.app.inject({ url: `/approvals/${ticket}`, cookies })).statusCode, 404);
});

test('a list of pages goes on behind its cursor, and begins anew for what is none', async (context) => {
  const rig = await consoleRig(context);
  const tickets = Array.from({ length: 103 }, (_, number) =>
    rig.hold({ binding: `b-${number}`, caller: `c-${number}` }),
  );
  const { cookies } = await logIn(rig);
  const idsOn = async (url: string) => {
    const { body, statusCode } = await rig.app.inject({ url, cookies });
    assert.equal(statusCode, 200);
    const [, next = ''] = /href="(\/approvals\?after=[^"]+)"/.exec(body) ?? [];
    return { ids: [...body.matchAll(/<a href="\/approvals\/(t-[^"]+)"/g)].map(([, id]) => id), next };
  };
  const first = await idsOn('/approvals');
  const rest = await idsOn(first.next);
  assert.deepEqual([first.ids.length, rest.ids.length, rest.next], [100, 3, '']);
  assert.deepEqual([...first.ids, ...rest.ids].sort(), tickets.sort());
  for (const after of [tickets[50], 'AAAA', '%00', 'x'.repeat(1_000)]) {
    assert.deepEqual((await idsOn(`/approvals?after=${after}`)).ids, first.ids);
  }
});
