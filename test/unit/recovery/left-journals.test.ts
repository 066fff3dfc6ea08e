import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { pino } from 'pino';
import type { Config } from '../../../extproc/config/config.ts';
import type { ExchangeRecord } from '../../../extproc/exchange/record.ts';
import { decodeRecord, encodeRecord } from '../../../extproc/exchange/record.ts';
import type { Journal } from '../../../extproc/journal/journal.ts';
import { openJournal } from '../../../extproc/journal/journal.ts';
import { nodeFileSystem } from '../../../extproc/journal/node-fs.ts';
import { journalDirectory, primaryJournal } from '../../../extproc/journal/places.ts';
import { openJournalReader } from '../../../extproc/journal/reader.ts';
import { takeOverLeft } from '../../../extproc/left-journals.ts';
import { takeOver, untilUnlocked } from '../../../extproc/recovery.ts';
import { exchangeIdOf, finishedOf, startedOf } from '../transcript/example.ts';

const key = new Uint8Array(32).fill(7);
const log = pino({ enabled: false });
const limits = {
  segmentMaxBytes: 4_096,
  journalMaxBytes: 64 * 1_024,
  syncIntervalMs: 50,
  volumeRefuseAtPercent: 90,
  maxAgeHours: 24,
  keyFile: '',
};
const place = { fileSystem: nodeFileSystem, key, log };

class Rig {
  readonly dataDirectory = mkdtempSync(join(tmpdir(), 'skilltape-left-'));

  constructor(t: TestContext) {
    t.after(() => rmSync(this.dataDirectory, { recursive: true }));
  }

  config(workers: number): Config {
    return { dataDirectory: this.dataDirectory, workers, journal: limits, drainMaxMs: 0 } as unknown as Config;
  }

  async journal(worker: number): Promise<Journal> {
    const directory = journalDirectory(this.dataDirectory, worker);
    mkdirSync(directory, { recursive: true });
    return (await openJournal({ ...place, ...limits, directory, onPoison: () => {} })).journal;
  }

  async records(worker: number): Promise<ExchangeRecord[]> {
    const reader = openJournalReader({ ...place, directory: journalDirectory(this.dataDirectory, worker) });
    const records: ExchangeRecord[] = [];
    for await (const { payload } of reader.read(null)) records.push(decodeRecord(payload));
    await reader.close();
    return records;
  }

  takeOverLeft(workers: number) {
    return takeOverLeft({
      ...{ config: this.config(workers), key, log, fileSystem: nodeFileSystem },
      onFinished: () => {},
    });
  }
}

/** An exchange whose answer is on record to its last byte, or one that lacks it, and without an end. */
async function recordAnswered(journal: Journal, exchange: number, body: string): Promise<void> {
  await record(journal, exchange, false);
  const head = { exchangeId: exchangeIdOf(exchange), timeMs: 1 };
  const headers = [['content-length', '2']] as const;
  const answer = { status: 200, headers, codeDetails: 'via_upstream' };
  await journal.append(encodeRecord({ ...head, kind: 'answer_started', answer }));
  await journal.append(encodeRecord({ ...head, kind: 'answer_body', bytes: Buffer.from(body) }));
}

async function record(journal: Journal, exchange: number, isFinished: boolean): Promise<void> {
  const head = { exchangeId: exchangeIdOf(exchange), timeMs: 1 };
  await journal.append(encodeRecord({ ...head, kind: 'started', started: startedOf() }));
  if (isFinished) await journal.append(encodeRecord({ ...head, kind: 'finished', finished: finishedOf() }));
}

function endsOf(records: readonly ExchangeRecord[]): Record<string, string> {
  const ends = records.flatMap((entry) =>
    entry.kind === 'finished' ? [[entry.exchangeId, entry.finished.outcome]] : [],
  );
  return Object.fromEntries(ends);
}

test('what is open in the journals of workers that are no longer there is ended, and no other journal is touched', async (t) => {
  const rig = new Rig(t);
  for (const worker of [1, 2, 3]) {
    const journal = await rig.journal(worker);
    await record(journal, 10 * worker, true);
    await record(journal, 10 * worker + 1, false);
    await journal.close();
  }
  const left = await rig.takeOverLeft(2);
  assert.deepEqual(left.directories, [journalDirectory(rig.dataDirectory, 3)]);
  assert.deepEqual(endsOf(await rig.records(3)), { [exchangeIdOf(30)]: 'complete', [exchangeIdOf(31)]: 'interrupted' });
  for (const worker of [1, 2]) assert.equal((await rig.records(worker)).length, 3);
  await left.close();
  const again = await rig.takeOverLeft(2);
  assert.equal((await rig.records(3)).length, 4, 'and ended once');
  await again.close();
});

