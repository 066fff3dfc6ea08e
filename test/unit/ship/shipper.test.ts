import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SkilltapeError } from '../../../extproc/errors.ts';
import type { Delivery } from '../../../extproc/index/port.ts';
import type { Position } from '../../../extproc/journal/position.ts';
import { deliveryExchangesMax, keptRecordsMaxBytes } from '../../../extproc/ship/follower.ts';
import { Shipper } from '../../../extproc/ship/shipper.ts';
import type { Transcript } from '../../../extproc/transcript/transcript.ts';
import { startedMs } from '../transcript/example.ts';
import { MemoryJournal, placeOf } from './memory-journal.ts';

type Answer = Delivery | Error;

/** A shipper over a journal; `answers` says what becomes of each exchange in order, `accepted` when it has no more. */
function shipping(journal: MemoryJournal, answers: Answer[] = [], from: Position | null = null) {
  const delivered: string[] = [];
  const events: string[] = [];
  const sink = {
    async deliver(transcripts: readonly Transcript[]): Promise<Delivery[]> {
      return transcripts.map((transcript) => {
        const answer = answers.shift() ?? { kind: 'accepted' };
        if (answer instanceof Error) throw answer;
        delivered.push(`${Number(transcript.exchangeId.slice(-12))}: ${Buffer.from(transcript.requestBody)}`);
        return answer;
      });
    },
  };
  const shipper = new Shipper([{ source: journal, from }], sink, {
    onDelivering: () => {},
    onRejected: (id, reason) => events.push(`rejected ${Number(id.slice(-12))}: ${reason}`),
  });
  return { shipper, delivered, events };
}

test('exchanges that run beside each other are delivered whole, each when its end is there', async () => {
  const journal = new MemoryJournal();
  journal.start(1);
  journal.start(2);
  journal.prompt(1, 'a');
  journal.prompt(2, 'x');
  journal.prompt(1, 'b');
  journal.finish(2);
  journal.prompt(1, 'c');
  journal.finish(1);
  const { shipper, delivered } = shipping(journal);
  assert.deepEqual(await shipper.advance(), { kind: 'caught_up' });
  assert.deepEqual(delivered, ['2: x', '1: abc']);
});

test('the cursor stays at the start of the oldest open exchange, so a restart loses nothing', async () => {
  const journal = new MemoryJournal();
  journal.whole(1);
  journal.start(2);
  journal.whole(3);
  const { shipper, delivered } = shipping(journal);
  await shipper.advance();
  assert.deepEqual(shipper.status(), {
    ...{ delivered: [placeOf(4)], shipped: 2, rejected: 0, erased: 0, openExchanges: 1 },
    ...{ waitingExchanges: 0, undeliveredSinceMs: null },
  });
  journal.prompt(2, 'late');
  journal.finish(2);
  const restarted = shipping(journal, [], shipper.status().delivered[0]);
  await restarted.shipper.advance();
  assert.deepEqual(restarted.delivered, ['3: prompt 3', '2: late']);
  await shipper.advance();
  assert.deepEqual(delivered, ['1: prompt 1', '3: prompt 3', '2: late']);
  assert.deepEqual(shipper.status().delivered, [placeOf(journal.payloads.length)]);
});

test('an index is told only of what no power failure takes back from the journal', async () => {
  const journal = new MemoryJournal();
  journal.whole(1);
  const { shipper, delivered } = shipping(journal);
  journal.onSync = async () => {
    throw new Error('the disk failed');
  };
  await assert.rejects(shipper.advance(), /the disk failed/);
  assert.deepEqual(delivered, []);
  const delays: number[] = [];
  journal.onSync = async () => {
    delays.push(delivered.length);
  };
  await shipper.advance();
  assert.deepEqual(delivered, ['1: prompt 1']);
  assert.deepEqual(delays, [0], 'synced before the delivery');
});

test('an exchange that the index cannot take now is delivered again, whole and no part of it twice', async () => {
  const journal = new MemoryJournal();
  journal.whole(1);
  journal.whole(2);
  const busy: Delivery = { kind: 'retry', reason: 'busy' };
  const { shipper, delivered } = shipping(journal, [busy, { kind: 'accepted' }, { kind: 'duplicate' }, busy]);
  assert.deepEqual(await shipper.advance(), busy);
  assert.deepEqual(shipper.status().delivered, [placeOf(0)]);
  assert.deepEqual(await shipper.advance(), busy);
  assert.deepEqual(await shipper.advance(), { kind: 'caught_up' });
  const both = ['1: prompt 1', '2: prompt 2'];
  assert.deepEqual(delivered, [...both, ...both, ...both]);
  assert.equal(shipper.status().shipped, 2);
  assert.deepEqual(shipper.status().delivered, [placeOf(8)]);
});

