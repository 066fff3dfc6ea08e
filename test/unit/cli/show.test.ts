import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ArchivedLook } from '../../../extproc/cli/archived-of.ts';
import type { LookingDependencies } from '../../../extproc/cli/looking.ts';
import { showCommand } from '../../../extproc/cli/show.ts';
import { temporaryDirectory } from '../../builders/directory.ts';
import { documentOf } from '../../builders/document.ts';
import { CommandRunner, newRun } from './looking-fixture.ts';

const show = (looking: LookingDependencies) => showCommand(looking, async () => ({ kind: 'absent' }));

test('show takes the id of an exchange or of a session', async (t) => {
  const runner = new CommandRunner(temporaryDirectory(t));
  await runner.fill([{ id: 'late', time: '2026-01-16T00:00:00Z' }, { id: 'early' }]);
  const one = await runner.run(show, ['late']);
  assert.match(one.out, /^exchange late\n/);
  assert.doesNotMatch(one.out, /exchange early/);
  const session = await runner.run(show, ['session-1']);
  assert.match(session.out, /^exchange early\n.*^exchange late\n/ms);
  assert.deepEqual(
    session.looks.map(({ what, subject }) => [what, subject]),
    [['show', 'session-1']],
  );
  assert.deepEqual([session.exitCode, session.opened, session.closed], [0, 1, 1]);
});

const agent = (id: string | null, parent_id: string | null = null) => ({
  agent: { id },
  skilltape: { agent: { parent_id, prompt_id: 'p-1', request_class: id === null ? 'main' : 'subagent' } },
});

test('show --session prints the tree of a session, as text and as one JSON object', async (t) => {
  const runner = new CommandRunner(temporaryDirectory(t));
  await runner.fill([
    { ...agent(null), id: 'a', time: '2026-01-15T10:00:00Z' },
    { ...agent('reviewer'), id: 'b', time: '2026-01-15T10:00:01Z' },
    { ...agent('helper', 'reviewer'), id: 'c', time: '2026-01-15T10:00:02Z' },
  ]);
  const text = await runner.run(show, ['--session', 'session-1']);
  const order = [
    'session session-1',
    'prompt p-1',
    'main agent',
    'a  2026',
    'agent reviewer',
    'b  2026',
    'agent helper',
  ];
  assert.match(text.out, new RegExp(order.join('.*'), 's'));
  assert.deepEqual([text.exitCode, text.looks[0]?.subject], [0, 'session: session-1']);
  const { out } = await runner.run(show, ['--session', 'session-1', '--json']);
  const { session, tree } = JSON.parse(out);
  const [{ id, main }] = tree.prompts;
  assert.deepEqual([session, id, main.exchanges[0].id, main.agents[0].id], ['session-1', 'p-1', 'a', 'reviewer']);
  assert.equal(main.agents[0].agents[0].exchanges[0].id, 'c');
  const transcript = await runner.run(show, ['session-1']);
  assert.match(transcript.out, /^session session-1\n.*^exchange a\n.*^exchange c\n/ms);
});

test('the documents of a batch are shown under their exchange, in the order of the batch', async (t) => {
  const runner = new CommandRunner(temporaryDirectory(t));
  const batch = { id: 'msgbatch_1', custom_id: '', size: 11 };
  const children = Array.from({ length: 11 }, (_, at) => ({
    id: `x.${at + 1}`,
    action: 'batch_request' as const,
    skilltape: { batch: { ...batch, custom_id: `prompt-${at + 1}`, size: null } },
  }));
  await runner.fill([{ id: 'x', skilltape: { batch } }, ...children.toReversed(), { id: 'y' }]);
  const expected = ['x', ...children.map(({ id }) => id)];
  const one = await runner.run(show, ['x', '--json']);
  const idsOf = (out: string) =>
    out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).event.id);
  assert.deepEqual(idsOf(one.out), expected);
  const session = await runner.run(show, ['session-1', '--json']);
  assert.deepEqual(idsOf(session.out), [...expected, 'y']);
  assert.match((await runner.run(show, ['x.11'])).out, /^batch {7}msgbatch_1, prompt prompt-11$/m);
});

test('of a session that is too long the oldest documents are shown, and how to find the others', async (t) => {
  const runner = new CommandRunner(temporaryDirectory(t));
  await runner.fill(Array.from({ length: 2_001 }, (_, at) => ({ id: `e-${String(at).padStart(4, '0')}` })));
  const note = /has more than 2000 documents; these are the oldest\. `skilltape search --session session-1`/;
  const page = await runner.run(show, ['session-1', '--json']);
  assert.equal(page.out.trimEnd().split('\n').length, 2_000);
  assert.match(page.error, note);
  const tree = await runner.run(show, ['--session', 'session-1']);
  assert.match(tree.out, /e-0000/);
  assert.match(tree.error, note);
  assert.equal(tree.exitCode, 0);
});