test("a primary's own journal is left where one process does everything, and in use beside several workers", async (t) => {
  const rig = new Rig(t);
  const journal = await rig.journal(primaryJournal);
  await record(journal, 1, true);
  await journal.close();
  const beside = await rig.takeOverLeft(2);
  assert.deepEqual(beside.directories, []);
  await beside.close();
  const alone = await rig.takeOverLeft(1);
  assert.deepEqual(alone.directories, [journalDirectory(rig.dataDirectory, primaryJournal)]);
  await alone.close();
});

test('a journal that is left keeps what the index has as long as it is within its part, and all that the index has not', async (t) => {
  const rig = new Rig(t);
  const journal = await rig.journal(2);
  const written: number[] = [];
  for (let exchange = 0; journal.usage().bytes < 48 * 1_024; exchange += 1) {
    await record(journal, exchange, true);
    written.push(exchange);
  }
  const end = journal.written();
  await journal.close();
  const left = await rig.takeOverLeft(1);
  left.delivered([null]);
  await left.close();
  assert.equal((await rig.records(2)).length, 2 * written.length);
  const later = await rig.takeOverLeft(1);
  later.delivered([end]);
  await later.close();
  const kept = (await rig.records(2)).length;
  assert.ok(kept > written.length / 2 && kept < 2 * written.length, `${kept} of ${2 * written.length}`);
});

test('a dead worker leaves whole answers as complete, and its log counts them and what was interrupted', async (t) => {
  const rig = new Rig(t);
  const journal = await rig.journal(2);
  await recordAnswered(journal, 1, '{}');
  await recordAnswered(journal, 2, '{');
  await record(journal, 3, false);
  await journal.close();
  const lines: Record<string, unknown>[] = [];
  const told: string[] = [];
  await takeOver({
    ...{ ...place, limits, journalMaxBytes: limits.journalMaxBytes, directory: journalDirectory(rig.dataDirectory, 2) },
    log: pino({}, { write: (line: string) => lines.push(JSON.parse(line)) }),
    onFinished: (_connection, outcome) => told.push(outcome),
  });
  assert.deepEqual(endsOf(await rig.records(2)), {
    ...{ [exchangeIdOf(1)]: 'complete', [exchangeIdOf(2)]: 'interrupted', [exchangeIdOf(3)]: 'interrupted' },
  });
  assert.deepEqual(told, ['complete', 'interrupted', 'interrupted']);
  const said = lines.flatMap(({ level, msg, exchanges }) => (exchanges === undefined ? [] : [[level, msg, exchanges]]));
  assert.deepEqual(said, [
    [40, 'exchanges were interrupted by the last end', [exchangeIdOf(2), exchangeIdOf(3)]],
    [30, 'exchanges were ended whose answer was whole', 1],
  ]);
});

test('the journal of a dead worker is taken over again and again without an end being written twice', async (t) => {
  const rig = new Rig(t);
  const journal = await rig.journal(2);
  await record(journal, 1, false);
  await journal.close();
  const parts = { ...place, limits, journalMaxBytes: limits.journalMaxBytes, onFinished: () => {} };
  const directory = journalDirectory(rig.dataDirectory, 2);
  for (let round = 0; round < 3; round += 1) await takeOver({ ...parts, directory });
  assert.deepEqual(endsOf(await rig.records(2)), { [exchangeIdOf(1)]: 'interrupted' });
  assert.equal((await rig.records(2)).length, 2);
});

test('a journal that a living worker holds is waited for, and taken when it lets go', async (t) => {
  const rig = new Rig(t);
  const journal = await rig.journal(2);
  let free = false;
  const waited = untilUnlocked({ ...place, directory: journalDirectory(rig.dataDirectory, 2) }, 0).then(() => {
    assert.ok(free);
  });
  await new Promise((resolve) => setTimeout(resolve, 300));
  free = true;
  await journal.close();
  await waited;
});
