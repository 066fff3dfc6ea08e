import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openApiDocument } from '../../../extproc/console/api/openapi.ts';
import { listDocument, meDocument, operations } from '../../../extproc/console/api/operations.ts';
import { problemDocument } from '../../../extproc/console/api/problem.ts';
import { ticketDocument } from '../../../extproc/console/api/ticket-document.ts';
import type { ConsoleInput } from '../../../extproc/policy/console.ts';
import { consoleRig, origin } from '../../builders/console.ts';

type Rig = Awaited<ReturnType<typeof consoleRig>>;

async function call({ app }: Rig, who: string | null, method: 'GET' | 'POST', path: string, payload?: object) {
  const headers = who === null ? {} : { authorization: `Bearer ${who}` };
  const response = await app.inject({ method, url: `/api/v1${path}`, headers, ...(payload && { payload }) });
  return { status: response.statusCode, type: String(response.headers['content-type']), json: response.json() };
}

const deny = { decision: 'deny', reason: 'not with this customer' };
const approve = { decision: 'approve', reason: 'checked with the owner' };

function isProblem(answer: Awaited<ReturnType<typeof call>>, status: number, type: string) {
  assert.equal(answer.status, status);
  assert.match(answer.type, /^application\/problem\+json/);
  const read = problemDocument.parse(answer.json);
  assert.deepEqual([read.status, read.type], [status, `urn:skilltape:problem:${type}`]);
  return read;
}

test('held requests are listed, read and decided by a token, as the document says', async (context) => {
  const rig = await consoleRig(context);
  const ticket = rig.hold();
  const me = meDocument.parse((await call(rig, 'grace', 'GET', '/me')).json);
  assert.deepEqual([me.subject, me.csrfToken], ['grace', null]);
  const list = listDocument.parse((await call(rig, 'grace', 'GET', '/approvals')).json);
  assert.deepEqual(
    list.approvals.map((one) => one.ticket),
    [ticket],
  );
  const one = ticketDocument.parse((await call(rig, 'grace', 'GET', `/approvals/${ticket}`)).json);
  assert.deepEqual([one.state, one.excerpt, one.leftOut.chars], ['pending', 'deploy with [SECRET]', 120]);
  const decided = await call(rig, 'grace', 'POST', `/approvals/${ticket}/decisions`, approve);
  const after = ticketDocument.parse(decided.json);
  assert.deepEqual([decided.status, after.state, after.approvals], [200, 'granted', 1]);
  const by = after.events.find(({ kind }) => kind === 'approved')?.by;
  assert.deepEqual([by?.kind, by?.subject, by?.via, by?.authenticatedAt], ['person', 'grace', 'api', null]);
  const back = await call(rig, 'sam', 'POST', `/approvals/${ticket}/decisions`, { decision: 'revoke', reason: 'over' });
  assert.equal(ticketDocument.parse(back.json).state, 'revoked');
});

test('a second decision gets what was decided, and changes nothing', async (context) => {
  const rig = await consoleRig(context);
  const ticket = rig.hold();
  const path = `/approvals/${ticket}/decisions`;
  await call(rig, 'grace', 'POST', path, approve);
  const events = rig.desk.read(ticket, Date.now())?.events.length;
  for (const [who, body] of [
    ['grace', approve],
    ['sam', approve],
    ['sam', deny],
  ] as const) {
    const again = isProblem(await call(rig, who, 'POST', path, body), 409, 'decided_already');
    assert.equal(again.approval?.state, 'granted');
    assert.equal(again.approval?.events.find(({ kind }) => kind === 'approved')?.by?.subject, 'grace');
  }
  assert.equal(rig.desk.read(ticket, Date.now())?.events.length, events);
  const refused = rig.looks.filter(({ subject }) => subject.startsWith('refused: '));
  assert.equal(refused.length, 3);
  assert.match(String(refused[0]?.subject), /not_open granted/);
});

test('of an approval and a denial at once one is recorded, and the other is told of it', async (context) => {
  const rig = await consoleRig(context);
  for (let round = 0; round < 20; round += 1) {
    const ticket = rig.hold({ binding: `b-${round}` });
    const path = `/approvals/${ticket}/decisions`;
    const order = round % 2 === 0 ? ([approve, deny] as const) : ([deny, approve] as const);
    const answers = await Promise.all([
      call(rig, 'grace', 'POST', path, order[0]),
      call(rig, 'sam', 'POST', path, order[1]),
    ]);
    assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 409]);
    const decisions = rig.desk
      .read(ticket, Date.now())
      ?.events.filter(({ kind }) => kind === 'approved' || kind === 'denied');
    assert.equal(decisions?.length, 1);
  }
});

