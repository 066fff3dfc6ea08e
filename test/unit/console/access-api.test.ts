import assert from 'node:assert/strict';
import { test } from 'node:test';
import { accessDocument } from '../../../extproc/console/api/access-document.ts';
import { accessListDocument } from '../../../extproc/console/api/operations.ts';
import { problemDocument } from '../../../extproc/console/api/problem.ts';
import type { ConsoleDecision, ConsoleInput } from '../../../extproc/policy/console.ts';
import { consoleRig, grantTerms, origin } from '../../builders/console.ts';

type Rig = Awaited<ReturnType<typeof consoleRig>>;

const denial = (rule: string) => ({ verdict: 'deny' as const, reasons: [{ rule: `console/${rule}`, message: rule }] });

/** Everybody asks for two hours at the most; Grace, Sam and Olga give access to others on `claude`. */
function policy({ action, operator, person, connection, grant }: ConsoleInput): Partial<ConsoleDecision> {
  if (action === 'ask') return (grant?.minutes ?? 0) > 240 ? denial('access_offered') : { terms: grantTerms };
  if (!['grace', 'sam', 'olga'].includes(operator.subject ?? '') || connection !== 'claude')
    return denial('operator_listed');
  return operator.subject === person?.subject ? denial('own_request') : {};
}

async function call({ app }: Rig, who: string | null, method: 'GET' | 'POST', path: string, payload?: object) {
  const headers = who === null ? {} : { authorization: `Bearer ${who}` };
  const url = `/api/v1/access-requests${path}`;
  const response = await app.inject({ method, url, headers, ...(payload && { payload }) });
  return { status: response.statusCode, type: String(response.headers['content-type']), json: response.json() };
}

const wanted = { connection: 'claude', minutes: 120, reason: 'the release is on Friday' };
const approve = { decision: 'approve', reason: 'agreed with the owner' };

async function asked(rig: Rig, who = 'ada', changes: object = {}) {
  const answer = await call(rig, who, 'POST', '', { ...wanted, ...changes });
  assert.equal(answer.status, 200, JSON.stringify(answer.json));
  return accessDocument.parse(answer.json);
}

const decide = (rig: Rig, who: string, id: string, body: object) => call(rig, who, 'POST', `/${id}/decisions`, body);

async function idsOf(rig: Rig, who: string, query = ''): Promise<string[]> {
  const answer = await call(rig, who, 'GET', query);
  return accessListDocument.parse(answer.json).accessRequests.map(({ id }) => id);
}

function isProblem(answer: Awaited<ReturnType<typeof call>>, status: number, type: string) {
  assert.equal(answer.status, status, JSON.stringify(answer.json));
  assert.match(answer.type, /^application\/problem\+json/);
  const read = problemDocument.parse(answer.json);
  assert.deepEqual([read.status, read.type], [status, `urn:skilltape:problem:${type}`]);
  return read;
}

test('a person asks for themselves, another gives it for a shorter time, and a third takes it back', async (context) => {
  const rig = await consoleRig(context, { policy });
  const { id, ...open } = await asked(rig);
  assert.deepEqual(
    [open.state, open.connection, open.minutes, open.person?.subject],
    ['pending', 'claude', 120, 'ada'],
  );
  assert.equal((await asked(rig)).id, id, 'the same, asked again while it waits, is the same one');
  const given = accessDocument.parse((await decide(rig, 'grace', id, { ...approve, minutes: 30 })).json);
  assert.deepEqual([given.state, given.givenBy.map(({ subject }) => subject)], ['in_force', ['grace']]);
  assert.ok(Math.abs(Date.parse(given.until ?? '') - Date.now() - 30 * 60_000) < 60_000);
  const own = accessDocument.parse((await call(rig, 'ada', 'GET', `/${id}`)).json);
  assert.deepEqual(own, given);
  const back = await decide(rig, 'sam', id, { decision: 'revoke', reason: 'the release is out' });
  assert.deepEqual([back.status, back.json.state, back.json.until], [200, 'revoked', null]);
  assert.deepEqual(
    rig.grants.read(id, Date.now())?.events.map(({ kind }) => kind),
    ['asked', 'approved', 'granted', 'revoked'],
  );
});

test('the record has who asked and decided with where they came from, and the API tells that nobody', async (context) => {
  const rig = await consoleRig(context, { policy });
  const { id } = await asked(rig);
  const given = await decide(rig, 'grace', id, approve);
  const [first, second] = rig.grants.read(id, Date.now())?.events ?? [];
  assert.ok(first?.kind === 'asked' && second?.kind === 'approved');
  const issuer = 'https://idp.example.com';
  for (const [{ by }, subject] of [
    [first, 'ada'],
    [second, 'grace'],
  ] as const) {
    assert.deepEqual([by.uid, by.person], [null, { issuer, subject }]);
    assert.deepEqual(by.login, { via: 'api', address: '127.0.0.1', authenticatedMs: null });
  }
  assert.doesNotMatch(JSON.stringify(given.json), /127\.0\.0\.1/);
});

