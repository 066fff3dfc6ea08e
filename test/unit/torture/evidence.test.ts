import assert from 'node:assert/strict';
import { truncateSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { RecordBody } from '../../../extproc/exchange/record.ts';
import { encodeRecord } from '../../../extproc/exchange/record.ts';
import { type Journal, openJournal } from '../../../extproc/journal/journal.ts';
import { loadOrCreateJournalKey } from '../../../extproc/journal/key.ts';
import { nodeFileSystem } from '../../../extproc/journal/node-fs.ts';
import { journalDirectory } from '../../../extproc/journal/places.ts';
import { type Position, segmentFileName } from '../../../extproc/journal/position.ts';
import { temporaryDirectory } from '../../builders/directory.ts';
import { Evidence } from '../../torture/kills/evidence.ts';
import type { Seen } from '../../torture/kills/load.ts';
import { startedOf } from '../transcript/example.ts';

const exchangeId = '018f6a1e-7a3b-7cc0-8f00-000000000001';
const otherId = '018f6a1e-7a3b-7cc0-8f00-000000000002';

function ended(outcome: 'complete' | 'interrupted'): RecordBody {
  return { kind: 'finished', finished: { outcome, detail: '', status: 200, localReply: '' } };
}

async function openIn(dataDirectory: string): Promise<Journal> {
  await nodeFileSystem.makeDirectory(join(dataDirectory, 'keys'));
  const limits = { segmentMaxBytes: 2 ** 20, journalMaxBytes: 2 ** 30, syncIntervalMs: 1_000, onPoison: () => {} };
  const key = await loadOrCreateJournalKey(join(dataDirectory, 'keys', 'journal.key'));
  const place = { directory: journalDirectory(dataDirectory, 1), fileSystem: nodeFileSystem, key };
  return (await openJournal({ ...place, ...limits })).journal;
}

const write = (journal: Journal, body: RecordBody) =>
  journal.append(encodeRecord({ exchangeId, timeMs: 1_000, ...body }));

const cuts: Record<string, (at: number, end: number) => number> = {
  'its first byte': (at) => at + 1,
  'all but its last byte': (_at, end) => end - 1,
};

for (const [left, offsetIn] of Object.entries(cuts)) {
  test(`an end of which a later power failure left ${left} is gone, and the next one is the only one`, async (t) => {
    const dataDirectory = temporaryDirectory(t);
    const first = await openIn(dataDirectory);
    await write(first, { kind: 'started', started: startedOf() });
    const endAt = await write(first, ended('complete'));
    const endedAt = first.written();
    await first.close();
    const file = join(journalDirectory(dataDirectory, 1), segmentFileName(endAt.segment));
    truncateSync(file, endedAt.offset);
    const evidence = new Evidence(dataDirectory);
    await evidence.afterDeath({ life: 0, recovered: true, lostFrom: new Map() });
    const offset = offsetIn(endAt.offset, endedAt.offset);
    truncateSync(file, offset);
    const lostFrom = new Map([[1, { segment: endAt.segment, offset }]]);
    await evidence.afterDeath({ life: 1, recovered: false, lostFrom });
    const second = await openIn(dataDirectory);
    await write(second, ended('interrupted'));
    await second.close();
    await evidence.afterDeath({ life: 2, recovered: true, lostFrom: new Map() });
    assert.deepEqual(evidence.violations, []);
  });
}

/** A start alone; then, in one frame, its end and the start of another exchange with a part of its answer. */
async function writeGroup(journal: Journal): Promise<Position> {
  await write(journal, { kind: 'started', started: startedOf() });
  const groupAt = journal.written();
  const other = { exchangeId: otherId, timeMs: 1_000 };
  await journal.appendAll([
    encodeRecord({ exchangeId, timeMs: 1_000, ...ended('complete') }),
    encodeRecord({ ...other, kind: 'started', started: startedOf() }),
    encodeRecord({ ...other, kind: 'answer_body', bytes: Buffer.from('answer') }),
  ]);
  return groupAt;
}

/** A journal that its process left behind such a group, without an end mark, and what is known of it. */
async function killedBehindGroup(t: TestContext) {
  const dataDirectory = temporaryDirectory(t);
  const journal = await openIn(dataDirectory);
  const groupAt = await writeGroup(journal);
  const written = journal.written();
  await journal.close();
  const file = join(journalDirectory(dataDirectory, 1), segmentFileName(groupAt.segment));
  truncateSync(file, written.offset);
  const evidence = new Evidence(dataDirectory);
  await evidence.afterDeath({ life: 0, recovered: false, lostFrom: new Map() });
  return { dataDirectory, file, groupAt, written, evidence };
}

test('records that were written together are gone together, wherever in their frame a power failure cuts', async (t) => {
  const { dataDirectory, file, groupAt, written, evidence } = await killedBehindGroup(t);
  assert.equal(evidence.exchanges, 2);
  const offset = written.offset - 1;
  truncateSync(file, offset);
  await evidence.afterDeath({ life: 1, recovered: false, lostFrom: new Map([[1, { ...groupAt, offset }]]) });
  assert.equal(evidence.exchanges, 1);
  const second = await openIn(dataDirectory);
  await write(second, ended('interrupted'));
  await second.close();
  await evidence.afterDeath({ life: 2, recovered: true, lostFrom: new Map() });
  assert.deepEqual(evidence.violations, []);
});

test('records that were written together are kept together when the power failure cuts behind them', async (t) => {
  const { written, evidence } = await killedBehindGroup(t);
  await evidence.afterDeath({ life: 1, recovered: true, lostFrom: new Map([[1, written]]) });
  assert.equal(evidence.exchanges, 2);
  assert.deepEqual(evidence.violations, [`${otherId} has no end`]);
});

const whole: Seen = {
  ...{ marker: '<load 1>', status: 200, exchangeId, received: Buffer.from('{}'), whole: true, life: 0, overInLife: 0 },
};

type End = Parameters<typeof ended>[0];

/** Of an exchange whose caller got all of its answer, and which nobody ended before the first death. */
async function answeredAndKilled(t: TestContext) {
  const dataDirectory = temporaryDirectory(t);
  const evidence = new Evidence(dataDirectory);
  const journal = await openIn(dataDirectory);
  await write(journal, { kind: 'started', started: startedOf() });
  await write(journal, { kind: 'answer_body', bytes: whole.received });
  await journal.close();
  await evidence.afterDeath({ life: 0, recovered: true, lostFrom: new Map() });
  evidence.proveCalls([], [whole]);
  /** A life that recovers the journal, or dies before; gives where it began to write. */
  const live = async (life: number, end: End | null, lostFrom = new Map<number, Position>()): Promise<Position> => {
    const next = await openIn(dataDirectory);
    const begin = next.written();
    if (end !== null) await write(next, ended(end));
    await next.close();
    await evidence.afterDeath({ life, recovered: end !== null, lostFrom });
    return begin;
  };
  const losePower = ({ segment, offset }: Position) =>
    truncateSync(join(journalDirectory(dataDirectory, 1), segmentFileName(segment)), offset);
  return { evidence, live, losePower };
}

test('a whole answer has no end as long as nobody recovered its journal, and is complete then', async (t) => {
  const { evidence, live } = await answeredAndKilled(t);
  await live(1, null);
  await live(2, 'complete');
  assert.deepEqual([evidence.violations, evidence.wholeWithoutEnd], [[], 1]);
});

test('a whole answer that the next processor ends as interrupted is a violation', async (t) => {
  const { evidence, live } = await answeredAndKilled(t);
  await live(1, 'interrupted');
  assert.deepEqual(evidence.violations, ['<load 1>: whole, recorded as interrupted']);
});

test('a whole answer that is ended anew behind a power failure, and not as complete, is a violation', async (t) => {
  const { evidence, live, losePower } = await answeredAndKilled(t);
  const begin = await live(1, 'complete');
  losePower(begin);
  await live(2, 'interrupted', new Map([[1, begin]]));
  assert.deepEqual(evidence.violations, ['<load 1>: whole, recorded as interrupted']);
});

test('a whole answer that has its end already, and not as complete, is a violation', async (t) => {
  const dataDirectory = temporaryDirectory(t);
  const journal = await openIn(dataDirectory);
  await write(journal, { kind: 'started', started: startedOf() });
  await write(journal, { kind: 'answer_body', bytes: whole.received });
  await write(journal, ended('interrupted'));
  await journal.close();
  const evidence = new Evidence(dataDirectory);
  await evidence.afterDeath({ life: 0, recovered: true, lostFrom: new Map() });
  evidence.proveCalls([], [whole]);
  assert.deepEqual(evidence.violations, ['<load 1>: whole, recorded as interrupted']);
  assert.equal(evidence.wholeWithoutEnd, 0);
});

test('two ends that are both on the disk are a violation', async (t) => {
  const dataDirectory = temporaryDirectory(t);
  const journal = await openIn(dataDirectory);
  await write(journal, { kind: 'started', started: startedOf() });
  await write(journal, ended('complete'));
  await write(journal, ended('interrupted'));
  await journal.close();
  const evidence = new Evidence(dataDirectory);
  await evidence.afterDeath({ life: 0, recovered: true, lostFrom: new Map() });
  assert.deepEqual(evidence.violations, [`${exchangeId} has 2 ends: complete,interrupted`]);
});
