import assert from 'node:assert/strict';
import { test } from 'node:test';
import { problemDocument } from '../../../extproc/console/api/problem.ts';
import { PersonLimits, personLimits } from '../../../extproc/console/person-limits.ts';
import { consoleRig, identityOf, logInTo } from '../../builders/console.ts';

type Rig = Awaited<ReturnType<typeof consoleRig>>;

const { looksPerMinuteMax, decisionsPerMinuteMax, listeningPagesMax } = personLimits;

function recorded({ looks }: Rig, limit: string): number {
  return looks.filter(({ subject }) => subject.startsWith('refused: ') && subject.includes(limit)).length;
}

test('a person who looks more than so often in a minute is shown no more of it by pages and API, and it is recorded once', async (context) => {
  let nowMs = 1_000_000;
  const rig = await consoleRig(context, { now: () => nowMs });
  const { get } = await logInTo(rig);
  const headers = { authorization: 'Bearer grace' };
  for (let look = 1; look < looksPerMinuteMax; look += 1) {
    const { statusCode } = look % 2 === 0 ? await get('/access') : await rig.app.inject({ url: '/api/v1/me', headers });
    assert.equal(statusCode, 200, `look ${look}`);
  }
  const asked = rig.inputs.length;
  for (const url of ['/approvals', '/decided', '/access', '/access/g-1', '/approvals/t-1', '/events']) {
    const page = await get(url);
    assert.deepEqual(
      [page.statusCode, page.headers['retry-after'], page.headers['cache-control']],
      [429, '60', 'no-store'],
    );
    assert.match(page.body, /240 times in this minute/);
  }
  for (const url of ['/api/v1/me', '/api/v1/approvals', '/api/v1/access-requests']) {
    const answer = await rig.app.inject({ url, headers });
    assert.match(String(answer.headers['content-type']), /^application\/problem\+json/);
    assert.deepEqual(
      [answer.statusCode, problemDocument.parse(answer.json()).type],
      [429, 'urn:skilltape:problem:too_many'],
    );
  }
  assert.equal(rig.inputs.length, asked, 'policy is asked no more');
  assert.equal(recorded(rig, 'looksPerMinuteMax'), 1);
  const other = await rig.app.inject({ url: '/api/v1/approvals', headers: { authorization: 'Bearer sam' } });
  assert.equal(other.statusCode, 200);
  nowMs += 60_000;
  assert.equal((await get('/approvals')).statusCode, 200);
});

test('a person who sends more than so many decisions in a minute decides nothing by the rest, forged ones counted', async (context) => {
  let nowMs = 1_000_000;
  const rig = await consoleRig(context, { now: () => nowMs });
  const ticket = rig.hold();
  const { post } = await logInTo(rig);
  const form = { reason: 'not with this customer' };
  for (let sent = 0; sent < decisionsPerMinuteMax; sent += 1) {
    const isForged = sent % 2 === 0;
    const answer = await post('/approvals/t-none/deny', isForged ? { ...form, csrf: 'forged' } : form);
    assert.equal(answer.statusCode, isForged ? 403 : 404);
  }
  const looks = rig.looks.length;
  assert.equal((await post(`/approvals/${ticket}/deny`, form)).statusCode, 429);
  assert.equal((await post('/access', { ...form, connection: 'claude', minutes: '5' })).statusCode, 429);
  const answer = await rig.app.inject({
    ...{ method: 'POST', url: `/api/v1/approvals/${ticket}/decisions`, headers: { authorization: 'Bearer grace' } },
    payload: { decision: 'deny', ...form },
  });
  assert.equal(answer.statusCode, 429);
  assert.equal(rig.looks.length, looks + 1);
  assert.equal(recorded(rig, 'decisionsPerMinuteMax'), 1);
  assert.equal(rig.desk.read(ticket, nowMs)?.state.kind, 'pending');
  nowMs += 60_000;
  assert.equal((await post(`/approvals/${ticket}/deny`, form)).statusCode, 303);
});

test('pages of one person that listen are so many at once, whichever of their sessions they are of', () => {
  const limits = new PersonLimits(() => 1_000);
  const [grace, sam] = [identityOf('grace'), identityOf('sam')];
  const pages = Array.from({ length: listeningPagesMax }, () => limits.listen(grace));
  assert.ok(pages.every((page) => typeof page === 'function'));
  assert.deepEqual(limits.listen(grace), { limit: 'listeningPagesMax', isFirst: true, retryAfterSeconds: 60 });
  assert.deepEqual(limits.listen(grace), { limit: 'listeningPagesMax', isFirst: false, retryAfterSeconds: 60 });
  assert.equal(typeof limits.listen(sam), 'function');
  const [first] = pages;
  if (typeof first === 'function') first();
  assert.equal(typeof limits.listen(grace), 'function');
  assert.equal(typeof limits.listen(grace), 'object');
});

test('streams that are too many over all sessions of a person are refused, and recorded once', async (context) => {
  const rig = await consoleRig(context);
  const base = await rig.app.listen({ host: '127.0.0.1', port: 0 });
  const statuses: number[] = [];
  for (let session = 0; session < 3; session += 1) {
    const { cookie } = await logInTo(rig);
    for (let page = 0; page < 8; page += 1) {
      const abort = new AbortController();
      context.after(() => abort.abort());
      statuses.push((await fetch(`${base}/events`, { headers: { cookie }, signal: abort.signal })).status);
    }
  }
  assert.deepEqual(statuses, [...Array(20).fill(200), ...Array(4).fill(429)]);
  assert.equal(recorded(rig, 'listeningPagesMax'), 1);
});
