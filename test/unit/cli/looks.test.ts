import assert from 'node:assert/strict';
import { test } from 'node:test';
import { looksCommand } from '../../../extproc/cli/looks.ts';
import { temporaryDirectory } from '../../builders/directory.ts';
import { maskedText } from '../../builders/document.ts';
import { CommandRunner, newRun } from './looking-fixture.ts';

const earlier = {
  number: 1,
  time: '2026-01-20T11:00:00.000Z',
  who: { osUser: 'root', uid: 0, sudoUser: 'eve' },
  what: 'search' as const,
  subject: maskedText('text: tape\u001b[2J\nuser: x'),
  why: maskedText('case 7'),
};

test('looks lists who looked at what, newest first, beginning with this look', async (t) => {
  const runner = new CommandRunner(temporaryDirectory(t));
  const { out, exitCode } = await runner.run(looksCommand, [], { ...newRun(), looks: [earlier] });
  assert.deepEqual(out.split('\n'), [
    '2  2026-01-20T12:00:00.000Z  ada (uid 1000)  looks  the list of looks',
    '1  2026-01-20T11:00:00.000Z  root (uid 0, sudo by eve)  search  text: tape<U+001B>[2J user: x  (why: case 7)',
    '',
  ]);
  assert.equal(exitCode, 0);
});

test('looks --json prints one look on each line', async (t) => {
  const runner = new CommandRunner(temporaryDirectory(t));
  const { out } = await runner.run(looksCommand, ['--json'], { ...newRun(), looks: [earlier] });
  assert.deepEqual(JSON.parse(out.split('\n')[1] ?? ''), earlier);
});

test('a look at the looks that cannot be recorded shows nothing', async (t) => {
  const run = { ...newRun(), looks: [earlier] };
  const runner = new CommandRunner(temporaryDirectory(t), { failingLookLog: true });
  await assert.rejects(runner.run(looksCommand, [], run), /could not be recorded/);
  assert.equal(run.out, '');
});