test('two different people have to approve where policy wants two', async (context) => {
  const rig = await consoleRig(context);
  const ticket = rig.hold({ terms: { quorum: 2 } });
  const path = `/approvals/${ticket}/decisions`;
  assert.equal((await call(rig, 'grace', 'POST', path, approve)).json.state, 'pending');
  const again = isProblem(await call(rig, 'grace', 'POST', path, approve), 409, 'decided_already');
  assert.match(again.detail, /approved this already/);
  assert.equal((await call(rig, 'sam', 'POST', path, approve)).json.state, 'granted');
});

test('what policy denies is refused with its rules and recorded; what may not be seen is as if it were not', async (context) => {
  const rig = await consoleRig(context);
  const ticket = rig.hold();
  const own = await call(rig, 'ada', 'POST', `/approvals/${ticket}/decisions`, approve);
  const denied = isProblem(own, 403, 'denied');
  assert.deepEqual(
    denied.reasons?.map(({ rule }) => rule),
    ['console/own_request'],
  );
  assert.deepEqual((await call(rig, 'nobody', 'GET', '/approvals')).json, { approvals: [], next: null });
  for (const [method, path, body] of [
    ['GET', '/approvals/ID', undefined],
    ['POST', '/approvals/ID/decisions', deny],
  ] as const) {
    const hidden = await call(rig, 'nobody', method, path.replace('ID', ticket), body);
    const absent = await call(rig, 'grace', method, path.replace('ID', 't-none'), body);
    isProblem(hidden, 404, 'not_found');
    assert.deepEqual(hidden, absent);
  }
  assert.equal(rig.desk.read(ticket, Date.now())?.state.kind, 'pending');
  const subjects = rig.looks.map(({ subject }) => String(subject));
  assert.ok(
    subjects.includes(`approve ${ticket}`) && subjects.includes(`refused: approve ${ticket} (console/own_request)`),
  );
  assert.ok(subjects.includes(`refused: deny ${ticket} (not to be seen)`));
});

test('the look is recorded before policy is asked or a ticket is read, and where it cannot be, nothing is shown', async (context) => {
  const rig = await consoleRig(context);
  const ticket = rig.hold();
  await call(rig, 'grace', 'GET', `/approvals/${ticket}`);
  const { who, what } = rig.looks[0] ?? assert.fail();
  assert.equal(what, 'approvals');
  assert.deepEqual('subject' in who && [who.issuer, who.subject, who.address], [
    'https://idp.example.com',
    'grace',
    '127.0.0.1',
  ]);
  rig.looks.push = () => {
    throw new Error('the disk is full');
  };
  for (const [method, path, body] of [
    ['GET', '/approvals', undefined],
    ['GET', `/approvals/${ticket}`, undefined],
    ['POST', `/approvals/${ticket}/decisions`, deny],
  ] as const) {
    const asked = rig.inputs.length;
    const failed = await call(rig, 'grace', method, path, body);
    isProblem(failed, 503, 'unavailable');
    assert.doesNotMatch(JSON.stringify(failed.json), /disk|SECRET/);
    assert.equal(rig.inputs.length, asked);
  }
  assert.equal(rig.desk.read(ticket, Date.now())?.state.kind, 'pending');
});

test('what cannot be read is refused in words, and decides nothing', async (context) => {
  const rig = await consoleRig(context);
  const ticket = rig.hold();
  const path = `/approvals/${ticket}/decisions`;
  for (const body of [
    {},
    { decision: 'approve' },
    { decision: 'approve', reason: '  ' },
    { decision: 'deny', reason: 'x'.repeat(501) },
    { decision: 'allow', reason: 'why not' },
    { ...approve, scope: 'everything' },
    { ...approve, uses: 0 },
    { ...approve, minutes: 1.5 },
    { ...deny, scope: 'session' },
  ]) {
    isProblem(await call(rig, 'grace', 'POST', path, body), 422, 'invalid');
  }
  isProblem(await call(rig, 'grace', 'POST', path, { ...approve, scope: 'skill' }), 422, 'invalid');
  isProblem(await call(rig, 'grace', 'GET', '/approvals?limit=0'), 422, 'invalid');
  isProblem(await call(rig, 'grace', 'GET', '/approvals?order=up'), 422, 'invalid');
  isProblem(await call(rig, 'grace', 'GET', '/nothing'), 404, 'not_found');
  isProblem(await call(rig, 'grace', 'POST', path, { ...deny, reason: 'x'.repeat(20_000) }), 413, 'too_large');
  isProblem(await call(rig, null, 'GET', '/approvals'), 401, 'not_authenticated');
  assert.deepEqual(
    rig.desk.read(ticket, Date.now())?.events.map(({ kind }) => kind),
    ['opened', 'waiting'],
  );
});

