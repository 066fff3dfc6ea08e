import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { loadCursor } from '../../extproc/journal/cursor.ts';
import type { Position } from '../../extproc/journal/position.ts';
import { comparePositions } from '../../extproc/journal/position.ts';
import { messagesBody } from '../builders/messages-body.ts';
import type { TestGateway } from '../environment/gateway.ts';
import { startTestGateway } from '../environment/gateway.ts';
import { readJournal } from '../environment/journal-view.ts';
import { Load } from '../environment/load.ts';
import { inJournal, openHalfUpload, openSlowStream, servedAgain } from '../environment/traffic.ts';
import { waitUntil } from '../environment/wait.ts';
import { wholeIndex } from '../environment/whole-index.ts';
import { assertArrivalsAreRecorded, assertJournalIsIndexed } from '../environment/whole-record.ts';

const kills = 10;

let gateway: TestGateway;
let headers: { authorization: string };
before(async () => {
  // Small segments, so that a kill meets their changes too.
  const settings = {
    journal: { segmentMaxBytes: 64 * 1024, journalMaxBytes: 64 * 1024 * 1024 },
    limits: { requestBodyMaxBytes: 1024 * 1024 },
  };
  gateway = await startTestGateway({ settings, keepBodies: true });
  headers = { authorization: `Bearer ${await gateway.token()}` };
});
after(() => gateway.stop());

async function kill(): Promise<void> {
  gateway.processor.process.kill('SIGKILL');
  await gateway.processor.exited;
}

async function cursorPosition(): Promise<Position | null> {
  return (await loadCursor(join(gateway.dataDirectory, 'journal'), 'index')).position;
}

/** To be asked while nobody writes: whatever is not in the index yet stands at or behind the cursor. */
async function assertCursorSkipsNothing(): Promise<void> {
  const position = await cursorPosition();
  const indexed = await wholeIndex(gateway.dataDirectory);
  if (position === null) return;
  for (const { id, start } of await readJournal(gateway.dataDirectory)) {
    assert.ok(indexed.has(id) || comparePositions(start, position) >= 0, `the cursor passed ${id}`);
  }
}

test('a kill with open exchanges: each is recorded as interrupted under its own id, completed ones are there once', async () => {
  const completed: string[] = [];
  for (let count = 0; count < 20; count += 1) {
    const answer = await gateway.post(messagesBody(`completed ${count}`), headers);
    assert.equal(answer.status, 200);
    completed.push(answer.exchangeId);
  }
  const streaming = await openSlowStream(gateway, 'open answer', headers);
  await openHalfUpload(gateway, 'open upload', headers);
  const openAnswer = await inJournal(gateway, 'open answer', () => true);
  const openUpload = await inJournal(gateway, 'open upload', () => true);
  // What ends behind the open ones moves the cursor up to them, and would move it past them if it could.
  await waitUntil('the cursor at the oldest open exchange', async () => {
    const later = await gateway.post(messagesBody('completed behind open ones'), headers);
    completed.push(later.exchangeId);
    await gateway.document(later.exchangeId);
    const position = await cursorPosition();
    return position !== null && comparePositions(position, openAnswer.start) >= 0;
  });
  await kill();
  assert.equal(await streaming.over, 'cut');
  await assertCursorSkipsNothing();

  await gateway.restartProcessor();
  await servedAgain(gateway, headers);
  const { skilltape } = await gateway.document(openAnswer.id);
  assert.equal(skilltape.outcome, 'interrupted');
  assert.equal((await gateway.document(openUpload.id)).skilltape.outcome, 'interrupted');
  for (const id of completed) {
    assert.equal((await gateway.document(id)).skilltape.outcome, 'complete');
  }
  const { answerBody } = await inJournal(gateway, 'open answer', () => true);
  assert.deepEqual(streaming.received(), answerBody.subarray(0, streaming.received().length));
  await assertJournalIsIndexed(gateway);
});

test('a second restart ends nothing a second time', async () => {
  const before = await wholeIndex(gateway.dataDirectory);
  await kill();
  await gateway.restartProcessor();
  await servedAgain(gateway, headers);
  await assertJournalIsIndexed(gateway);
  const afterwards = await wholeIndex(gateway.dataDirectory);
  for (const [id, { outcome }] of before) assert.equal(afterwards.get(id)?.outcome, outcome);
});

test(`${kills} kills at random moments under load: what the upstream saw has a record, and nothing is there twice`, async (t) => {
  const seed = Number(process.env.TEST_SEED ?? Math.floor(Math.random() * 2 ** 32));
  t.diagnostic(`seed ${seed} (TEST_SEED)`);
  const random = randomFrom(seed);
  await using load = new Load(gateway, headers);
  try {
    for (let count = 0; count < kills; count += 1) {
      const answered = load.answered.size;
      await waitUntil('answers since the last kill', () => load.answered.size > answered + 3);
      await new Promise((resolve) => setTimeout(resolve, random() * 400));
      await kill();
      await assertCursorSkipsNothing();
      await gateway.restartProcessor();
    }
    await servedAgain(gateway, headers);
  } finally {
    await load.stop();
  }
  await assertJournalIsIndexed(gateway);
  const arrivals = await assertArrivalsAreRecorded(gateway);
  assert.ok(arrivals >= load.answered.size);
  const indexed = await wholeIndex(gateway.dataDirectory);
  for (const id of load.answered) assert.equal(indexed.get(id)?.outcome, 'complete', id);
  t.diagnostic(`${load.answered.size} answered, ${load.failures.length} refused or cut, ${arrivals} seen upstream`);
});

/** Mulberry32: the same numbers for the same seed. */
function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
