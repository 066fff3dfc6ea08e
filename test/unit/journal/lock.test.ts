import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openJournal } from '../../../extproc/journal/journal.ts';
import { nodeFileSystem } from '../../../extproc/journal/node-fs.ts';
import { key } from './rig.ts';

function scratch(context: { after: (run: () => void) => void }): string {
  const parent = fs.mkdtempSync(join(tmpdir(), 'skilltape-lock-'));
  context.after(() => fs.rmSync(parent, { recursive: true }));
  return join(parent, 'journal');
}

function open(directory: string) {
  const limits = { segmentMaxBytes: 4096, journalMaxBytes: 1_000_000, syncIntervalMs: 50 };
  return openJournal({ directory, fileSystem: nodeFileSystem, key, onPoison: () => {}, ...limits });
}

test('a second writer is refused, in this process and in another, and the lock ends with a killed process', async (context) => {
  const directory = scratch(context);
  const { journal } = await open(directory);
  const held = {
    code: 'config_invalid',
    message: new RegExp(`process ${process.pid}`),
    remedy: /directory of its own/,
  };
  await assert.rejects(open(directory), held);
  const script = `
    import { nodeFileSystem } from ${JSON.stringify(import.meta.resolve('../../../extproc/journal/node-fs.ts'))};
    const lock = await nodeFileSystem.lock(process.argv[1]);
    console.log(lock.status);
    process.kill(process.pid, 'SIGKILL');
  `;
  const lockInChild = () => {
    const child = spawnSync(process.execPath, ['--input-type=module', '-e', script, directory], { encoding: 'utf8' });
    return child.stdout.trim();
  };
  assert.equal(lockInChild(), 'held');
  await assert.rejects(open(directory), held, 'a refused attempt takes nothing from the holder');
  await journal.close();
  assert.equal(lockInChild(), 'acquired');
  assert.ok(fs.existsSync(join(directory, 'lock')), 'the killed process left its lock file');
  await (await open(directory)).journal.close();
});

test('a lock file that names a process which is alive holds, one of an earlier start of that number does not', async (context) => {
  const directory = scratch(context);
  await nodeFileSystem.makeDirectory(directory);
  const parent = process.ppid;
  const startTime = fs.readFileSync(`/proc/${parent}/stat`, 'utf8').split(') ')[1]?.split(' ')[19];
  const bootId = fs.readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  const plant = (holder: unknown) => fs.writeFileSync(join(directory, 'lock'), JSON.stringify(holder));
  plant({ pid: parent, startTime, bootId });
  assert.deepEqual(await nodeFileSystem.lock(directory), { status: 'held', holder: `process ${parent}` });
  for (const stale of [
    { pid: parent, startTime: '1', bootId },
    { pid: parent, startTime, bootId: 'x' },
    null,
    '{',
    {},
  ]) {
    plant(stale);
    const lock = await nodeFileSystem.lock(directory);
    assert.equal(lock.status, 'acquired', JSON.stringify(stale));
    if (lock.status === 'acquired') await lock.release();
  }
});
