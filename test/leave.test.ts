import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { runChild } from '../extproc/tools/child.ts';
import { temporaryDirectory } from './builders/directory.ts';

const mainScript = fileURLToPath(new URL('../extproc/main.ts', import.meta.url));

test('a command ends by itself with its status, heard to the end, and without the runtime’s own taking down', async (t) => {
  const spy = join(temporaryDirectory(t), 'spy.mjs');
  writeFileSync(
    spy,
    `const { reallyExit } = process;
    process.reallyExit = (code) => { console.log('left with', code); reallyExit.call(process, code); };
    process.on('exit', () => console.log('listeners are heard'));
    `,
  );
  const run = async (...args: string[]) => {
    const ended = await runChild(process.execPath, ['--import', pathToFileURL(spy).href, mainScript, ...args], {
      env: { PATH: process.env.PATH },
      timeoutMs: 60_000,
    });
    assert.ok(ended.kind === 'ended', JSON.stringify(ended));
    return ended;
  };
  const well = await run('mask');
  assert.equal(well.status, 0);
  assert.equal(well.output, 'listeners are heard\nleft with 0\n');
  const wrong = await run('search', 'x', '--config', '/nonexistent/skilltape.yaml');
  assert.equal(wrong.status, 2);
  assert.match(wrong.output, /nonexistent[\s\S]*\nlisteners are heard\nleft with 2\n$/);
});
