import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Delivery } from '../../../extproc/index/port.ts';
import { Shipper } from '../../../extproc/ship/shipper.ts';
import type { Transcript } from '../../../extproc/transcript/transcript.ts';
import { exchangeIdOf } from '../transcript/example.ts';
import { MemoryJournal, placeOf } from './memory-journal.ts';

/** Journals that share a clock, as those of workers on one machine do. */
function journalsOf(count: number): MemoryJournal[] {
  let ticks = 0;
  const next = () => {
    ticks += 1;
    return ticks;
  };
  return Array.from({ length: count }, () => new MemoryJournal(next));
}

function shipping(journals: readonly MemoryJournal[]) {
  const delivered: number[] = [];
  const transcripts: Transcript[] = [];
  const sink = {
    async deliver(given: readonly Transcript[]): Promise<Delivery[]> {
      transcripts.push(...given);
      delivered.push(...given.map(({ exchangeId }) => Number(exchangeId.slice(-12))));
      return given.map(() => ({ kind: 'accepted' }));
    },
  };
  const followed = journals.map((source) => ({ source, from: null }));
  const shipper = new Shipper(followed, sink, { onDelivering: () => {}, onRejected: () => assert.fail() });
  return { shipper, delivered, transcripts };
}

async function shipAll(shipper: Shipper): Promise<void> {
  while ((await shipper.advance(() => true)).kind === 'paused');
}

test('exchanges of several journals are delivered in the order of their ends, whichever journal is read first', async () => {
  const [one, two] = journalsOf(2) as [MemoryJournal, MemoryJournal];
  two.whole(1);
  one.whole(2);
  two.whole(3);
  const { shipper, delivered } = shipping([one, two]);
  await shipAll(shipper);
  assert.deepEqual(delivered, [1, 2, 3]);
  assert.deepEqual(shipper.status().delivered, [placeOf(4), placeOf(8)]);
});

test('a turn that ended in a journal after that was read comes before the next turn in another one', async () => {
  const [one, two] = journalsOf(2) as [MemoryJournal, MemoryJournal];
  let written = false;
  // The first journal was found empty; now both turns end, before the second journal is read.
  two.onRead = () => {
    if (written) return;
    written = true;
    one.whole(1);
    two.whole(2);
  };
  const { shipper, delivered } = shipping([one, two]);
  await shipAll(shipper);
  assert.deepEqual(delivered, [1, 2]);
});

test('however turns alternate between journals and whenever these are read, the order of their ends is kept', async () => {
  const places = fc.array(fc.nat({ max: 2 }), { minLength: 1, maxLength: 400 });
  const portions = fc.array(fc.nat({ max: 90 }), { minLength: 1, maxLength: 20 });
  await fc.assert(
    fc.asyncProperty(places, portions, async (journalOfTurn, writtenAtRead) => {
      const journals = journalsOf(3);
      const waiting = journalOfTurn.map((journal, turn) => ({ journal, turn }));
      let reads = 0;
      const writeSome = () => {
        const portion = writtenAtRead[reads % writtenAtRead.length] ?? 0;
        reads += 1;
        for (const { journal, turn } of waiting.splice(0, portion)) journals[journal]?.whole(turn);
      };
      for (const journal of journals) journal.onRead = writeSome;
      const { shipper, delivered } = shipping(journals);
      await shipAll(shipper);
      for (const { journal, turn } of waiting.splice(0)) journals[journal]?.whole(turn);
      await shipAll(shipper);
      assert.deepEqual(
        delivered,
        journalOfTurn.map((_, turn) => turn),
      );
    }),
    { numRuns: 200 },
  );
});

test('a journal that cannot be read holds up none of the others', async () => {
  const [one, two] = journalsOf(2) as [MemoryJournal, MemoryJournal];
  for (let exchange = 0; exchange < 200; exchange += 1) (exchange % 2 === 0 ? one : two).whole(exchange);
  two.payloads.splice(8, 0, new Uint8Array(40).fill(9));
  const { shipper, delivered } = shipping([one, two]);
  await assert.rejects(shipAll(shipper), /version 9/);
  assert.equal(delivered.length, 102, 'all of the first journal, and what stands before the damage in the second');
  assert.deepEqual(shipper.status().delivered, [placeOf(400), placeOf(8)]);
});

test('an attempt that came to another worker is linked to the first one, also when it is shipped before that', async () => {
  const [one, two] = journalsOf(2) as [MemoryJournal, MemoryJournal];
  two.start(5, { envoyRequestId: 'request-a' });
  one.start(6, { envoyRequestId: 'request-a' });
  one.start(7, { envoyRequestId: 'request-b' });
  one.start(8, { envoyRequestId: '' });
  two.start(9, { envoyRequestId: '' });
  for (const exchange of [6, 7, 8]) one.finish(exchange);
  two.finish(9);
  const { shipper, transcripts } = shipping([one, two]);
  await shipAll(shipper);
  two.finish(5);
  await shipAll(shipper);
  const attemptOf = new Map(transcripts.map(({ exchangeId, started }) => [exchangeId, started.attemptOf]));
  assert.deepEqual(attemptOf.get(exchangeIdOf(6)), exchangeIdOf(5));
  for (const other of [5, 7, 8, 9]) assert.equal(attemptOf.get(exchangeIdOf(other)), null);
});

test('what one worker linked itself stays as it wrote it', async () => {
  const [one, two] = journalsOf(2) as [MemoryJournal, MemoryJournal];
  one.start(1, { envoyRequestId: 'request-a' });
  one.start(3, { envoyRequestId: 'request-a', attemptOf: exchangeIdOf(2) });
  for (const exchange of [1, 3]) one.finish(exchange);
  const { shipper, transcripts } = shipping([one, two]);
  await shipAll(shipper);
  assert.deepEqual(
    transcripts.map(({ started }) => started.attemptOf),
    [null, exchangeIdOf(2)],
  );
});
