import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { runChild } from '../extproc/tools/child.ts';
import { temporaryDirectory } from './builders/directory.ts';

const guard = new URL('./linger.ts', import.meta.url).href;

for (const [how, body, told] of [
  ['that passes', '', '✔'],
  ['that fails', "throw new Error('wrong');", '✖'],
] as const) {
  test(`a test file ${how} and leaves something open ends all the same with its results, and says what is open`, async (t) => {
    const file = join(temporaryDirectory(t), 'open.test.mjs');
    writeFileSync(
      file,
      `import { test } from 'node:test';\ntest('open', () => { setInterval(() => {}, 1000); ${body} });\n`,
    );
    const ended = await runChild(process.execPath, ['--import', guard, file], {
      env: { PATH: process.env.PATH, TEST_LINGER_MAX_MS: '200' },
      timeoutMs: 60_000,
    });
    assert.ok(ended.kind === 'ended', JSON.stringify(ended));
    assert.match(ended.output, new RegExp(`^${told} open`, 'm'));
    assert.match(ended.output, /open\.test\.mjs did not end; still open: .*Timeout/);
  });
}

for (const [body, status] of [
  ['', 0],
  ["throw new Error('wrong');", 1],
] as const) {
  test(`a test file that leaves nothing open ends with status ${status}, heard to the end and without the runtime's own taking down`, async (t) => {
    const file = join(temporaryDirectory(t), 'closed.test.mjs');
    writeFileSync(
      file,
      `import { test } from 'node:test';
      const { reallyExit } = process;
      process.reallyExit = (code) => { console.log('left with', code); reallyExit.call(process, code); };
      process.on('exit', () => console.log('others are heard'));
      test('closed', async () => { await new Promise((resolve) => setTimeout(resolve, 5)); ${body} });
      `,
    );
    const ended = await runChild(process.execPath, ['--import', guard, file], {
      env: { PATH: process.env.PATH },
      timeoutMs: 60_000,
    });
    assert.ok(ended.kind === 'ended', JSON.stringify(ended));
    assert.equal(ended.status, status);
    assert.match(ended.output, new RegExp(`fail ${status}\\n`));
    assert.match(ended.output, new RegExp(`others are heard\\nleft with ${status}\\n`));
  });
}
