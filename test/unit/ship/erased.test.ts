import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SkilltapeError } from '../../../extproc/errors.ts';
import type { Delivery } from '../../../extproc/index/port.ts';
import { withoutErased } from '../../../extproc/ship/erased.ts';
import type { Recorded } from '../../../extproc/ship/recorded.ts';
import { Shipper } from '../../../extproc/ship/shipper.ts';
import type { Transcript } from '../../../extproc/transcript/transcript.ts';
import { ada } from '../transcript/example.ts';
import { MemoryJournal } from './memory-journal.ts';

const eve = { ...ada, subject: 'u-eve' };

function rig(answers: Delivery[] = []) {
  const journal = new MemoryJournal();
  const delivered: number[] = [];
  const erased = new Set<string>();
  const away = { reason: '' };
  const keysErased: string[] = [];
  let onDeliver = () => {};
  const sink = {
    async deliver(transcripts: readonly Transcript[], recorded: readonly Recorded[]): Promise<Delivery[]> {
      assert.equal(recorded.length, transcripts.length);
      onDeliver();
      return transcripts.map(({ exchangeId }) => {
        delivered.push(Number(exchangeId.slice(-12)));
        return answers.shift() ?? { kind: 'accepted' };
      });
    },
  };
  const persons = {
    async refresh() {
      if (away.reason !== '') throw new SkilltapeError('archive_corrupt', away.reason, { remedy: 'mend it' });
    },
    eraseKeys: async ({ subject }: { subject: string }) => keysErased.push(subject),
    has: (person: { subject: string } | null) => person !== null && erased.has(person.subject),
  };
  const rejected: string[] = [];
  const shipper = new Shipper([{ source: journal, from: null }], withoutErased(sink, persons), {
    onDelivering: () => {},
    onRejected: (id, reason) => rejected.push(`${Number(id.slice(-12))}: ${reason}`),
  });
  const whenDelivering = (run: () => void) => {
    onDeliver = run;
  };
  return { journal, shipper, delivered, erased, away, rejected, keysErased, whenDelivering };
}

test('what an erased person said goes nowhere from the journal, and keeps nothing of others there', async () => {
  const { journal, shipper, delivered, erased, rejected } = rig([
    { kind: 'accepted' },
    { kind: 'rejected', reason: 'no' },
  ]);
  journal.whole(1);
  for (const number of [2, 4]) {
    journal.start(number, { identity: eve });
    journal.prompt(number, 'of hers');
    journal.finish(number);
  }
  journal.start(3, { identity: null });
  journal.finish(3);
  erased.add(eve.subject);
  assert.deepEqual(await shipper.advance(), { kind: 'caught_up' });
  assert.deepEqual(delivered, [1, 3]);
  assert.deepEqual(rejected, ['3: no'], 'each has the outcome that is its own');
  const { shipped, rejected: refused, erased: left, delivered: positions } = shipper.status();
  assert.deepEqual([shipped, refused, left], [1, 1, 2]);
  assert.equal(positions[0]?.offset, journal.payloads.length);
});

test('while nobody can say who was erased, nothing goes on', async () => {
  const { journal, shipper, delivered, away } = rig();
  journal.whole(1);
  away.reason = 'EIO';
  assert.deepEqual(await shipper.advance(), { kind: 'retry', reason: 'EIO. mend it' });
  assert.deepEqual(delivered, []);
  away.reason = '';
  assert.deepEqual(await shipper.advance(), { kind: 'caught_up' });
  assert.deepEqual(delivered, [1]);
});

test('whoever is erased while what they said is archived loses the key that it was sealed with', async () => {
  const { journal, shipper, erased, keysErased, whenDelivering } = rig();
  journal.whole(1);
  journal.start(2, { identity: eve });
  journal.finish(2);
  whenDelivering(() => erased.add(eve.subject));
  assert.deepEqual(await shipper.advance(), { kind: 'caught_up' });
  assert.deepEqual(keysErased, [eve.subject]);
  journal.start(3, { identity: eve });
  journal.finish(3);
  await shipper.advance();
  assert.deepEqual(keysErased, [eve.subject], 'nothing was sealed for them since');
});

test('when nobody can say any more who was erased meanwhile, all of it is delivered again', async () => {
  const { journal, shipper, delivered, away, whenDelivering } = rig();
  journal.whole(1);
  whenDelivering(() => {
    away.reason = 'EIO';
  });
  assert.deepEqual(await shipper.advance(), { kind: 'retry', reason: 'EIO. mend it' });
  away.reason = '';
  whenDelivering(() => {});
  assert.deepEqual(await shipper.advance(), { kind: 'caught_up' });
  assert.deepEqual(delivered, [1, 1]);
});
