import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { temporaryDirectory } from '../../builders/directory.ts';
import { waitUntil } from '../wait.ts';
import { startReaper } from './reaper.ts';

const reaperUrl = new URL('./reaper.ts', import.meta.url).href;

/** A program that starts a child in a group of its own, as a test does with a server, and tells the child's pid. */
const owner = `
import { spawn } from 'node:child_process';
const { startReaper } = await import(${JSON.stringify(reaperUrl)});
const reaper = startReaper(process.argv[1]);
const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { detached: true, stdio: ['ignore', 1, 'ignore'] });
reaper.watch(child.pid);
process.stdout.write(child.pid + '\\n');
setInterval(() => {}, 1000);`;

for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
  test(`a test that is ended by ${signal} leaves neither server nor folder`, async (t) => {
    const folder = join(temporaryDirectory(t), 'node');
    mkdirSync(folder);
    writeFileSync(join(folder, 'data'), 'x');
    const child = spawn(process.execPath, ['--input-type=module', '-e', owner, folder], {
      cwd: fileURLToPath(new URL('.', import.meta.url)),
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    // The server holds its owner's standard output open: the end of the output is the end of both.
    const lines = createInterface({ input: child.stdout });
    const allGone = new Promise<void>((resolve) => lines.once('close', resolve));
    await new Promise<void>((resolve) => lines.once('line', () => resolve()));
    child.kill(signal);
    await allGone;
    await waitUntil('the folder to be gone', () => !existsSync(folder));
  });
}

test('a server that has ended by itself is not looked for again', async (t) => {
  const folder = join(temporaryDirectory(t), 'node');
  mkdirSync(folder);
  const reaper = startReaper(folder);
  const bystander = spawn(process.execPath, ['-e', 'process.stdin.resume()'], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  const ended = new Promise<NodeJS.Signals | null>((resolve) => bystander.once('close', (_, by) => resolve(by)));
  reaper.watch(bystander.pid ?? null);
  reaper.watch(null);
  await reaper.finish();
  assert.ok(!existsSync(folder));
  bystander.stdin.end();
  assert.equal(await ended, null);
});