test('while the index takes nothing, the same list is given to it, and the journal is not read again', async () => {
  const journal = new MemoryJournal();
  journal.whole(1, 'x'.repeat(keptRecordsMaxBytes));
  const lists: (readonly Transcript[])[] = [];
  const sink = {
    async deliver(transcripts: readonly Transcript[]): Promise<Delivery[]> {
      lists.push(transcripts);
      return transcripts.map(() => (lists.length < 4 ? { kind: 'retry', reason: 'away' } : { kind: 'accepted' }));
    },
  };
  const shipper = new Shipper([{ source: journal, from: null }], sink, {
    onDelivering: () => {},
    onRejected: () => assert.fail(),
  });
  for (let asked = 0; asked < 3; asked += 1) assert.equal((await shipper.advance()).kind, 'retry');
  assert.equal((await shipper.advance()).kind, 'caught_up');
  assert.equal(new Set(lists).size, 1);
  assert.equal(journal.readPositions.length, 1, 'the one record that there was no room for');
  journal.whole(2);
  await shipper.advance();
  assert.notEqual(lists.at(-1), lists[0]);
});

test('how long the index is behind is told by the end of the oldest exchange that it does not have', async () => {
  const journal = new MemoryJournal();
  const behind = (shipper: Shipper) => {
    const { waitingExchanges, undeliveredSinceMs } = shipper.status();
    return [waitingExchanges, undeliveredSinceMs === null ? null : undeliveredSinceMs - startedMs];
  };
  for (let exchange = 1; exchange <= deliveryExchangesMax + 36; exchange += 1) journal.whole(exchange);
  const { shipper } = shipping(journal, [{ kind: 'retry', reason: 'away' }]);
  assert.deepEqual(behind(shipper), [0, null]);
  await shipper.advance();
  // The ends are every fourth record, and each record is a millisecond later.
  assert.deepEqual(behind(shipper), [deliveryExchangesMax, 3], 'the first of those that were given back');
  await shipper.advance();
  assert.deepEqual(behind(shipper), [0, null]);
});

test('while there is more to read, the index is as far behind as the last exchange that it took', async () => {
  const journal = new MemoryJournal();
  for (let exchange = 1; exchange <= deliveryExchangesMax + 36; exchange += 1) journal.whole(exchange);
  const { shipper } = shipping(journal);
  assert.deepEqual(await shipper.advance(() => true), { kind: 'paused' });
  const { waitingExchanges, undeliveredSinceMs } = shipper.status();
  assert.deepEqual([waitingExchanges, undeliveredSinceMs], [0, startedMs + (deliveryExchangesMax - 1) * 4 + 3]);
});

test('an exchange whose start lies before the cursor was delivered before and is passed over', async () => {
  const journal = new MemoryJournal();
  journal.start(1);
  journal.whole(2);
  journal.finish(1);
  const { shipper, delivered } = shipping(journal, [], placeOf(1));
  await shipper.advance();
  assert.deepEqual(delivered, ['2: prompt 2']);
});

test('a second end of an exchange delivers nothing again', async () => {
  const journal = new MemoryJournal();
  journal.whole(1);
  journal.finish(1);
  const { shipper, delivered } = shipping(journal);
  await shipper.advance();
  assert.equal(delivered.length, 1);
  assert.equal(shipper.status().openExchanges, 0);
});

test('an exchange that nothing can be made of is counted and reported without its content, and the others go on', async () => {
  const journal = new MemoryJournal();
  journal.whole(1);
  journal.whole(2);
  journal.whole(3);
  const poison = new TypeError('cannot read "my secret"');
  const refused: Delivery = { kind: 'rejected', reason: 'too large' };
  const { shipper, events } = shipping(journal, [poison, poison, refused]);
  assert.deepEqual(await shipper.advance(), { kind: 'caught_up' });
  const { delivered, shipped, rejected, openExchanges } = shipper.status();
  assert.deepEqual([delivered, shipped, rejected, openExchanges], [[placeOf(12)], 1, 2, 0]);
  assert.deepEqual(
    events.filter((event) => event.startsWith('rejected')),
    ['rejected 1: TypeError', 'rejected 2: too large'],
  );
});

test('a document that the index has already is neither counted nor reported', async () => {
  const journal = new MemoryJournal();
  journal.whole(1);
  const { shipper, events } = shipping(journal, [{ kind: 'duplicate' }]);
  await shipper.advance();
  assert.deepEqual([shipper.status().shipped, shipper.status().rejected, events.length], [0, 0, 0]);
});

test('many exchanges go in one delivery, and a pause is taken between two of them', async () => {
  const journal = new MemoryJournal();
  const count = 2 * deliveryExchangesMax + 2;
  for (let exchange = 0; exchange < count; exchange += 1) journal.whole(exchange);
  const { shipper, delivered } = shipping(journal);
  assert.deepEqual(await shipper.advance(() => true), { kind: 'paused' });
  assert.deepEqual(
    [delivered.length, shipper.status().delivered],
    [deliveryExchangesMax, [placeOf(4 * deliveryExchangesMax)]],
  );
  assert.deepEqual(await shipper.advance(() => true), { kind: 'paused' });
  assert.deepEqual(await shipper.advance(() => true), { kind: 'caught_up' });
  assert.equal(delivered.length, count);
});

