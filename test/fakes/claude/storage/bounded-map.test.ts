import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { BoundedMap } from './bounded-map.ts';

test('neither the count nor the bytes go beyond their bounds, and the newest value is always there', () => {
  const step = fc.record({ id: fc.constantFrom('a', 'b', 'c', 'd', 'e'), size: fc.nat(12), remove: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      const map = new BoundedMap<{ size: number }>({ countMax: 3, bytesMax: 10, bytesOf: ({ size }) => size });
      for (const { id, size, remove } of steps) {
        const value = { size };
        if (remove) map.delete(id);
        else map.set(id, value);
        const kept = map.newestFirst();
        const bytes = kept.reduce((sum, each) => sum + each.size, 0);
        assert.ok(kept.length <= 3);
        assert.ok(bytes <= 10 || kept.length === 1);
        if (remove) assert.equal(map.get(id), undefined);
      }
    }),
  );
});

test('the oldest is forgotten first, and a replaced value keeps its place', () => {
  const map = new BoundedMap<string>({ countMax: 2 });
  map.set('a', 'first');
  map.set('b', 'second');
  map.set('a', 'changed');
  assert.deepEqual(map.newestFirst(), ['second', 'changed']);
  map.set('c', 'third');
  assert.deepEqual([map.get('a'), map.get('b'), map.get('c')], [undefined, 'second', 'third']);
});
