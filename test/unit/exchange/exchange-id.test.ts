import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newExchangeId } from '../../../extproc/exchange/exchange-id.ts';

const nowMs = Date.UTC(2026, 0, 15);

test('no two ids of one millisecond are the same, and each says its time', () => {
  const ids = Array.from({ length: 1_000 }, () => newExchangeId(nowMs));
  assert.equal(new Set(ids).size, ids.length);
  for (const id of ids) {
    assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    assert.equal(Number.parseInt(id.replace('-', '').slice(0, 12), 16), nowMs);
  }
});

test('ids of later milliseconds sort behind those of earlier ones', () => {
  const ids = Array.from({ length: 1_000 }, (_, at) => newExchangeId(nowMs + at));
  assert.deepEqual(ids.toSorted(), ids);
});