test('of a body that is too large to hold only the beginning is read, and its whole size is known', async () => {
  const journal = new MemoryJournal();
  const chunk = Buffer.alloc(48 * 1024 * 1024, 'x');
  journal.start(1);
  journal.append(1, { kind: 'answer_started', answer: { status: 200, headers: [], codeDetails: 'via_upstream' } });
  for (let at = 0; at < 3; at += 1) journal.append(1, { kind: 'answer_body', bytes: chunk });
  journal.finish(1);
  const sizes: number[][] = [];
  const sink = {
    async deliver(transcripts: readonly Transcript[]): Promise<Delivery[]> {
      for (const { answerBody, answerBytes } of transcripts) sizes.push([answerBody.length, answerBytes]);
      return transcripts.map(() => ({ kind: 'accepted' }));
    },
  };
  await new Shipper([{ source: journal, from: null }], sink, {
    onDelivering: () => {},
    onRejected: () => assert.fail(),
  }).advance();
  assert.deepEqual(sizes, [[2 * chunk.length, 3 * chunk.length]]);
});

test('a record of an unknown version stops the reading where it stands: passing it over could lose an exchange', async () => {
  const journal = new MemoryJournal();
  journal.whole(1);
  journal.payloads.push(new Uint8Array(40).fill(9));
  const { shipper } = shipping(journal);
  const isCorrupt = (thrown: unknown): boolean => thrown instanceof SkilltapeError && thrown.code === 'journal_corrupt';
  await assert.rejects(shipper.advance(), isCorrupt);
  assert.deepEqual(shipper.status().delivered, [placeOf(4)]);
  await assert.rejects(shipper.advance(), isCorrupt);
});

test('a record that cannot be read now is a fault of the journal, not of the exchange: nothing is passed over', async () => {
  const journal = new MemoryJournal();
  journal.start(1);
  for (let at = 0; at < 3; at += 1) journal.prompt(1, 'x'.repeat(keptRecordsMaxBytes / 2));
  journal.finish(1);
  const { shipper } = shipping(journal);
  journal.readAt = async () => {
    throw new Error('the disk is slow');
  };
  await assert.rejects(shipper.advance(), /slow/);
  assert.deepEqual([shipper.status().rejected, shipper.status().delivered], [0, [placeOf(0)]]);
});

test('however exchanges overlap, fail and are interrupted by restarts, each one is delivered whole in the end', async () => {
  const steps = fc.array(fc.nat({ max: 4 }), { minLength: 1, maxLength: 60 });
  const outcomes = fc.array(fc.constantFrom<Delivery>({ kind: 'accepted' }, { kind: 'retry', reason: '' }));
  await fc.assert(
    fc.asyncProperty(steps, outcomes, fc.array(fc.boolean()), async (exchanges, answers, restarts) => {
      const journal = new MemoryJournal();
      const parts = new Map<number, number>();
      for (const exchange of exchanges) {
        if (!parts.has(exchange)) journal.start(exchange);
        journal.prompt(exchange, `${parts.get(exchange) ?? 0},`);
        parts.set(exchange, (parts.get(exchange) ?? 0) + 1);
      }
      for (const exchange of parts.keys()) journal.finish(exchange);
      const taken = new Map<string, string>();
      let from: Position | null = null;
      const remaining = [...answers];
      for (let round = 0; ; round += 1) {
        const { shipper, delivered } = shipping(journal, remaining, from);
        let result = await shipper.advance(() => restarts[round] === true);
        while (result.kind === 'retry' && restarts[round] !== true) result = await shipper.advance();
        for (const line of delivered) taken.set(line.split(': ')[0] ?? '', line.split(': ')[1] ?? '');
        from = shipper.status().delivered[0] ?? null;
        if (result.kind === 'caught_up') break;
      }
      const expected = [...parts].map(([id, count]) => [
        String(id),
        Array.from({ length: count }, (_, n) => `${n},`).join(''),
      ]);
      assert.deepEqual([...taken].sort(), expected.sort());
    }),
    { numRuns: 100 },
  );
});

test('records are kept while there is room; of others only the places, and they are read again at the end', async () => {
  const journal = new MemoryJournal();
  const chunk = 'x'.repeat(keptRecordsMaxBytes / 4);
  for (const exchange of [1, 2]) journal.start(exchange);
  for (let at = 0; at < 6; at += 1) journal.prompt(1, chunk);
  journal.prompt(2, chunk);
  const { shipper, delivered } = shipping(journal);
  await shipper.advance();
  assert.deepEqual(journal.readPositions, [], 'nothing is read again before an end');
  journal.finish(1);
  await shipper.advance();
  assert.deepEqual(journal.readPositions, [5, 6, 7], 'three chunks and small records had room');
  journal.finish(2);
  journal.start(3);
  journal.prompt(3, chunk);
  journal.finish(3);
  await shipper.advance();
  assert.deepEqual(journal.readPositions, [5, 6, 7, 8], 'a delivered exchange gave its room back');
  assert.deepEqual(delivered, [`1: ${chunk.repeat(6)}`, `2: ${chunk}`, `3: ${chunk}`]);
});
