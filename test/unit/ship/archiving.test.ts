import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ArchivedExchange } from '../../../extproc/archive/options.ts';
import { SkilltapeError } from '../../../extproc/errors.ts';
import type { Delivery } from '../../../extproc/index/port.ts';
import { builtInDetection } from '../../../extproc/masking/own-detection.ts';
import { usualMasking } from '../../../extproc/policy/masking-decision.ts';
import { AheadOfIndex } from '../../../extproc/ship/archiving.ts';
import { createPipeline, type PipelineParts } from '../../../extproc/ship/pipeline.ts';
import { Shipper } from '../../../extproc/ship/shipper.ts';
import { decodingLimits } from '../../builders/decoding.ts';
import { keyedHash, masker } from '../transcript/example.ts';
import { MapMemory } from './map-memory.ts';
import { MemoryJournal } from './memory-journal.ts';

/** Shipping over one journal, with an archive and an index that may be away; `told` is who was given what, in order. */
function rig() {
  const journal = new MemoryJournal();
  const told: string[] = [];
  const away = { archive: false, index: false };
  const numberOf = (id: string) => Number(id.slice(-12));
  const archived = new Map<number, ArchivedExchange>();
  const archive = {
    async archive(exchanges: readonly ArchivedExchange[]) {
      if (away.archive) throw new SkilltapeError('archive_failed', 'the disk is full', { remedy: 'Make room.' });
      for (const exchange of exchanges) {
        if (archived.has(numberOf(exchange.exchangeId))) continue;
        archived.set(numberOf(exchange.exchangeId), exchange);
        told.push(`archive ${numberOf(exchange.exchangeId)}`);
      }
    },
  };
  const parts: PipelineParts & { archive: typeof archive } = {
    ...{ detection: () => builtInDetection, names: null },
    ...{ masker, keyedHash, archive, memory: new MapMemory(), decoding: decodingLimits },
    policy: { record: () => ({ keep: 'full', retention_class: 'long', masking: usualMasking, reasons: [] }) },
    index: {
      async deliver(documents) {
        if (away.index) return documents.map((): Delivery => ({ kind: 'retry', reason: 'away' }));
        for (const { event } of documents) told.push(`index ${numberOf(event.id)}`);
        return documents.map((): Delivery => ({ kind: 'accepted' }));
      },
    },
    textMaxChars: 10_000,
    maskingBudgetMs: 60_000,
    tokenKeeper: null,
    spendOf: () => 0,
    reduced: new Set(),
    onReading: () => {},
    onMaskingFailed: () => {},
    onFindings: () => {},
  };
  const erased = { refresh: async () => {}, has: () => false, eraseKeys: async () => {} };
  const events = { onDelivering: () => {}, onRejected: () => assert.fail('rejected') };
  const shipper = new Shipper([{ source: journal, from: null, number: 1 }], createPipeline(parts), events);
  const from = () => shipper.status().delivered[0] ?? null;
  const run = { run: <T>(_: number, work: () => Promise<T>) => work() };
  const ahead = new AheadOfIndex(
    () => [{ source: journal, from: from(), number: 1, close: async () => {} }],
    { ...parts, erased },
    run,
  );
  return { journal, shipper, ahead, away, told, archived };
}

test('the archive has an exchange before the index is told of it, with all its records and where its end stands', async () => {
  const { journal, shipper, told, archived } = rig();
  journal.whole(1);
  journal.whole(2);
  assert.deepEqual(await shipper.advance(), { kind: 'caught_up' });
  assert.deepEqual(told, ['archive 1', 'archive 2', 'index 1', 'index 2']);
  const second = archived.get(2);
  assert.ok(second !== undefined);
  assert.deepEqual([second.place, second.retentionClass], [{ journal: 1, segment: 1, offset: 7 }, 'long']);
  assert.deepEqual(second.person, { issuer: 'https://login.example.org', subject: 'u-ada' });
  assert.equal(second.documents.length, 1);
});

test('an archive that cannot be written holds up the index and frees nothing; later all of it goes on', async () => {
  const { journal, shipper, away, told } = rig();
  away.archive = true;
  journal.whole(1);
  const waits = { kind: 'retry', waitsFor: 'archive', reason: 'the disk is full. Make room.' };
  assert.deepEqual(await shipper.advance(), waits);
  assert.deepEqual(await shipper.advance(), waits);
  assert.deepEqual(told, []);
  assert.equal(shipper.status().delivered[0]?.offset, 0);
  away.archive = false;
  assert.deepEqual(await shipper.advance(), { kind: 'caught_up' });
  assert.deepEqual(told, ['archive 1', 'index 1']);
});

test('an index that is away does not hold up the archive, and is given everything once it is back', async () => {
  const { journal, shipper, ahead, away, told } = rig();
  away.index = true;
  journal.whole(1);
  assert.equal((await shipper.advance()).kind, 'retry');
  journal.whole(2);
  journal.whole(3);
  assert.equal(await ahead.advance(), null);
  assert.deepEqual(told, ['archive 1', 'archive 2', 'archive 3']);
  assert.equal(shipper.status().delivered[0]?.offset, 0, 'the journal keeps what the index lacks');
  away.archive = true;
  journal.whole(4);
  assert.equal((await ahead.advance())?.waitsFor, 'archive');
  away.archive = false;
  away.index = false;
  await ahead.stop();
  assert.deepEqual(await shipper.advance(), { kind: 'caught_up' });
  assert.deepEqual(told.slice(3), ['index 1', 'archive 4', 'index 2', 'index 3', 'index 4']);
});

test('an exchange of which no document can be made is in the archive all the same', async () => {
  const { journal, archived, shipper, told } = rig();
  journal.whole(1);
  const failing = createPipeline({
    ...({} as PipelineParts),
    archive: { archive: async (exchanges) => void exchanges.map((one) => archived.set(1, one)) },
    reduced: new Set(),
    onReading: () => {
      throw new Error('a fault of ours');
    },
  });
  const rejected: string[] = [];
  const events = { onDelivering: () => {}, onRejected: (id: string) => rejected.push(id) };
  await new Shipper([{ source: journal, from: null }], failing, events).advance();
  assert.equal(rejected.length, 1);
  assert.deepEqual([archived.get(1)?.documents, archived.get(1)?.retentionClass], [[], 'standard']);
  assert.deepEqual([told, shipper.status().shipped], [[], 0]);
});