test('two different people have to give it where policy wants two, and neither is one of an account of the machine', async (context) => {
  const rig = await consoleRig(context, {
    policy: (input) => (input.action === 'ask' ? { terms: { ...grantTerms, quorum: 2 } } : policy(input)),
  });
  const { id } = await asked(rig);
  assert.equal((await decide(rig, 'grace', id, approve)).json.state, 'pending');
  const again = isProblem(await decide(rig, 'grace', id, approve), 409, 'decided_already');
  assert.match(again.detail, /approved this already/);
  assert.equal((await decide(rig, 'sam', id, approve)).json.state, 'in_force');
});

test('nobody decides about their own request, though policy forgets to say so', async (context) => {
  for (const forgets of [false, true]) {
    const rig = await consoleRig(context, {
      policy: (input) => policy(forgets && input.action === 'grant' ? { ...input, person: null } : input),
    });
    const { id } = await asked(rig, 'grace');
    for (const body of [approve, { decision: 'deny', reason: 'I changed my mind' }]) {
      const { reasons } = isProblem(await decide(rig, 'grace', id, body), 403, 'denied');
      assert.deepEqual(
        reasons?.map(({ rule }) => rule),
        forgets ? undefined : ['console/own_request'],
      );
    }
    assert.equal(rig.grants.read(id, Date.now())?.state.kind, 'pending');
    assert.ok(rig.looks.some(({ subject }) => subject.startsWith(`refused: approve ${id} (`)));
  }
});

test('everybody sees their own, and that of others only who may give it there; what is hidden is as if it were not', async (context) => {
  const rig = await consoleRig(context, { policy });
  const ada = await asked(rig);
  const bob = await asked(rig, 'bob', { connection: 'sandbox' });
  const olga = await asked(rig, 'olga');
  assert.deepEqual(await idsOf(rig, 'ada'), [ada.id]);
  assert.deepEqual(await idsOf(rig, 'bob'), [bob.id]);
  assert.deepEqual((await idsOf(rig, 'grace')).sort(), [ada.id, olga.id].sort());
  assert.deepEqual(await idsOf(rig, 'grace', '?whose=own'), []);
  assert.deepEqual(await idsOf(rig, 'olga', '?whose=own'), [olga.id]);
  for (const [method, path, body] of [
    ['GET', '/ID', undefined],
    ['POST', '/ID/decisions', approve],
  ] as const) {
    const hidden = await call(rig, 'bob', method, path.replace('ID', ada.id), body);
    const absent = await call(rig, 'grace', method, path.replace('ID', 'g-none'), body);
    isProblem(hidden, 404, 'not_found');
    assert.deepEqual(hidden, absent);
    isProblem(await call(rig, 'grace', method, path.replace('ID', bob.id), body), 404, 'not_found');
  }
  assert.equal(rig.grants.read(ada.id, Date.now())?.state.kind, 'pending');
  assert.ok(rig.looks.some(({ subject }) => subject === `refused: approve ${ada.id} (not to be seen)`));
});

test('break-glass is no request for access: it is neither shown nor decided there', async (context) => {
  const rig = await consoleRig(context, { policy });
  const by = { name: 'root', uid: 0, person: { issuer: 'https://idp.example.com', subject: 'root' } };
  const glass = { kind: 'break_glass' as const, holder: null, connection: 'claude', skill: null, model: null };
  const terms = { quorum: 1, openMs: 3_600_000, grantMaxMs: 3_600_000, approvers: [] };
  const begun = rig.grants.ask({ wanted: { ...glass, forMs: 60_000 }, terms, by, reason: 'incident 42' }, Date.now());
  assert.ok(begun.kind === 'recorded');
  assert.deepEqual(await idsOf(rig, 'grace', '?state=all'), []);
  isProblem(await decide(rig, 'grace', begun.grant.id, approve), 404, 'not_found');
  assert.equal(rig.grants.read(begun.grant.id, Date.now())?.state.kind, 'pending');
});

test('what policy does not offer, what cannot be and what is too much is refused in words', async (context) => {
  const rig = await consoleRig(context, { policy, grantLimits: { grantsMax: 3, grantsPerPersonMax: 1 } });
  const ask = (changes: object) => call(rig, 'ada', 'POST', '', { ...wanted, ...changes });
  const tooLong = isProblem(await ask({ minutes: 300 }), 403, 'denied');
  assert.deepEqual(
    tooLong.reasons?.map(({ rule }) => rule),
    ['console/access_offered'],
  );
  assert.match(isProblem(await ask({ connection: 'elsewhere' }), 422, 'invalid').detail, /no connection elsewhere/);
  for (const changes of [
    { connection: undefined },
    { skill: 'pdf', model: 'claude-opus-5-5' },
    { skill: ' ' },
    { connection: 'x'.repeat(257) },
    { minutes: 0 },
    { minutes: 1.5 },
    { minutes: 44_641 },
    { reason: ' ' },
    { person: { issuer: 'https://idp.example.com', subject: 'bob' } },
  ]) {
    isProblem(await ask(changes), 422, 'invalid');
  }
  isProblem(await call(rig, 'ada', 'GET', '?whose=others'), 422, 'invalid');
  isProblem(await call(rig, null, 'GET', ''), 401, 'not_authenticated');
  assert.deepEqual(rig.grants.list('all', 10, Date.now()), []);
  const { id } = await asked(rig);
  isProblem(await ask({ minutes: 60 }), 429, 'too_many');
  isProblem(await decide(rig, 'grace', id, { ...approve, minutes: 0 }), 422, 'invalid');
  isProblem(await decide(rig, 'grace', id, { decision: 'deny', reason: 'no', minutes: 5 }), 422, 'invalid');
  await decide(rig, 'grace', id, { decision: 'deny', reason: 'use the sandbox for this' });
  const late = isProblem(await decide(rig, 'sam', id, approve), 409, 'decided_already');
  assert.deepEqual([late.accessRequest?.id, late.accessRequest?.state], [id, 'denied']);
});