test('a list goes on where the page before ended', async (context) => {
  const rig = await consoleRig(context);
  for (let number = 0; number < 5; number += 1) rig.hold({ binding: `b-${number}` });
  const seen: string[] = [];
  let after: string | null = '';
  while (after !== null) {
    const query: string = after === '' ? '' : `&after=${after}`;
    const page = listDocument.parse((await call(rig, 'grace', 'GET', `/approvals?limit=2${query}`)).json);
    seen.push(...page.approvals.map(({ ticket }) => ticket));
    after = page.next;
  }
  assert.equal(seen.length, 5);
  assert.equal(new Set(seen).size, 5);
});

test('where a list goes on says nothing of tickets that a person may not see, and is good for them and that list alone', async (context) => {
  const isHidden = ({ connection, action }: ConsoleInput) => connection === 'secret' && action === 'approvals';
  const denied = { verdict: 'deny' as const, reasons: [{ rule: 'console/operator_listed', message: 'No.' }] };
  const rig = await consoleRig(context, { policy: (input) => (isHidden(input) ? denied : {}) });
  const shown = rig.hold({ binding: 'shown' });
  const hidden = Array.from({ length: 520 }, (_, number) =>
    rig.hold({ binding: `h-${number}`, caller: `c-${number}`, summary: { connection: 'secret' } }),
  );
  const list = async (query: string, who = 'grace') => call(rig, who, 'GET', `/approvals?${query}`);
  const [first, again] = [(await list('limit=100')).json, (await list('limit=100')).json];
  const ids = [shown, ...hidden].sort();
  for (const { approvals, next } of [first, again]) {
    assert.deepEqual(
      approvals.map(({ ticket }: { ticket: string }) => ticket),
      // The oldest first, and 500 at once: it may be behind them.
      ids.indexOf(shown) < 500 ? [shown] : [],
    );
    const bytes = `${next} ${Buffer.from(next, 'base64url').toString('latin1')}`;
    assert.deepEqual(
      ids.filter((id) => bytes.includes(id) || bytes.includes(id.slice(2, 8))),
      [],
    );
  }
  assert.notEqual(first.next, again.next);
  const rest = listDocument.parse((await list(`after=${first.next}`)).json);
  assert.equal(rest.next, null);
  assert.equal(first.approvals.length + rest.approvals.length, 1);
  isProblem(await list(`after=${first.next}`, 'sam'), 422, 'invalid');
  isProblem(await list(`state=all&after=${first.next}`), 422, 'invalid');
  isProblem(await list(`after=${first.next.slice(0, -2)}AA`), 422, 'invalid');
  isProblem(await list(`after=${hidden[7]}`), 422, 'invalid');
});

test('the OpenAPI document has exactly the routes that there are', async (context) => {
  const rig = await consoleRig(context);
  const served: string[] = [];
  rig.app.addHook('onRoute', ({ url, method }) => {
    const methods = [method].flat().filter((name) => name !== 'HEAD');
    if (url.startsWith('/api/'))
      served.push(...methods.map((name) => `${url.replaceAll(/:(\w+)/g, '{$1}')} (${name})`));
  });
  await rig.app.ready();
  const { status, json } = await call(rig, null, 'GET', '/openapi.json');
  assert.equal(status, 200);
  assert.deepEqual(json, JSON.parse(JSON.stringify(openApiDocument(origin, '__Host-skilltape-session'))));
  const documented = Object.entries(json.paths).flatMap(([path, methods]) =>
    Object.keys(methods as object).map((method) => `${path} (${method.toUpperCase()})`),
  );
  assert.deepEqual(documented.sort(), served.sort());
  assert.equal(documented.length, operations.length);
  const references = JSON.stringify(json).match(/#\/components\/schemas\/\w+/g) ?? [];
  for (const reference of references)
    assert.ok(reference.split('/').at(-1) ?? '' in json.components.schemas, reference);
});
