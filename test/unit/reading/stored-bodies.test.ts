import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { endpointOf } from '../../../extproc/claude/endpoint.ts';
import type { BodyPlace } from '../../../extproc/exchange/body.ts';
import type { ReadableBody } from '../../../extproc/exchange/reader.ts';
import { readHere } from '../../../extproc/exchange/reader.ts';
import { encodeRecord } from '../../../extproc/exchange/record.ts';
import type { StoredPart } from '../../../extproc/exchange/request-body.ts';
import { openJournal } from '../../../extproc/journal/journal.ts';
import { nodeFileSystem } from '../../../extproc/journal/node-fs.ts';
import { createThreadedReader } from '../../../extproc/reading/threaded-reader.ts';
import { decodingLimits, noCodings } from '../../builders/decoding.ts';
import { temporaryDirectory } from '../../builders/directory.ts';
import { messagesBody } from '../../builders/messages-body.ts';

const exchangeId = '01890a5d-ac96-774b-bcce-b302099a8057';
const place: BodyPlace = {
  endpoint: endpointOf('POST', '/v1/messages'),
  bodyForm: 'messages',
  contentType: 'application/json',
  codings: noCodings,
  decoding: decodingLimits,
};

/** A journal in small segments, a reader over it, and a way to write bodies of which only the beginning is in memory. */
async function openStored(t: TestContext) {
  // Closed before the directory is gone.
  const opened = new AsyncDisposableStack();
  t.after(() => opened.disposeAsync());
  const directory = temporaryDirectory(t);
  const key = new Uint8Array(32).fill(3);
  const options = { directory, fileSystem: nodeFileSystem, key, segmentMaxBytes: 65_536, journalMaxBytes: 2 ** 30 };
  const { journal } = await openJournal({ ...options, syncIntervalMs: 5, onPoison: () => {} });
  const reader = createThreadedReader({ directory, key });
  const write = async (whole: Buffer, inMemory: number): Promise<ReadableBody> => {
    const parts: StoredPart[] = [];
    for (let at = inMemory; at < whole.length; at += 10_000) {
      const bytes = whole.subarray(at, at + 10_000);
      const record = encodeRecord({ exchangeId, timeMs: 1, kind: 'request_body', bytes });
      parts.push({ place: await journal.append(record), bytes: bytes.length });
    }
    const copied = () => {
      const copy = new Uint8Array(whole.length);
      copy.set(whole.subarray(0, inMemory));
      return copy;
    };
    const joined = () => assert.fail('it is not all in memory');
    return { bytes: whole.length, stored: { exchangeId, parts }, joined, copied };
  };
  opened.defer(() => journal.close());
  opened.defer(() => reader.close());
  return { directory, reader, write };
}

test('a body that is in the journal alone is read as one in memory is, also while its segment is written', async (t) => {
  const { reader, write } = await openStored(t);
  for (const [chars, inMemory] of [
    [100, 0],
    [300_000, 20_000],
    [3_000_000, 0],
  ] as const) {
    const whole = Buffer.from(messagesBody('é'.repeat(chars)));
    const read = await reader.read('body', place, await write(whole, inMemory));
    assert.deepEqual(read, readHere('body', place, whole));
  }
});

test('a body whose journal file was changed is not read, and the next one is', async (t) => {
  const { directory, reader, write } = await openStored(t);
  const body = await write(Buffer.from(messagesBody('x'.repeat(200_000))), 0);
  const [first = ''] = readdirSync(directory)
    .filter((name) => name.endsWith('.journal'))
    .sort();
  const bytes = readFileSync(join(directory, first));
  bytes.writeUInt8(bytes.readUInt8(30_000) ^ 1, 30_000);
  writeFileSync(join(directory, first), bytes);
  await assert.rejects(Promise.resolve(reader.read('body', place, body)), { code: 'journal_corrupt' });
  const next = await write(Buffer.from(messagesBody('again')), 0);
  assert.equal((await reader.read('body', place, next)).fault, '');
});
