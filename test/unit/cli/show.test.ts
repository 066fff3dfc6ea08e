import assert from 'node:assert/strict';
import { test } from 'node:test';
import { showCommand } from '../../../extproc/cli/show.ts';
import { temporaryDirectory } from '../../builders/directory.ts';
import { documentOf } from '../../builders/document.ts';
import { CommandRunner, newRun } from './looking-fixture.ts';

test('show takes the id of an exchange or of a session', async (t) => {
  const runner = new CommandRunner(temporaryDirectory(t));
  await runner.fill([{ id: 'late', time: '2026-01-16T00:00:00Z' }, { id: 'early' }]);
  const one = await runner.run(showCommand, ['late']);
  assert.match(one.out, /^exchange late\n/);
  assert.doesNotMatch(one.out, /exchange early/);
  const session = await runner.run(showCommand, ['session-1']);
  assert.match(session.out, /^exchange early\n.*^exchange late\n/ms);
  assert.deepEqual(
    session.looks.map(({ what, subject }) => [what, subject]),
    [['show', 'session-1']],
  );
  assert.deepEqual([session.exitCode, session.opened, session.closed], [0, 1, 1]);
});

test('show --json prints the documents as stored', async (t) => {
  const runner = new CommandRunner(temporaryDirectory(t));
  await runner.fill([{ id: 'a', input: 'x\u001by' }]);
  const { out } = await runner.run(showCommand, ['a', '--json']);
  assert.ok(!out.includes('\u001b'));
  assert.deepEqual(JSON.parse(out), documentOf({ id: 'a', input: 'x\u001by' }));
});

test('an id that is not there is status 1 with a sentence; the look is recorded, masked', async (t) => {
  const runner = new CommandRunner(temporaryDirectory(t));
  await runner.fill([{}]);
  const run = await runner.run(showCommand, ['eve@example.org\u001b[2J']);
  assert.deepEqual([run.exitCode, run.out], [1, '']);
  assert.match(run.error, /No exchange and no session "eve@example\.org<U\+001B>\[2J"/);
  assert.equal(run.looks[0]?.subject, '[EMAIL:1]\u001b[2J');
});

test('a missing id is status 2', async (t) => {
  const run = await new CommandRunner(temporaryDirectory(t)).run(showCommand, []);
  assert.equal(run.exitCode, 2);
  assert.match(run.error, /missing required argument 'id'/);
});

test('a look that cannot be recorded shows nothing; an index that is not there is an error', async (t) => {
  const directory = temporaryDirectory(t);
  await assert.rejects(new CommandRunner(directory).run(showCommand, ['a']), /there is no database/);
  const runner = new CommandRunner(directory, { failingLookLog: true });
  await runner.fill([{ id: 'a' }]);
  const run = newRun();
  await assert.rejects(runner.run(showCommand, ['a'], run), /could not be recorded/);
  assert.deepEqual([run.out, run.opened], ['', 0]);
});
