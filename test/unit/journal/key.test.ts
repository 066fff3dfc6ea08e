import assert from 'node:assert/strict';
import fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadOrCreateJournalKey } from '../../../extproc/journal/key.ts';

function scratch(context: { after: (run: () => void) => void }): string {
  const directory = fs.mkdtempSync(join(tmpdir(), 'skilltape-key-'));
  context.after(() => fs.rmSync(directory, { recursive: true }));
  return join(directory, 'journal.key');
}

test('the first call makes 32 bytes of mode 600, later ones give the same', async (context) => {
  const path = scratch(context);
  const key = await loadOrCreateJournalKey(path);
  assert.equal(key.length, 32);
  assert.equal(fs.statSync(path).mode & 0o777, 0o600);
  assert.deepEqual(await loadOrCreateJournalKey(path), key);
  assert.deepEqual(fs.readdirSync(join(path, '..')), ['journal.key']);
});

test('callers that race for a new key all get the one that is on disk', async (context) => {
  const path = scratch(context);
  const keys = await Promise.all(Array.from({ length: 8 }, () => loadOrCreateJournalKey(path)));
  for (const key of keys) assert.deepEqual(Buffer.from(key), fs.readFileSync(path));
});

test('a key of another size is refused and left alone', async (context) => {
  const path = scratch(context);
  fs.writeFileSync(path, Buffer.alloc(31), { mode: 0o600 });
  await assert.rejects(loadOrCreateJournalKey(path), { code: 'key_invalid', remedy: /backup/ });
  assert.equal(fs.statSync(path).size, 31);
});

test('a key that others may read is refused with the remedy', async (context) => {
  const path = scratch(context);
  fs.writeFileSync(path, Buffer.alloc(32));
  for (const mode of [0o640, 0o604, 0o700]) {
    fs.chmodSync(path, mode);
    await assert.rejects(loadOrCreateJournalKey(path), { code: 'key_invalid', remedy: `chmod 600 ${path}` });
  }
});

test('a path where no key can be is refused', async (context) => {
  const path = scratch(context);
  fs.mkdirSync(path);
  await assert.rejects(loadOrCreateJournalKey(path), { code: 'key_invalid' });
  await assert.rejects(loadOrCreateJournalKey(join(path, 'none', 'key')), { code: 'key_invalid' });
});
