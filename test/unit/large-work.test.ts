import assert from 'node:assert/strict';
import { test } from 'node:test';
import { freeBuffer, LargeWork, largeMinBytes } from '../../extproc/large-work.ts';

/** Both sides over the same memory, as two threads have them; and what they did, in order. */
function bothSides(patienceMs = 60_000) {
  const reading = new LargeWork('reading', patienceMs);
  const shipping = new LargeWork('shipping', patienceMs, reading.memory);
  const events: string[] = [];
  const work = (name: string, until: Promise<unknown>) => async () => {
    events.push(`${name} begins`);
    await until;
    events.push(`${name} ends`);
  };
  return { reading, shipping, events, work };
}

test('large work of one side waits for that of the other, small work does not', async () => {
  const { reading, shipping, events, work } = bothSides();
  const gate = Promise.withResolvers<void>();
  const first = reading.run(largeMinBytes, work('read', gate.promise));
  const second = shipping.run(largeMinBytes, work('ship', Promise.resolve()));
  await shipping.run(largeMinBytes - 1, work('small', Promise.resolve()));
  assert.deepEqual(events, ['read begins', 'small begins', 'small ends']);
  gate.resolve();
  await Promise.all([first, second]);
  assert.deepEqual(events.slice(3), ['read ends', 'ship begins', 'ship ends']);
});

test('a side that has waited long enough goes on, though the other never ends', async () => {
  const { reading, shipping, events, work } = bothSides(30);
  void reading.run(largeMinBytes, work('read', new Promise(() => {})));
  await shipping.run(largeMinBytes, work('ship', Promise.resolve()));
  assert.deepEqual(events, ['read begins', 'ship begins', 'ship ends']);
});

test('work that fails makes room, and a thread that is begun again does too', async () => {
  const { reading, shipping, events, work } = bothSides();
  await assert.rejects(
    reading.run(largeMinBytes, () => Promise.reject(new Error('no'))),
    /no/,
  );
  void shipping.run(largeMinBytes, work('dies', new Promise(() => {})));
  new LargeWork('shipping', 60_000, reading.memory);
  await reading.run(largeMinBytes, work('read', Promise.resolve()));
  assert.deepEqual(events, ['dies begins', 'read begins', 'read ends']);
});

test('reading for a verdict goes before the next large one that is shipped', async () => {
  const { reading, shipping, events, work } = bothSides();
  const gate = Promise.withResolvers<void>();
  const shipped = shipping.run(largeMinBytes, work('ship', gate.promise));
  const read = reading.run(largeMinBytes, work('read', Promise.resolve()));
  gate.resolve();
  await shipped;
  await Promise.all([read, shipping.run(largeMinBytes, work('ship again', Promise.resolve()))]);
  assert.deepEqual(events.slice(2), ['read begins', 'read ends', 'ship again begins', 'ship again ends']);
});

test('freed bytes are gone at once, also when they are freed again', () => {
  const residentBytes = () => process.memoryUsage.rss();
  const bytes = new Uint8Array(8 * largeMinBytes).fill(1);
  const before = residentBytes();
  freeBuffer(bytes);
  freeBuffer(bytes);
  assert.equal(bytes.length, 0);
  assert.ok(before - residentBytes() > 4 * largeMinBytes);
});
