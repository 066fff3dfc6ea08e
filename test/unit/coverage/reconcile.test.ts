import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compare, isSameRequest, judgeUnrecorded, wasForwarded } from '../../../extproc/coverage/reconcile.ts';
import type { RecordedExchange } from '../../../extproc/coverage/recorded.ts';
import { lineOf, recordedOf, refusedByEnvoy } from './example.ts';

type Changes = { line?: Record<string, unknown>; recorded?: Partial<RecordedExchange> };
const compared: [string, Changes, string][] = [
  ['the same story', {}, 'recorded'],
  ['another status', { line: { status: 502 } }, 'status_differs'],
  ['fewer bytes of answer', { line: { response_bytes: 644 } }, 'bytes_differ'],
  ['an answer that the record does not count', { recorded: { callerBytes: null } }, 'recorded'],
  ['a caller who left', { line: { flags: 'DC', status: 0, response_bytes: 3 } }, 'recorded'],
  ['an answer that we broke off', { line: { details: 'ext_proc_error_gRPC_error_13{}', status: 200 } }, 'recorded'],
  [
    'an exchange that a death ended',
    { recorded: { outcome: 'interrupted', status: null, callerBytes: 3 } },
    'recorded',
  ],
  ['an answer cut off upstream', { recorded: { outcome: 'aborted', callerBytes: 3 } }, 'recorded'],
  [
    'a denied request that went upstream all the same',
    { recorded: { outcome: 'denied', released: false } },
    'forwarded_not_recorded',
  ],
  [
    'a denied request',
    { line: { upstream: null, upstream_bytes: 0 }, recorded: { outcome: 'denied', released: false } },
    'recorded',
  ],
];
for (const [name, { line, recorded }, kind] of compared) {
  test(`record and log of ${name}: ${kind}`, () => {
    assert.equal(compare(lineOf(line), recordedOf(recorded)).kind, kind);
  });
}

const unavailable = 'ext_proc_error_gRPC_error_14{no_healthy_upstream{no_healthy_upstream}}';
const unrecorded: [string, Record<string, unknown>, string][] = [
  ['a forwarded request with an exchange', {}, 'forwarded_not_recorded'],
  ['a forwarded request without one', { exchange: null, verdict: null }, 'forwarded_not_recorded'],
  ['one of which the log does not say how much went upstream', { upstream_bytes: null }, 'forwarded_not_recorded'],
  ['one whose upstream could not be reached', { upstream_bytes: 0 }, 'not_recorded'],
  ['one that we refused', { upstream: null, upstream_bytes: 0, verdict: 'refused', status: 503 }, 'not_recorded'],
  ['a bad path', refusedByEnvoy, 'refused_by_envoy'],
  ['a request that was never whole', { ...refusedByEnvoy, status: 0, flags: 'DC' }, 'refused_by_envoy'],
  ['one while we were away', { ...refusedByEnvoy, status: 503, details: unavailable }, 'processor_unavailable'],
  [
    'one that we answered with an error',
    { ...refusedByEnvoy, details: 'ext_proc_error_gRPC_error_13{words}' },
    'refused_by_envoy',
  ],
];
for (const [name, line, kind] of unrecorded) {
  test(`nothing in the record of ${name}: ${kind}`, () => {
    assert.equal(judgeUnrecorded(lineOf(line)).kind, kind);
  });
}

test('a connection that was chosen and not used carried nothing', () => {
  assert.equal(wasForwarded(lineOf({ upstream_bytes: 0 })), false);
  assert.equal(wasForwarded(lineOf({ upstream: null, upstream_bytes: 7 })), false);
  assert.equal(wasForwarded(lineOf({ upstream_bytes: 1 })), true);
});

test('a line and an exchange with two request ids are not of the same request', () => {
  assert.equal(isSameRequest(lineOf(), recordedOf()), true);
  assert.equal(isSameRequest(lineOf({ request_id: null }), recordedOf()), true);
  assert.equal(isSameRequest(lineOf(), recordedOf({ envoyRequestId: 'another' })), false);
});
