import assert from 'node:assert/strict';
import { test } from 'node:test';
import { denialFor, recordDecisionFor, recordFor, verdictDecision } from '../../../extproc/policy/decision.ts';

test('the decisions that stand in for a policy are decisions themselves', () => {
  for (const fault of ['policy_failed', 'input_too_large'] as const) {
    assert.deepEqual(verdictDecision.parse(denialFor(fault)), denialFor(fault));
    assert.deepEqual(recordDecisionFor(null).parse(recordFor(fault)), recordFor(fault));
    assert.equal(denialFor(fault).reasons[0]?.rule, `skilltape/${fault}`);
  }
});

test('a denial takes only statuses that no client answers by sending the request again', () => {
  const deny = (status: unknown) =>
    verdictDecision.safeParse({ verdict: 'deny', reasons: [{ rule: 'a', message: 'm' }], status }).success;
  for (const status of [400, 401, 403, 404, 413, 415]) assert.equal(deny(status), true, String(status));
  for (const status of [200, 399, 408, 409, 429, 500, 503, 403.5, '403'])
    assert.equal(deny(status), false, String(status));
});
