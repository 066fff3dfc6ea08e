import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { newExchangeId } from '../../extproc/exchange/exchange-id.ts';
import type { RecordBody } from '../../extproc/exchange/record.ts';
import { encodeRecord } from '../../extproc/exchange/record.ts';
import { SqliteIndex } from '../../extproc/index/sqlite/writer.ts';
import type { Journal } from '../../extproc/journal/journal.ts';
import { openJournal } from '../../extproc/journal/journal.ts';
import { nodeFileSystem } from '../../extproc/journal/node-fs.ts';
import { compilePolicies } from '../../extproc/policy/compile.ts';
import type { ShipReport } from '../../extproc/ship/protocol.ts';
import { superviseShipper } from '../../extproc/ship/supervisor.ts';
import { resolveTool } from '../../extproc/tools/resolve.ts';
import { decodingLimits } from '../builders/decoding.ts';
import { temporaryDirectory } from '../builders/directory.ts';
import { messagesBody } from '../builders/messages-body.ts';
import { mountSmallDisk, noSmallDisk } from '../environment/small-disk.ts';
import { waitUntil } from '../environment/wait.ts';
import { wholeIndex } from '../environment/whole-index.ts';

const key = new Uint8Array(32).fill(1);

/** A denied request with 90,000 characters of text. */
async function write(journal: Journal, text: string): Promise<string> {
  const exchangeId = newExchangeId(Date.now());
  const record = (body: RecordBody) => journal.append(encodeRecord({ exchangeId, timeMs: Date.now(), ...body }));
  const identity = { issuer: 'https://idp.example', subject: 'alice', name: '', email: '', groups: [] };
  const request = { method: 'POST', path: '/v1/messages', query: {}, headers: [['content-type', 'application/json']] };
  const rest = { authenticationFailure: null, sourceAddress: '192.0.2.1', envoyRequestId: '', attemptOf: null };
  await record({ kind: 'started', started: { connection: 'claude', identity, ...request, ...rest } as never });
  await record({ kind: 'request_body', bytes: Buffer.from(messagesBody(`${text} ${'y'.repeat(90_000)}`)) });
  await record({ kind: 'finished', finished: { outcome: 'denied', detail: '', status: 403, localReply: '' } });
  return exchangeId;
}

test('an index that cannot be opened on a full disk says which file, why and what to do', {
  skip: noSmallDisk() ?? false,
}, (t) => {
  const disk = mountSmallDisk(8 * 1024 * 1024);
  t.after(() => disk.unmount());
  disk.fill();
  assert.throws(() => SqliteIndex.open(disk.path), {
    code: 'index_failed',
    message: /^could not open the index: cannot use \/.*\/index\.sqlite: no space left on the disk/,
    remedy: /Make room/,
  });
});

test('an index whose disk is full waits and says why, and when there is room it takes all that came meanwhile', {
  skip: noSmallDisk() ?? false,
}, async (t) => {
  await using started = new AsyncDisposableStack();
  const disk = mountSmallDisk(32 * 1024 * 1024);
  started.defer(() => disk.unmount());
  const opa = await resolveTool('opa', { env: process.env });
  const policies = new URL('../../policies', import.meta.url).pathname;
  const policy = await compilePolicies({ opaBinary: opa.path, directory: policies });
  const directory = join(temporaryDirectory(t), 'journal');
  const place = { directory, fileSystem: nodeFileSystem, key, segmentMaxBytes: 2 ** 20, journalMaxBytes: 2 ** 30 };
  const { journal } = await openJournal({ ...place, syncIntervalMs: 50, onPoison: () => {} });
  started.defer(() => journal.close());
  const reports: ShipReport[] = [];
  const keys = { journalKey: key, hashKey: key };
  const limits = {
    textMaxChars: 100_000,
    yieldMaxMs: 0,
    maskingBudgetMs: 30_000,
    names: null,
    decoding: decodingLimits,
    prices: null,
    rememberedDays: 365,
    rejectsMaxBytes: 2 ** 20,
    reveal: null,
    largeWorkMemory: null,
    archive: null,
    coverage: null,
  };
  const shipper = superviseShipper(
    {
      dataDirectory: disk.path,
      elasticsearch: null,
      journalDirectories: [directory],
      policies: [policy],
      ...keys,
      ...limits,
    },
    {
      onReport: (report) => reports.push(report),
      onLateRecords: async () => false,
      isRecordingBusy: () => false,
      onCrash: (error) => assert.fail(error),
    },
  );
  started.defer(() => shipper.stop(5_000));
  const ids = [await write(journal, 'first')];
  shipper.wake();
  const shipped = () => reports.findLast((report) => report.kind === 'progress')?.shipped ?? 0;
  await waitUntil('the first', () => shipped() === 1);
  disk.fill();
  for (let count = 0; count < 100; count += 1) ids.push(await write(journal, `number ${count}`));
  shipper.wake();
  const waiting = await waitUntil('a report', () => reports.find((report) => report.kind === 'waiting'));
  assert.match(waiting.reason, /full/);
  disk.empty();
  await waitUntil('all of them', () => shipped() === ids.length);
  const indexed = await wholeIndex(disk.path);
  for (const id of ids) assert.ok(indexed.has(id));
  assert.ok(!reports.some((report) => report.kind === 'rejected'));
});
