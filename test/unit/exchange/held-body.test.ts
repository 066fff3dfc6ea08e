import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { HeldBody } from '../../../extproc/exchange/held-body.ts';

const roomy = { requestBodyMaxBytes: 100, heldBodyMaxBytes: 1000 };

test('a body may be as large as the limit to the byte, and no larger', () => {
  const body = new HeldBody({ openExchanges: 0, heldBodyBytes: 0 });
  assert.equal(body.add(Buffer.alloc(100), roomy), 'taken');
  assert.equal(body.add(Buffer.alloc(0), roomy), 'taken');
  assert.equal(body.add(Buffer.alloc(1), roomy), 'request_body_too_large');
  assert.equal(body.bytes, 100);
});

test('all bodies together may be as large as their limit, and a refused chunk takes no room', () => {
  const budget = { openExchanges: 0, heldBodyBytes: 0 };
  const limits = { requestBodyMaxBytes: 100, heldBodyMaxBytes: 120 };
  const [first, second] = [new HeldBody(budget), new HeldBody(budget)];
  assert.equal(first.add(Buffer.alloc(100), limits), 'taken');
  assert.equal(second.add(Buffer.alloc(21), limits), 'held_bodies_at_limit');
  assert.equal(second.add(Buffer.alloc(20), limits), 'taken');
  assert.equal(budget.heldBodyBytes, 120);
  first.forget();
  first.forget();
  assert.equal(budget.heldBodyBytes, 20);
});

test('a body of one chunk is read without a copy', () => {
  const body = new HeldBody({ openExchanges: 0, heldBodyBytes: 0 });
  assert.equal(body.joined().length, 0);
  const chunk = Buffer.from('abc');
  body.add(chunk, roomy);
  assert.equal(body.joined(), chunk);
});

test('what is joined and what is released are the chunks in order, and the budget is back at zero', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 9 }), { maxLength: 9 }), fc.nat(9), (chunks, taken) => {
      const budget = { openExchanges: 0, heldBodyBytes: 7 };
      const body = new HeldBody(budget);
      for (const chunk of chunks) assert.equal(body.add(chunk, roomy), 'taken');
      const whole = Buffer.concat(chunks);
      assert.equal(budget.heldBodyBytes, 7 + whole.length);
      assert.deepEqual(Buffer.from(body.joined()), whole);
      const passed: Uint8Array[] = [];
      for (const chunk of body.release()) {
        passed.push(chunk);
        if (passed.length > taken) break;
      }
      assert.deepEqual(Buffer.concat(passed), whole.subarray(0, Buffer.concat(passed).length));
      if (passed.length <= taken) assert.equal(budget.heldBodyBytes, 7);
      body.forget();
      assert.equal(budget.heldBodyBytes, 7);
    }),
  );
});

test('a body in single bytes is held in blocks, and passes as the same bytes', () => {
  const body = new HeldBody({ openExchanges: 0, heldBodyBytes: 0 });
  const whole = Buffer.from(Array.from({ length: 50_000 }, (_, index) => index % 251));
  const limits = { requestBodyMaxBytes: 1_000_000, heldBodyMaxBytes: 1_000_000 };
  for (const byte of whole) assert.equal(body.add(Uint8Array.of(byte), limits), 'taken');
  assert.deepEqual(Buffer.from(body.joined()), whole);
  const released = [...body.release()];
  assert.ok(released.length < 10);
  assert.deepEqual(Buffer.concat(released), whole);
});

test('small and large chunks keep their order', () => {
  const body = new HeldBody({ openExchanges: 0, heldBodyBytes: 0 });
  const limits = { requestBodyMaxBytes: 1_000_000, heldBodyMaxBytes: 1_000_000 };
  const chunks = [5, 7, 9_000, 3, 4_095, 16_000, 1, 4_096, 2, 2].map((length, fill) => Buffer.alloc(length, fill + 1));
  for (const chunk of chunks) body.add(chunk, limits);
  assert.deepEqual(Buffer.concat([...body.release()]), Buffer.concat(chunks));
});
