import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RefusalReason } from '../../../extproc/exchange/refusal.ts';
import { denialReply, refusalReply } from '../../../extproc/exchange/refusal.ts';

const id = '019bc0de-0000-7000-8000-000000000001';

const reasons: [RefusalReason, status: number, type: string, errorCode: string | undefined][] = [
  ['request_body_too_large', 413, 'invalid_request_error', 'request_body_too_large'],
  ['held_bodies_at_limit', 503, 'overloaded_error', undefined],
  ['open_exchanges_at_limit', 503, 'overloaded_error', undefined],
  ['journal_full', 503, 'overloaded_error', undefined],
  ['volume_full', 503, 'overloaded_error', undefined],
  ['journal_unavailable', 503, 'overloaded_error', undefined],
  ['decision_timeout', 503, 'overloaded_error', undefined],
  ['encoding_unsupported', 400, 'invalid_request_error', 'request_body_encoding_unsupported'],
  ['encoding_invalid', 400, 'invalid_request_error', 'request_body_encoding_invalid'],
  ['decoded_body_too_large', 413, 'invalid_request_error', 'request_body_too_large_after_decoding'],
  ['decoded_ratio_too_high', 413, 'invalid_request_error', 'request_body_too_large_after_decoding'],
  ['body_malformed', 400, 'invalid_request_error', undefined],
];
for (const [reason, status, type, errorCode] of reasons) {
  test(`${reason} is told as ${status} in the envelope that Claude's clients read`, () => {
    const reply = refusalReply(reason, 'the detail', id);
    const body = JSON.parse(reply.body);
    assert.equal(reply.status, status);
    assert.equal(reply.details, `skilltape_refused_${reason}`);
    assert.equal(body.type, 'error');
    assert.equal(body.error.type, type);
    assert.equal(body.error.details?.error_code, errorCode);
    assert.equal(body.request_id, id);
    assert.deepEqual(reply.headers, {
      'content-type': 'application/json',
      'x-skilltape-exchange': id,
      'request-id': id,
      ...(reason.endsWith('_full') && { 'retry-after': '30' }),
    });
    assert.match(body.error.message, /gateway/);
    if (status === 503) assert.doesNotMatch(reply.body, /the detail/);
  });
}

test('a denial names its reasons and the exchange, and tells clients not to try again', () => {
  const verdict = {
    verdict: 'deny',
    reasons: ['One.', 'Two "quoted".'].map((message) => ({ rule: 'r', message })),
  } as const;
  const reply = denialReply(verdict, id);
  const { error } = JSON.parse(reply.body);
  assert.equal(reply.status, 403);
  assert.equal(error.type, 'permission_error');
  assert.equal(error.message, `One. Two "quoted". (exchange ${id})`);
  assert.equal(error.details.error_code, 'dlp_request_denied');
  assert.equal(reply.headers['x-should-retry'], 'false');
});

test('a denial without reasons says so', () => {
  assert.match(denialReply({ verdict: 'deny', reasons: [] }, id).body, /Denied by policy/);
});

test('a missing login is told as one, so that clients log in again', () => {
  const reply = denialReply({ verdict: 'deny', reasons: [], status: 401 }, id);
  const { error } = JSON.parse(reply.body);
  assert.deepEqual([reply.status, error.type, error.details], [401, 'authentication_error', undefined]);
});
