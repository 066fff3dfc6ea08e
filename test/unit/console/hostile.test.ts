import assert from 'node:assert/strict';
import { test } from 'node:test';
import { consoleRig, grantTerms, logInTo } from '../../builders/console.ts';

/** What acts on a terminal, in a browser, in a header or on the eye of whoever reads. */
const hostile = [
  '\u001b]0;owned\u0007\u001b[2J',
  '<script>alert(1)</script></textarea></title><img src=x onerror=alert(1)>',
  '"\'`><a href="javascript:alert(1)">approve</a>',
  '\r\nset-cookie: a=b\r\n\r\n<b>',
  'a\u202edeined\u202c \u2066b\u2069 \u200b\u2060\ufeff \u0085\u2028',
  '{{constructor.constructor("x")()}}',
].join(' ');

// biome-ignore lint/suspicious/noControlCharactersInRegex: it is controls that must not be there
const acting = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]/;

test('whatever callers, models and deciders write acts on nobody who reads it, in pages and API', async (context) => {
  const person = { issuer: 'https://idp.example.com', subject: hostile, name: hostile, email: hostile };
  const rig = await consoleRig(context);
  const summary = {
    ...{ connection: hostile, person, session: hostile, endpoint: hostile, excerpt: hostile },
    ...{ models: [hostile], skills: [hostile], tools: [hostile], policyRevision: hostile },
    findings: [{ type: hostile, place: hostile, count: 1 }],
    reasons: [{ rule: hostile, message: hostile }],
  };
  const ticket = rig.hold({ summary, terms: { approvers: [hostile], quorum: 2 } });
  const { get, post } = await logInTo(rig);
  const reason = hostile.slice(0, 450);
  const asked = await rig.app.inject({
    ...{ method: 'POST', url: '/api/v1/access-requests', headers: { authorization: `Bearer ${'x'.repeat(20)}` } },
    payload: { skill: hostile.slice(0, 250), minutes: 5, reason },
  });
  assert.equal(asked.statusCode, 200);
  const { id } = asked.json();
  const approved = await post(`/approvals/${ticket}/approve`, { reason, scope: 'request', uses: '1', minutes: '5' });
  assert.equal(approved.statusCode, 303);
  const again = await post(`/approvals/${ticket}/approve`, { reason, scope: 'request', uses: '1', minutes: '5' });
  assert.equal(again.statusCode, 409);
  const paths = ['/approvals', '/decided', `/approvals/${ticket}`, '/access', `/access/${id}`];
  const answers = [approved, again, asked, ...(await Promise.all(paths.map(get)))];
  for (const path of ['/approvals', `/approvals/${ticket}`, '/access-requests', `/access-requests/${id}`]) {
    answers.push(await get(`/api/v1${path}`));
  }
  for (const { body, headers } of answers) {
    assert.doesNotMatch(body, acting);
    for (const value of Object.values(headers)) assert.doesNotMatch(String(value), /[\r\n]/);
    assert.equal(headers['cache-control'], 'no-store');
    if (!String(headers['content-type']).startsWith('text/html')) continue;
    const markup = body.replaceAll(/<script src="\/assets\/console\.js" defer><\/script>/g, '');
    assert.doesNotMatch(markup, /<script|<img|<b>|javascript:alert\(1\)"|onerror=alert\(1\)>/);
    assert.equal(body.match(/<\/textarea>/g)?.length ?? 0, body.match(/<textarea/g)?.length ?? 0);
  }
  assert.ok(
    answers.some(({ body }) => body.includes('&lt;U+202E&gt;')),
    'what hides is named',
  );
});

test('a reason has words in it: nothing that shows nothing counts as one', async (context) => {
  const rig = await consoleRig(context, { policy: ({ action }) => (action === 'ask' ? { terms: grantTerms } : {}) });
  const ticket = rig.hold();
  const { post, get } = await logInTo(rig);
  for (const reason of [
    '\u200b'.repeat(20),
    '\u2800'.repeat(20),
    '\u2060 \ufeff \u00ad',
    '... --- ...',
    '\u202e\u202c',
  ]) {
    const page = await post(`/approvals/${ticket}/deny`, { reason });
    assert.deepEqual([page.statusCode, /Say why/.test(page.body)], [422, true], JSON.stringify(reason));
    const access = await post('/access', { reason, connection: 'claude', minutes: '5' });
    assert.equal(access.statusCode, 422);
    const payload = { decision: 'deny', reason };
    const headers = { authorization: 'Bearer sam' };
    const url = `/api/v1/approvals/${ticket}/decisions`;
    assert.equal((await rig.app.inject({ method: 'POST', url, payload, headers })).statusCode, 422);
  }
  assert.equal(rig.desk.read(ticket, Date.now())?.state.kind, 'pending');
  assert.equal((await get(`/approvals/${ticket}`)).statusCode, 200);
  assert.equal((await post(`/approvals/${ticket}/deny`, { reason: '不可以用于此客户' })).statusCode, 303);
});

test('a login comes back once: what it came back with logs nobody in again', async (context) => {
  const rig = await consoleRig(context);
  const [pending] = (await rig.app.inject('/login')).cookies;
  const back = () =>
    rig.app.inject({
      url: '/login/callback?code=c&state=s',
      cookies: { [pending?.name ?? '']: pending?.value ?? '' },
    });
  assert.equal((await back()).statusCode, 303);
  const replayed = await back();
  assert.equal(replayed.statusCode, 400);
  assert.ok(!replayed.cookies.some(({ name }) => name.endsWith('-session')));
});

test('an address that cannot be read is answered as all others are, without what was sent', async (context) => {
  const rig = await consoleRig(context);
  for (const [url, type] of [
    ['/%zz<script>', /^text\/html/],
    ['/api/v1/%ff', /^application\/problem\+json/],
    ['/approvals/%E0%A4%A', /^text\/html/],
  ] as const) {
    const { statusCode, headers, body } = await rig.app.inject({ url });
    assert.equal(statusCode, 400);
    assert.match(String(headers['content-type']), type);
    assert.match(String(headers['content-security-policy']), /default-src 'none'/);
    assert.equal(headers['cache-control'], 'no-store');
    assert.doesNotMatch(body, /%zz|%ff|%E0|script>/);
  }
});

test('nobody listens by asking for the head of the stream', async (context) => {
  const rig = await consoleRig(context);
  const { cookie } = await logInTo(rig);
  assert.equal((await rig.app.inject({ method: 'HEAD', url: '/events', headers: { cookie } })).statusCode, 404);
});

test('what was logged out stays so for pages, API, forms and streams, and is kept by no cache', async (context) => {
  const rig = await consoleRig(context);
  const ticket = rig.hold();
  const { get, post } = await logInTo(rig);
  const out = await post('/logout', {});
  assert.match(String(out.headers['set-cookie']), /__Host-skilltape-session=; Max-Age=0/);
  assert.equal(out.headers['cache-control'], 'no-store');
  assert.deepEqual(
    [
      (await get('/approvals')).statusCode,
      (await get('/api/v1/approvals')).statusCode,
      (await get('/events')).statusCode,
      (await post(`/approvals/${ticket}/deny`, { reason: 'too late' })).statusCode,
    ],
    [303, 401, 401, 401],
  );
  assert.equal(rig.desk.read(ticket, Date.now())?.state.kind, 'pending');
});
