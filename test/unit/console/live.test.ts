import assert from 'node:assert/strict';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { consoleRig, origin } from '../../builders/console.ts';
import { waitUntil } from '../../environment/wait.ts';

type Rig = Awaited<ReturnType<typeof consoleRig>>;

async function logIn({ app }: Rig): Promise<{ cookie: string; csrf: string }> {
  const [pending] = (await app.inject('/login')).cookies;
  const cookies = { [pending?.name ?? '']: pending?.value ?? '' };
  const back = await app.inject({ url: '/login/callback?code=c&state=s', cookies });
  const session = back.cookies.find(({ name }) => name === '__Host-skilltape-session');
  const cookie = `${session?.name}=${session?.value}`;
  const { csrfToken } = (await app.inject({ url: '/api/v1/me', headers: { cookie } })).json();
  return { cookie, csrf: csrfToken };
}

/** What a page hears, as it comes. */
async function listen(context: TestContext, { app }: Rig, cookie: string, query = '') {
  if (!app.server.listening) await app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = app.server.address() as AddressInfo;
  const controller = new AbortController();
  context.after(() => controller.abort());
  const response = await fetch(`http://127.0.0.1:${port}/events${query}`, {
    headers: { cookie },
    signal: controller.signal,
  });
  const heard = { status: response.status, headers: response.headers, text: '', isOver: false };
  void (async () => {
    const decoder = new TextDecoder();
    for await (const chunk of response.body ?? []) heard.text += decoder.decode(chunk);
    heard.isOver = true;
  })().catch(() => {});
  return heard;
}

const changes = (text: string) => text.match(/event: changed/g)?.length ?? 0;

/** A few looks of the process, in which nothing may come. */
const quietMs = 1_600;
const quiet = () => new Promise((resolve) => setTimeout(resolve, quietMs));

test('a page hears that something changed for it, and nothing of what it was', async (context) => {
  const rig = await consoleRig(context);
  const { cookie } = await logIn(rig);
  const heard = await listen(context, rig, cookie);
  assert.match(String(heard.headers.get('content-type')), /text\/event-stream/);
  assert.match(String(heard.headers.get('content-security-policy')), /default-src 'none'/);
  await waitUntil('the page is told that it is not known what it shows', () => changes(heard.text) === 1);
  const ticket = rig.hold();
  await rig.app.inject({ url: '/api/v1/approvals', headers: { authorization: 'Bearer sam' } });
  // This process wrote it itself, which no version counts: a decision by the API says so.
  const deny = { decision: 'deny', reason: 'not with this customer' };
  await rig.app.inject({
    ...{ method: 'POST', url: `/api/v1/approvals/${ticket}/decisions`, payload: deny },
    headers: { authorization: 'Bearer sam' },
  });
  const other = rig.hold({ binding: 'b-2' });
  await rig.app.inject({
    ...{ method: 'POST', url: `/api/v1/approvals/${other}/decisions`, payload: { ...deny, decision: 'approve' } },
    headers: { authorization: 'Bearer sam' },
  });
  // Sooner than when pages are looked at for what time alone ends.
  await waitUntil('it changed', () => changes(heard.text) > 1, 10_000);
  assert.doesNotMatch(heard.text, /t-|sam|ada/);
});

test('a page that shows what there is hears nothing until it changes', async (context) => {
  const rig = await consoleRig(context);
  rig.hold();
  const { cookie } = await logIn(rig);
  const page = await rig.app.inject({ url: '/approvals', headers: { cookie } });
  const [, query = ''] = /data-events="\/events([^"]+)"/.exec(page.body) ?? [];
  const looks = rig.looks.length;
  const heard = await listen(context, rig, cookie, query);
  await quiet();
  assert.equal(changes(heard.text), 0);
  assert.equal(rig.looks.length, looks, 'nothing was shown, so nothing was looked at');
});

test('whoever may see nothing hears nothing', async (context) => {
  const rig = await consoleRig(context, {
    policy: () => ({ verdict: 'deny', reasons: [{ rule: 'x', message: 'x' }] }),
  });
  const { cookie } = await logIn(rig);
  const page = await rig.app.inject({ url: '/approvals', headers: { cookie } });
  const [, query = ''] = /data-events="\/events([^"]+)"/.exec(page.body) ?? [];
  const heard = await listen(context, rig, cookie, query);
  rig.hold();
  await quiet();
  assert.equal(changes(heard.text), 0);
});

test('the stream ends with the session', async (context) => {
  const rig = await consoleRig(context);
  const { cookie, csrf } = await logIn(rig);
  const heard = await listen(context, rig, cookie);
  assert.equal(heard.status, 200);
  const headers = { origin, cookie, 'content-type': 'application/x-www-form-urlencoded' };
  await rig.app.inject({ method: 'POST', url: '/logout', headers, payload: `csrf=${csrf}` });
  await waitUntil('the stream is over', () => heard.isOver);
  assert.match(heard.text, /event: ended/);
  assert.equal((await listen(context, rig, cookie)).status, 401);
});

test('one session has ten pages that listen at the most', async (context) => {
  const rig = await consoleRig(context);
  const { cookie } = await logIn(rig);
  const statuses: number[] = [];
  for (let page = 0; page < 11; page += 1) statuses.push((await listen(context, rig, cookie)).status);
  assert.deepEqual(statuses, [...Array(10).fill(200), 503]);
});

test('a page that begins to listen with what is not so any more hears it soon, beside others that listen', async (context) => {
  const rig = await consoleRig(context);
  rig.hold();
  const { cookie } = await logIn(rig);
  const page = await rig.app.inject({ url: '/approvals', headers: { cookie } });
  const [, query = ''] = /data-events="\/events([^"]+)"/.exec(page.body) ?? [];
  const first = await listen(context, rig, cookie, query);
  await quiet();
  const late = await listen(context, rig, cookie, '?seen=stale');
  // Sooner than when pages are looked at for what time alone ends.
  await waitUntil('the late one hears it', () => changes(late.text) === 1, 10_000);
  assert.equal(changes(first.text), 0);
});
