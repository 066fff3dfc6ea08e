import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openLoopback } from '../../../extproc/login/loopback.ts';

const get = (url: string, method = 'GET') => fetch(url, { method });

test('only the login that is waited for is taken, once', async () => {
  const loopback = await openLoopback(10_000);
  try {
    const { redirectUri } = loopback;
    assert.match(redirectUri, /^http:\/\/127\.0\.0\.1:\d+\/callback$/);
    assert.equal((await get(`${redirectUri}?state=s1&code=early`)).status, 404);
    const arrived = loopback.redirected('s1');
    for (const [path, method] of [
      ['?state=other&code=x', 'GET'],
      ['?code=x', 'GET'],
      ['/?state=s1&code=x', 'GET'],
      ['?state=s1&code=x', 'POST'],
    ]) {
      assert.equal((await get(`${redirectUri}${path}`, method)).status, 404, path);
    }
    const answer = await get(`${redirectUri}?state=s1&code=right`);
    assert.equal(answer.status, 200);
    assert.equal(answer.headers.get('cache-control'), 'no-store');
    assert.equal((await arrived).searchParams.get('code'), 'right');
    assert.ok(!(await answer.text()).includes('right'));
    assert.equal((await get(`${redirectUri}?state=s1&code=again`)).status, 404);
  } finally {
    await loopback.close();
  }
});

test('a login that nobody finishes is given up', async () => {
  const loopback = await openLoopback(20);
  await assert.rejects(loopback.redirected('s'), /nobody logged in/);
  await loopback.close();
});
