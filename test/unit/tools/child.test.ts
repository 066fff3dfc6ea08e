import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lastWords, runChild } from '../../../extproc/tools/child.ts';

const { env } = process;

test('a command that does not end in its time is killed, even where its own child holds the output open', async () => {
  const script = `require('node:child_process').spawn(process.execPath, ['-e', 'process.stdin.resume()'], { stdio: ['pipe', 1, 2] }); setInterval(() => {}, 1000)`;
  const result = await runChild(process.execPath, ['-e', script], { env, timeoutMs: 1000 });
  assert.deepEqual(result, { kind: 'broken', why: 'it did not end within 1 s' });
});

test('a command that is not there is told from one that fails', async () => {
  assert.deepEqual(await runChild('/nowhere/command', [], { env, timeoutMs: 10_000 }), { kind: 'absent' });
  const failed = await runChild(process.execPath, ['-e', 'console.error("no"); process.exit(3)'], {
    env,
    timeoutMs: 10_000,
  });
  assert.deepEqual(failed, { kind: 'ended', status: 3, output: 'no\n' });
});

test('only the end of a flood of output is kept', async () => {
  const script = 'process.stdout.write("x".repeat(1e6) + "\\nthe end\\n")';
  const result = await runChild(process.execPath, ['-e', script], { env, timeoutMs: 30_000 });
  assert.ok(result.kind === 'ended');
  assert.equal(result.output.length, 65536);
  assert.equal(lastWords(result.output), 'the end');
});

test('last words fit a sentence, and silence is said', () => {
  assert.equal(lastWords(' \n'), 'nothing');
  assert.equal(lastWords('y'.repeat(1000)).length, 300);
});