test('looks and attempts are recorded before anything is shown or asked, and without that nothing happens', async (context) => {
  const rig = await consoleRig(context, { policy });
  const { id } = await asked(rig, 'ada', { reason: 'as ada@example.com said' });
  const [first] = rig.looks;
  assert.deepEqual([first?.what, String(first?.why)], ['access', 'as [EMAIL] said']);
  assert.match(String(first?.subject), /^ask\n.*"connection":"claude"/s);
  assert.doesNotMatch(JSON.stringify(rig.grants.read(id, Date.now())?.events), /as ada@example/);
  await idsOf(rig, 'grace', '?state=all');
  await decide(rig, 'grace', id, approve);
  assert.deepEqual(
    rig.looks.slice(1).map(({ what, subject }) => [what, String(subject)]),
    [
      ['access', 'all grants'],
      ['decision', `approve ${id}`],
    ],
  );
  rig.looks.push = () => {
    throw new Error('the disk is full');
  };
  for (const [method, path, body] of [
    ['GET', '', undefined],
    ['GET', `/${id}`, undefined],
    ['POST', '', { ...wanted, connection: 'sandbox' }],
    ['POST', `/${id}/decisions`, { decision: 'revoke', reason: 'the release is out' }],
  ] as const) {
    const count = rig.inputs.length;
    isProblem(await call(rig, 'grace', method, path, body), 503, 'unavailable');
    assert.equal(rig.inputs.length, count);
  }
  assert.equal(rig.grants.list('all', 10, Date.now()).length, 1);
  assert.equal(rig.grants.read(id, Date.now())?.state.kind, 'in_force');
});

test('a list goes on where the page before ended, and ends though most of it is not to be seen', async (context) => {
  const rig = await consoleRig(context, { policy });
  for (const skill of ['a', 'b', 'c', 'd', 'e']) await asked(rig, 'ada', { skill });
  for (let number = 0; number < 12; number += 1) {
    for (const skill of Array.from({ length: 10 }, (_, at) => `s-${at}`))
      await asked(rig, `p-${number}`, { connection: 'sandbox', skill });
  }
  for (const [who, query] of [
    ['ada', 'state=live'],
    ['grace', 'state=all'],
    ['ada', 'whose=own&state=all'],
  ] as const) {
    const seen: string[] = [];
    let after: string | null = '';
    for (let page = 0; page < 20 && after !== null; page += 1) {
      const more: string = after === '' ? '' : `&after=${after}`;
      const list = accessListDocument.parse((await call(rig, who, 'GET', `?limit=2&${query}${more}`)).json);
      seen.push(...list.accessRequests.map(({ id }) => id));
      after = list.next;
    }
    assert.deepEqual([after, seen.length, new Set(seen).size], [null, 5, 5], `${who} ${query}`);
  }
});

test('the API takes the cookie of a session to ask only with its token', async (context) => {
  const rig = await consoleRig(context, { policy });
  const [pending] = (await rig.app.inject('/login')).cookies;
  const login = { [pending?.name ?? '']: pending?.value ?? '' };
  const back = await rig.app.inject({ url: '/login/callback?code=c&state=s', cookies: login });
  const session = back.cookies.find(({ name }) => name === '__Host-skilltape-session');
  const cookies = { [session?.name ?? '']: session?.value ?? '' };
  const { csrfToken } = (await rig.app.inject({ url: '/api/v1/me', cookies })).json();
  const post = async (headers: Record<string, string>) => {
    const init = { method: 'POST' as const, url: '/api/v1/access-requests', cookies, payload: wanted };
    return (await rig.app.inject({ ...init, headers: { origin, ...headers } })).statusCode;
  };
  assert.equal(await post({}), 403);
  assert.equal(await post({ 'x-csrf-token': csrfToken, origin: 'https://evil.example' }), 403);
  assert.deepEqual(rig.grants.list('all', 10, Date.now()), []);
  assert.equal(await post({ 'x-csrf-token': csrfToken }), 200);
  assert.equal(rig.grants.list('all', 10, Date.now())[0]?.wanted.holder?.subject, 'grace');
});
