import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Frame } from '../../../extproc/exchange/frame.ts';
import { Unrouted } from '../../../extproc/exchange/unrouted.ts';

function answer(codeDetails: string): Frame {
  const attributes = { 'response.code_details': codeDetails };
  return { kind: 'response_headers', headers: [[':status', '400']], endOfStream: false, attributes };
}

test("Envoy's own answer to a request that it could not route passes without a change", async () => {
  const unrouted = new Unrouted();
  const headers = await unrouted.accept(answer('path_normalization_failed'));
  assert.deepEqual(headers, { kind: 'continue_response_headers', setHeaders: {} });
  const body = await unrouted.accept({ kind: 'response_body', body: Buffer.from('{}'), endOfStream: false });
  assert.deepEqual(body, { kind: 'continue_response_body' });
  const trailers = await unrouted.accept({ kind: 'response_trailers', headers: [] });
  assert.deepEqual(trailers, { kind: 'continue_response_trailers' });
});

test('a request on a route without a connection name is an error, and so is an answer of an upstream (inv. 2)', async () => {
  const request: Frame = { kind: 'request_headers', headers: [], endOfStream: true, metadata: {}, attributes: {} };
  const frames: Frame[] = [
    request,
    { kind: 'request_body', body: Buffer.from('x'), endOfStream: true },
    { kind: 'request_trailers', headers: [] },
    answer('via_upstream'),
  ];
  for (const frame of frames) {
    await assert.rejects(new Unrouted().accept(frame), { code: 'protocol_violation' }, frame.kind);
  }
});
