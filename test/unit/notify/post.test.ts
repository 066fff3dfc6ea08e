import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { test } from 'node:test';
import { backoffMs } from '../../../extproc/notify/backoff.ts';
import { post, refusalOf, retryAfterMsOf } from '../../../extproc/notify/post.ts';
import { startReceiver } from '../../environment/receiver.ts';

test('it is posted over https, or on this host; over http elsewhere when the operator says so', () => {
  for (const url of ['https://chat.example/x?y=1', 'http://127.0.0.1:8080/', 'http://[::1]/', 'http://localhost/'])
    assert.equal(refusalOf(url, false), null, url);
  for (const url of [
    'http://chat.example',
    'http://127.0.0.1.evil.example',
    'http://localhost.evil.example',
    'http://169.254.169.254/',
  ])
    assert.ok(refusalOf(url, false), url);
  assert.equal(refusalOf('http://chat.internal', true), null);
  for (const url of ['file:///etc/passwd', 'ftp://x', 'https://user:pw@chat.example', 'nonsense'])
    assert.ok(refusalOf(url, true), url);
});

test('of a long answer no more than the bound is read, and nothing of it is repeated', async (context) => {
  const receiver = await startReceiver((response) => {
    response.writeHead(503, { 'content-type': 'text/plain' });
    const more = () => {
      while (!response.destroyed && response.write('secret words '.repeat(1_000)));
      response.once('drain', more);
    };
    more();
  });
  context.after(() => receiver.close());
  const sent = await post({ url: receiver.url, allowPlainHttp: false, headers: {}, body: '{}' }, 5_000);
  assert.deepEqual(sent, { kind: 'failed', why: 'answered with 503', isFinal: false, retryAfterMs: null });
});

test('a message that was taken counts as taken, also when the answer never ends or breaks off', async (context) => {
  for (const end of [() => {}, (response: ServerResponse) => response.destroy()]) {
    const receiver = await startReceiver((response) => {
      response.writeHead(200, { 'content-type': 'text/plain', 'content-length': '100' });
      response.write('ok', () => end(response));
    });
    context.after(() => receiver.close());
    const sent = await post({ url: receiver.url, allowPlainHttp: false, headers: {}, body: '{}' }, 1_500);
    assert.deepEqual(sent, { kind: 'delivered' });
  }
});

test('an address that nobody answers at is not named in the reason', async () => {
  const url = 'http://127.0.0.1:1/T000/B000/token';
  const sent = await post({ url, allowPlainHttp: false, headers: {}, body: '{}' }, 2_000);
  assert.equal(sent.kind, 'failed');
  assert.doesNotMatch(JSON.stringify(sent), /T000|127/);
});

test('a receiver says in seconds or by a date how long it wants to be left alone, and is heeded for 15 minutes at most', () => {
  assert.equal(retryAfterMsOf('30'), 30_000);
  assert.equal(retryAfterMsOf('Thu, 01 Jan 1970 00:01:00 GMT', 0), 60_000);
  assert.equal(retryAfterMsOf('999999999'), 15 * 60_000);
  for (const header of [null, '', 'soon', '-5', '0', '1e9']) assert.equal(retryAfterMsOf(header), null, String(header));
});

test('each retry comes later than the one before, spread over half of its time, up to five minutes', () => {
  assert.deepEqual(
    [1, 2, 3, 4].map((attempts) => backoffMs(attempts, 1, null)),
    [2_000, 4_000, 8_000, 16_000],
  );
  assert.equal(backoffMs(1, 0, null), 1_000);
  assert.equal(backoffMs(1_000, 1, null), 300_000);
  assert.equal(backoffMs(1, 0, 60_000), 60_000);
});
