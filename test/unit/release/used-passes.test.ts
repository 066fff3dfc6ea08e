import assert from 'node:assert/strict';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { UsedPassFiles } from '../../../extproc/release/used-passes.ts';
import { temporaryDirectory } from '../../builders/directory.ts';

const minute = 60_000;
const id = (number: number) => `0196b0c0-0000-7000-8000-${String(number).padStart(12, '0')}`;

test('of all who ask for one pass at once, in whatever process, one is the first', async (t) => {
  const directory = join(temporaryDirectory(t), 'used');
  const processes = Array.from({ length: 8 }, () => new UsedPassFiles(directory));
  for (let pass = 0; pass < 50; pass += 1) {
    const asked = processes.flatMap((one) => [one.take(id(pass), 10), one.take(id(pass), 10)]);
    const first = (await Promise.all(asked)).filter((isFirst) => isFirst);
    assert.equal(first.length, 1);
  }
  assert.equal(await new UsedPassFiles(directory).take(id(0), 10), false, 'a process that starts later knows it');
});

test('what is over is removed, and what may still be shown is kept', async (t) => {
  const directory = join(temporaryDirectory(t), 'used');
  const used = new UsedPassFiles(directory);
  for (const untilMs of [1, minute, 2 * minute]) assert.ok(await used.take(id(untilMs), untilMs));
  assert.deepEqual(readdirSync(directory).sort(), ['1', '2']);
  assert.equal(await used.take(id(minute), minute), false);
});

test('where it cannot be written down that a pass is used, nobody is the first', async (t) => {
  const directory = join(temporaryDirectory(t), 'used');
  writeFileSync(directory, '');
  await assert.rejects(new UsedPassFiles(directory).take(id(1), 1), { code: 'disk_failed' });
});
