import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { SkilltapeError } from '../../../extproc/errors.ts';
import { outcomes } from '../../../extproc/exchange/outcome.ts';
import type { ExchangeRecord, RecordBody } from '../../../extproc/exchange/record.ts';
import { decodeRecord, encodeRecord } from '../../../extproc/exchange/record.ts';

const text = fc.string({ unit: 'binary' });
const headers = fc.array(fc.tuple(text, text), { maxLength: 4 });
const bytes = fc.uint8Array({ maxLength: 200 });
const identity = fc.record({ issuer: text, subject: text, name: text, email: text, groups: fc.array(text) });
const verdict = fc.constantFrom('allow' as const, 'deny' as const, 'hold' as const);
const reasons = fc.array(fc.record({ rule: text, message: text }), { maxLength: 2 });
const statusOrNull = fc.option(fc.integer({ min: 100, max: 599 }));

const bodies: { [K in RecordBody['kind']]: fc.Arbitrary<Extract<RecordBody, { kind: K }>> } = {
  started: fc.record({
    kind: fc.constant('started'),
    started: fc.record({
      connection: text,
      identity: fc.option(identity),
      authenticationFailure: fc.option(text),
      method: text,
      path: text,
      query: fc.dictionary(text, text, { noNullPrototype: true }),
      headers,
      sourceAddress: text,
      envoyRequestId: text,
      attemptOf: fc.option(text),
    }),
  }),
  request_body: fc.record({ kind: fc.constant('request_body'), bytes }),
  request_trailers: fc.record({ kind: fc.constant('request_trailers'), headers }),
  decided: fc.record({
    kind: fc.constant('decided'),
    decided: fc.record({
      stage: fc.constantFrom('access', 'request'),
      verdict,
      reasons,
      policyRevision: text,
      input: fc.jsonValue().map((value) => JSON.parse(JSON.stringify(value))),
      session: fc.option(fc.record({ id: text, source: text })),
    }),
  }),
  answer_started: fc.record({
    kind: fc.constant('answer_started'),
    answer: fc.record({ status: fc.integer({ min: 100, max: 599 }), headers, codeDetails: text }),
  }),
  answer_body: fc.record({ kind: fc.constant('answer_body'), bytes }),
  answer_trailers: fc.record({ kind: fc.constant('answer_trailers'), headers }),
  upstream_answered: fc.record({
    kind: fc.constant('upstream_answered'),
    upstream: fc.record({ status: fc.integer({ min: 100, max: 599 }), headers, body: text }),
  }),
  answer_changed: fc.record({ kind: fc.constant('answer_changed'), bytes }),
  finished: fc.record({
    kind: fc.constant('finished'),
    finished: fc.record({
      outcome: fc.constantFrom(...outcomes),
      detail: text,
      status: statusOrNull,
      localReply: text,
    }),
  }),
};
const exchangeId = fc.uuid();
const timeMs = fc.double({ noNaN: true, noDefaultInfinity: true });

for (const [kind, body] of Object.entries(bodies)) {
  test(`a ${kind} record is read as it was written`, () => {
    fc.assert(
      fc.property(exchangeId, timeMs, body, (id, time, content) => {
        const record = { exchangeId: id, timeMs: time, ...content } as ExchangeRecord;
        const read = decodeRecord(Buffer.concat(encodeRecord(record)));
        if ('bytes' in record && 'bytes' in read) assert.deepEqual(Buffer.from(read.bytes), Buffer.from(record.bytes));
        // fast-check's records have no prototype; a clone is a plain object.
        assert.deepEqual({ ...read, bytes: null }, structuredClone({ ...record, bytes: null }));
      }),
    );
  });
}

const finished: ExchangeRecord = {
  exchangeId: '019bc0de-0000-7000-8000-000000000001',
  timeMs: 1.5,
  kind: 'finished',
  finished: { outcome: 'complete', detail: '', status: 200, localReply: '' },
};

test('the bytes of format version 1 stay what they are', () => {
  const [header, content] = encodeRecord(finished);
  assert.equal(Buffer.from(header ?? []).toString('hex'), '0107019bc0de000070008000000000000001000000000000f83f');
  assert.equal(
    Buffer.from(content ?? []).toString(),
    '{"outcome":"complete","detail":"","status":200,"localReply":""}',
  );
});

test('a body is not copied on its way into the journal', () => {
  const body = Buffer.from('x');
  assert.equal(encodeRecord({ ...finished, kind: 'answer_body', bytes: body })[1], body);
});

test('a record inside a larger buffer is read alone', () => {
  const payload = Buffer.concat(encodeRecord(finished));
  const around = Buffer.concat([Buffer.from('before'), payload, Buffer.from('after')]);
  assert.deepEqual(decodeRecord(new Uint8Array(around.buffer, around.byteOffset + 6, payload.length)), finished);
});

test('a version or kind of another program is refused, and so is a record that is cut', () => {
  const payload = Buffer.concat(encodeRecord(finished));
  const withByte = (at: number, value: number) =>
    Buffer.concat([payload.subarray(0, at), Buffer.of(value), payload.subarray(at + 1)]);
  const refused = [
    withByte(0, 0),
    withByte(0, 2),
    withByte(1, 10),
    withByte(1, 255),
    payload.subarray(0, 25),
    Buffer.alloc(0),
  ];
  for (const bytes of refused) {
    assert.throws(
      () => decodeRecord(bytes),
      (error: SkilltapeError) => error.code === 'journal_corrupt' && error.remedy !== undefined,
    );
  }
});

test('a header or claim named __proto__ comes back as one, and changes no object', () => {
  const input = JSON.parse('{"__proto__":{"polluted":true}}');
  const decided = { stage: 'access', verdict: 'deny', reasons: [], policyRevision: '', input, session: null } as const;
  const read = decodeRecord(Buffer.concat(encodeRecord({ ...finished, kind: 'decided', decided })));
  assert.ok(read.kind === 'decided');
  assert.deepEqual(Object.keys(read.decided.input as object), ['__proto__']);
  assert.equal(({} as Record<string, unknown>).polluted, undefined);
});