test('a session that is not there is status 1; an id together with --session is status 2', async (t) => {
  const runner = new CommandRunner(temporaryDirectory(t));
  await runner.fill([{}]);
  const missing = await runner.run(show, ['--session', 'nobody\u001b']);
  assert.deepEqual([missing.exitCode, missing.out], [1, '']);
  assert.match(missing.error, /No session "nobody<U\+001B>"/);
  const both = await runner.run(show, ['a', '--session', 'session-1']);
  assert.deepEqual([both.exitCode, both.looks], [2, []]);
});

test('show --json prints the documents as stored', async (t) => {
  const runner = new CommandRunner(temporaryDirectory(t));
  await runner.fill([{ id: 'a', input: 'x\u001by' }]);
  const { out } = await runner.run(show, ['a', '--json']);
  assert.ok(!out.includes('\u001b'));
  assert.deepEqual(JSON.parse(out), documentOf({ id: 'a', input: 'x\u001by' }));
});

test('an id that is not there is status 1 with a sentence; the look is recorded, masked', async (t) => {
  const runner = new CommandRunner(temporaryDirectory(t));
  await runner.fill([{}]);
  const run = await runner.run(show, ['eve@example.org\u001b[2J']);
  assert.deepEqual([run.exitCode, run.out], [1, '']);
  assert.match(run.error, /No exchange and no session "eve@example\.org<U\+001B>\[2J"/);
  assert.equal(run.looks[0]?.subject, '[EMAIL:1]\u001b[2J');
});

test('a missing id is status 2', async (t) => {
  const run = await new CommandRunner(temporaryDirectory(t)).run(show, []);
  assert.equal(run.exitCode, 2);
  assert.match(run.error, /missing required argument 'id'/);
});

test('a look that cannot be recorded shows nothing; an index that is not there is an error', async (t) => {
  const directory = temporaryDirectory(t);
  await assert.rejects(new CommandRunner(directory).run(show, ['a']), /there is no database/);
  const runner = new CommandRunner(directory, { failingLookLog: true });
  await runner.fill([{ id: 'a' }]);
  const run = newRun();
  await assert.rejects(runner.run(show, ['a'], run), /could not be recorded/);
  assert.deepEqual([run.out, run.opened], ['', 0]);
});

test('one exchange is shown from the archive with a reason, recorded before it is read, and without an index', async (t) => {
  const runner = new CommandRunner(temporaryDirectory(t));
  const shown = async (look: ArchivedLook, ...args: string[]) => {
    const run = newRun();
    const archived = async (id: string) => {
      assert.deepEqual([id, run.looks.length], ['an-exchange', 1], 'recorded before it is read');
      return look;
    };
    return runner.run((looking) => showCommand(looking, archived), ['an-exchange', '--from', 'archive', ...args], run);
  };
  const reason = ['--reason', 'case of eve@example.org'];
  const documents = [documentOf({ id: 'an-exchange', input: 'an old prompt' })];
  const found = await shown({ kind: 'found', documents }, ...reason);
  assert.match(found.out, /^exchange an-exchange\n.*an old prompt/s);
  assert.deepEqual([found.exitCode, found.opened], [0, 0]);
  assert.deepEqual(
    found.looks.map(({ what, subject, why }) => [what, subject, why]),
    [['show', 'an-exchange\nfrom: archive', 'case of [EMAIL:1]']],
  );
  const json = await shown({ kind: 'found', documents }, ...reason, '--json');
  assert.equal(JSON.parse(json.out).event.id, 'an-exchange');
  const left = await shown({ kind: 'left', documents }, ...reason);
  assert.deepEqual([left.exitCode, left.out], [0, found.out]);
  assert.match(left.error, /Its content is gone/);
  for (const [look, said] of [
    [{ kind: 'absent' }, /No exchange "an-exchange" in the archive/],
    [{ kind: 'erased' }, /was erased: nobody can read it/],
    [{ kind: 'unreadable', reason: 'no key\u001b[2J' }, /cannot be read: no key/],
  ] as const) {
    const run = await shown(look, ...reason);
    assert.deepEqual([run.exitCode, run.out, run.error.includes('\u001b')], [1, '', false]);
    assert.match(run.error, said);
  }
});

test('the archive is not read without a reason, for a session, or under another name', async (t) => {
  const runner = new CommandRunner(temporaryDirectory(t));
  const archived = async () => assert.fail('it was read');
  for (const args of [
    ['a', '--from', 'archive'],
    ['a', '--from', 'archive', '--why', 'r'],
    ['--from', 'archive', '--reason', 'r'],
    ['a', '--from', 'index', '--reason', 'r'],
    ['a', '--reason', 'r'],
    ['a', '--session', 's', '--from', 'archive', '--reason', 'r'],
  ]) {
    const run = await runner.run((looking) => showCommand(looking, archived), args);
    assert.deepEqual([run.exitCode, run.looks], [2, []], args.join(' '));
    assert.ok(run.error.length > 10);
  }
});
