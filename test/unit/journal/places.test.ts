import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { journalDirectory, journalsIn, primaryJournal } from '../../../extproc/journal/places.ts';

test('the journals that a data directory holds are found again by the numbers of their workers', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'skilltape-places-'));
  t.after(() => rmSync(directory, { recursive: true }));
  assert.deepEqual(await journalsIn(directory), []);
  for (const worker of [11, 2, 1, primaryJournal]) mkdirSync(journalDirectory(directory, worker));
  for (const other of ['journal-1', 'journal-02', 'journal-x', 'journal-2.old', 'keys'])
    mkdirSync(join(directory, other));
  assert.deepEqual(await journalsIn(directory), [primaryJournal, 1, 2, 11]);
});
