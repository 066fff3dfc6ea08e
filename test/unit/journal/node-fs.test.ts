import assert from 'node:assert/strict';
import fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { type JournalOptions, openJournal } from '../../../extproc/journal/journal.ts';
import { nodeFileSystem } from '../../../extproc/journal/node-fs.ts';
import { openJournalReader } from '../../../extproc/journal/reader.ts';
import { bytesOf, key, textOf } from './rig.ts';

function scratch(context: { after: (run: () => void) => void }): string {
  const parent = fs.mkdtempSync(join(tmpdir(), 'skilltape-journal-'));
  context.after(() => fs.rmSync(parent, { recursive: true }));
  return join(parent, 'deep', 'journal');
}

function open(directory: string, overrides: Partial<JournalOptions> = {}) {
  const options = { segmentMaxBytes: 4096, journalMaxBytes: 1_000_000, syncIntervalMs: 50, onPoison: () => {} };
  return openJournal({ directory, fileSystem: nodeFileSystem, key, ...options, ...overrides });
}

test('a journal on the real disk is written, read and opened again, for its owner alone', async (context) => {
  const directory = scratch(context);
  const texts = Array.from({ length: 200 }, (_, index) => `record ${index}`);
  const { journal } = await open(directory);
  const positions = await Promise.all(texts.map((text) => journal.append(bytesOf(text))));
  await journal.sync();
  await journal.close();
  assert.equal((await open(directory)).recovery.status, 'clean');
  const reader = openJournalReader({ directory, fileSystem: nodeFileSystem, key });
  const seen: string[] = [];
  for await (const { payload } of reader.read(null)) seen.push(textOf(payload));
  assert.deepEqual(seen, texts);
  assert.deepEqual((await Promise.all(positions.map((position) => reader.readAt(position)))).map(textOf), texts);
  await reader.close();
  assert.equal(fs.statSync(directory).mode & 0o777, 0o700);
  for (const name of fs.readdirSync(directory))
    assert.equal(fs.statSync(join(directory, name)).mode & 0o777, 0o600, name);
});

for (const name of ['fdatasync', 'writev'] as const) {
  test(`a fault put into fs.${name} after the start is met and poisons`, async (context) => {
    const { journal } = await open(scratch(context));
    await journal.append(bytesOf('a'));
    const fault = Object.assign(new Error('EIO'), { code: 'EIO' });
    context.mock.method(fs, name, (...given: unknown[]) => {
      const done = given.at(-1);
      if (typeof done === 'function') done(fault);
    });
    const appended = Promise.allSettled([journal.append(bytesOf('b'))]);
    await assert.rejects(journal.sync(), { code: 'journal_poisoned', message: /EIO/ });
    await appended;
    await assert.rejects(journal.close(), { code: 'journal_poisoned' });
  });
}

test('a small file is replaced as a whole and never made over an existing one', async (context) => {
  const directory = scratch(context);
  await nodeFileSystem.makeDirectory(directory);
  const path = join(directory, 'small');
  assert.equal(await nodeFileSystem.readSmall(path, 10), undefined);
  assert.equal(await nodeFileSystem.createSmall(path, Buffer.from('one')), true);
  assert.equal(await nodeFileSystem.createSmall(path, Buffer.from('two')), false);
  assert.equal(fs.readFileSync(path, 'utf8'), 'one');
  await nodeFileSystem.writeSmall(path, Buffer.from('three'));
  assert.equal(textOf((await nodeFileSystem.readSmall(path, 10))?.bytes ?? new Uint8Array()), 'three');
  await assert.rejects(nodeFileSystem.readSmall(path, 4));
  assert.deepEqual(fs.readdirSync(directory), ['small']);
});
