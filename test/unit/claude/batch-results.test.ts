import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { readBatchResults } from '../../../extproc/claude/batch-results.ts';
import { fixtureBytes, utf8 } from './fixture.ts';

const limits = { lineMaxBytes: 10_000, linesMax: 1000 };

function line(customId: string, result: object): string {
  return JSON.stringify({ custom_id: customId, result });
}

function read(text: string, overrides: Partial<typeof limits> = {}) {
  return readBatchResults(utf8(text), { ...limits, ...overrides });
}

test('each line is the result of one prompt: a message, an error, or neither', () => {
  const { results, faults } = readBatchResults(fixtureBytes('m_batch_results.jsonl'), limits);
  assert.deepEqual(faults, []);
  assert.deepEqual(
    results.map(({ customId, type, message, error }) => [customId, type, message?.id ?? null, error?.type ?? null]),
    [
      ['first', 'succeeded', 'msg_01Batch', null],
      ['second', 'errored', null, 'error'],
      ['third', 'canceled', null, null],
      ['fourth', 'expired', null, null],
    ],
  );
});

test('a type that is not known is another one', () => {
  assert.equal(read(line('a', { type: 'postponed' })).results[0]?.type, 'other');
  assert.equal(read(line('a', { type: '__proto__' })).results[0]?.type, 'other');
});

test('a line that is too long or no result is a fault with its number, and the rest is read', () => {
  const good = line('a', { type: 'expired' });
  const deep = '['.repeat(500) + ']'.repeat(500);
  const text = ['', good, '{"custom', `"${'x'.repeat(10_000)}"`, '[]', '{"custom_id":7,"result":{}}', deep, good].join(
    '\n',
  );
  const { results, faults } = read(text);
  assert.equal(results.length, 2);
  assert.deepEqual(faults, [
    'line 3: no result of a batch',
    'line 4: longer than 10000 bytes',
    'line 5: no result of a batch',
    'line 6: no result of a batch',
    'line 7: no result of a batch',
  ]);
});

test('lines and faults are bounded', () => {
  const { results, faults } = read(`${line('a', { type: 'expired' })}\n`.repeat(20), { linesMax: 5 });
  assert.deepEqual([results.length, faults], [5, ['more than 5 lines']]);
  assert.equal(read('x\n'.repeat(900)).faults.length, 100);
  assert.deepEqual(read(`${line('a', { type: 'expired' })}\n`, { linesMax: 1 }).faults, []);
});

test('results are the same whatever ends the lines, and a cut body loses only its last line', () => {
  const customId = fc.string({ minLength: 1, unit: 'grapheme', maxLength: 20 });
  const ends = fc.constantFrom('\n', '\r\n', '\n\n', '\r\n\r\n\n');
  fc.assert(
    fc.property(fc.array(fc.tuple(customId, ends), { maxLength: 8 }), fc.nat(), (rows, cut) => {
      const ids = rows.map(([id]) => id.toWellFormed());
      const body = utf8(
        rows.map(([id, end]) => line(id.toWellFormed(), { type: 'succeeded', message: { id } }) + end).join(''),
      );
      const whole = readBatchResults(body, limits);
      assert.deepEqual([whole.results.map((result) => result.customId), whole.faults], [ids, []]);
      const at = body.length === 0 ? 0 : cut % body.length;
      const part = readBatchResults(body.subarray(0, at), limits);
      const partIds = part.results.map((result) => result.customId);
      assert.deepEqual(partIds, ids.slice(0, partIds.length));
      assert.ok(part.faults.length <= 1);
      const rest = readBatchResults(body.subarray(at), limits);
      assert.ok(partIds.length + rest.results.length >= ids.length - 1);
    }),
  );
});

test('any bytes are read without a throw', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      const { results, faults } = readBatchResults(bytes, limits);
      assert.ok(results.length + faults.length <= bytes.length + 1);
    }),
  );
});
