import assert from 'node:assert/strict';
import { test } from 'node:test';
import { searchCommand } from '../../../extproc/cli/search.ts';
import { temporaryDirectory } from '../../builders/directory.ts';
import { documentOf } from '../../builders/document.ts';
import { CommandRunner, newRun } from './looking-fixture.ts';

test('search shows the hits, records the look with the masked query and closes the index', async (t) => {
  const runner = new CommandRunner(temporaryDirectory(t));
  await runner.fill([
    { id: 'a', input: 'eve@example.org tape' },
    { id: 'b', input: 'other', output: 'x' },
  ]);
  const run = await runner.run(searchCommand, ['eve@example.org', 'tape', '--why', 'asked by eve@example.org']);
  assert.match(run.out, /^a {2}2026-01-15T10:00:00\.000Z\n/);
  assert.doesNotMatch(run.out, /^b /m);
  assert.equal(run.exitCode, 0);
  assert.deepEqual(run.looks, [
    {
      number: 1,
      time: '2026-01-20T12:00:00.000Z',
      who: { osUser: 'ada', uid: 1000 },
      what: 'search',
      subject: 'text: [EMAIL:1] tape',
      why: 'asked by [EMAIL:1]',
    },
  ]);
  assert.deepEqual([run.opened, run.closed], [1, 1]);
});

test('every filter reaches the index and the record of the look', async (t) => {
  const runner = new CommandRunner(temporaryDirectory(t));
  await runner.fill([
    { id: 'old', time: '2026-01-10T00:00:00Z' },
    { id: 'new', time: '2026-01-20T11:00:00Z' },
  ]);
  const found = async (...args: string[]): Promise<string[]> =>
    Array.from((await runner.run(searchCommand, args)).out.matchAll(/^(\S+) {2}2026/gm), ([, id = '']) => id);
  assert.deepEqual(await found(), ['new', 'old']);
  assert.deepEqual(await found('--from', '-2h'), ['new']);
  assert.deepEqual(await found('--from=-2w', '--to', '-30m'), ['new', 'old']);
  assert.deepEqual(await found('--to', '2026-01-10'), ['old']);
  assert.deepEqual(await found('--to', '2026-01-10T00:00Z'), []);
  assert.deepEqual(await found('--user', 'ADA@example.org', '--connection', 'claude', '--session', 'session-1'), [
    'new',
    'old',
  ]);
  assert.deepEqual(await found('--outcome', 'denied'), []);
  const { looks } = await runner.run(searchCommand, ['--user', 'eve@example.org', '--from', '-1d', '--outcome', 'cut']);
  assert.equal(looks[0]?.subject, 'user: [EMAIL:1]\nfrom: 2026-01-19T12:00:00.000Z\noutcome: cut');
});

test('a skill and a model are filters; noise is left out and said to be, until it is asked for', async (t) => {
  const runner = new CommandRunner(temporaryDirectory(t));
  const skill = [{ name: 'pdf', version: '', source: 'container' }];
  await runner.fill([
    { id: 'a', skilltape: { skill } },
    { id: 'b', model: 'other', skilltape: { noise: 'title' } },
    { id: 'c', model: 'other', skilltape: { noise: 'count_tokens' } },
  ]);
  const bySkill = await runner.run(searchCommand, ['--skill', 'pdf']);
  assert.match(bySkill.out, /^a {2}.*skills: pdf/ms);
  assert.equal(bySkill.error, '');
  const everything = await runner.run(searchCommand, []);
  assert.doesNotMatch(everything.out, /^[bc] /m);
  assert.equal(everything.error, '2 matches are left out as noise: repeat with --noise to see them too.\n');
  const withNoise = await runner.run(searchCommand, ['--noise', '--model', 'other']);
  assert.match(withNoise.out, /^c {2}.*noise: count_tokens.*^b {2}.*noise: title/ms);
  assert.deepEqual([withNoise.error, withNoise.looks[0]?.subject], ['', 'model: other\nnoise: true']);
  const onlyNoise = await runner.run(searchCommand, ['--model', 'other', '--json']);
  assert.equal(onlyNoise.exitCode, 1);
  assert.match(onlyNoise.error, /^Nothing found\.\n2 matches are left out as noise/);
});

test('a type of what was masked is a filter, in any case; what is none is refused with the list of them', async (t) => {
  const runner = new CommandRunner(temporaryDirectory(t));
  const findings = [{ type: 'IBAN', place: 'messages', count: 1 }];
  const masking = { status: 'masked' as const, reason: '', findings, readable: [], whole: [], dropped: [] };
  await runner.fill([{ id: 'a', skilltape: { masking } }, { id: 'b' }]);
  const found = await runner.run(searchCommand, ['--masked', 'iban']);
  assert.match(found.out, /^a /m);
  assert.doesNotMatch(found.out, /^b /m);
  assert.equal(found.looks[0]?.subject, 'masked: IBAN');
  const own = await runner.run(searchCommand, ['--masked', 'ticket']);
  assert.equal(own.looks[0]?.subject, 'masked: TICKET');
  const refused = await runner.run(searchCommand, ['--masked', 'MAIL']);
  assert.match(refused.error, /--masked "MAIL" is not a type of what is masked/);
  assert.match(refused.error, /write one of EMAIL, CARD/);
  assert.deepEqual(refused.looks, []);
});

test('what observed rules would have decided is a filter, and no other word than a verdict is taken', async (t) => {
  const runner = new CommandRunner(temporaryDirectory(t));
  const verdict = {
    decision: 'allow' as const,
    reasons: [],
    policy_revision: 'r',
    record_policy_revision: 'r',
    would_reasons: [],
    ...{ lifted: null, lifted_reasons: [], lifted_grants: [], lifted_by: [], lifted_why: [] },
  };
  await runner.fill([{ id: 'a', skilltape: { verdict: { ...verdict, would: 'deny' } } }, { id: 'b' }]);
  const found = await runner.run(searchCommand, ['--would', 'deny']);
  assert.match(found.out, /^a /m);
  assert.doesNotMatch(found.out, /^b /m);
  assert.equal(found.looks[0]?.subject, 'would: deny');
  const refused = await runner.run(searchCommand, ['--would', 'allow']);
  assert.match(refused.error, /--would "allow" is not a verdict\nwrite deny or hold/);
});

test('nothing found is status 1 and explains that masked values are stored as tokens', async (t) => {
  const runner = new CommandRunner(temporaryDirectory(t));
  await runner.fill([{}]);
  for (const json of [[], ['--json']]) {
    const run = await runner.run(searchCommand, ['absent', ...json]);
    assert.equal(run.exitCode, 1);
    assert.equal(run.out, '');
    assert.match(run.error, /Nothing found.*token/);
  }
  const withoutWords = await runner.run(searchCommand, ['--user', 'nobody']);
  assert.equal(withoutWords.error, 'Nothing found.\n');
});

test('--json prints the documents as stored, one on each line, with nothing a terminal would interpret', async (t) => {
  const runner = new CommandRunner(temporaryDirectory(t));
  const hostile = { id: 'b', input: 'tape \u001b[2J \u202e \u009b \u2028' };
  await runner.fill([{ id: 'a' }, hostile]);
  const { out } = await runner.run(searchCommand, ['tape', '--json']);
  assert.doesNotMatch(out, /[^\P{Cc}\n]|[\p{Cf}\u2028]/u);
  const lines = out.trimEnd().split('\n');
  assert.deepEqual(
    lines.map((line) => JSON.parse(line)),
    [documentOf(hostile), documentOf({ id: 'a' })],
  );
});

test('a page says how to go on, and the next one goes on there', async (t) => {
  const runner = new CommandRunner(temporaryDirectory(t));
  await runner.fill([{ id: 'a' }, { id: 'b' }, { id: 'c' }]);
  const first = await runner.run(searchCommand, ['--limit', '2']);
  const [, place = ''] = /--before (\S+)/.exec(first.error) ?? [];
  const second = await runner.run(searchCommand, ['--limit', '2', '--before', place]);
  assert.match(second.out, /^a {2}/);
  assert.equal(second.error, '');
});

test('a command line that is wrong is status 2, names the value and the remedy, and looks at nothing', async (t) => {
  const runner = new CommandRunner(temporaryDirectory(t));
  await runner.fill([{}]);
  const cases: [string[], RegExp][] = [
    [['--from', 'yesterday'], /--from "yesterday" is not a time\nwrite 2026-01-31/],
    [['--to', '2026-02-31'], /--to "2026-02-31" is not a time/],
    [['--from', '2026-01-02', '--to', '2026-01-01'], /--from is not before --to\nswap/],
    [['--outcome', 'fine'], /--outcome "fine" is not an outcome\nwrite one of complete, denied/],
    [['--limit', '0'], /--limit "0" is not a whole number from 1 to 1000/],
    [['--limit', '1e3'], /--limit "1e3"/],
    [['--colour'], /unknown option '--colour'/],
    [['--from'], /argument missing/],
  ];
  for (const [args, expected] of cases) {
    const run = await runner.run(searchCommand, args);
    assert.match(run.error, expected);
    assert.equal(run.exitCode, 2, args.join(' '));
    assert.deepEqual([run.out, run.looks, run.opened], ['', [], 0]);
  }
  for (const args of [['***'], ['--before', 'x']]) {
    const run = await runner.run(searchCommand, args);
    assert.deepEqual([run.exitCode, run.out, run.closed], [2, '', 1]);
  }
});

test('a look that cannot be recorded shows nothing and opens nothing', async (t) => {
  const runner = new CommandRunner(temporaryDirectory(t), { failingLookLog: true });
  await runner.fill([{}]);
  const run = newRun();
  await assert.rejects(runner.run(searchCommand, ['tape'], run), /could not be recorded/);
  assert.deepEqual([run.out, run.opened], ['', 0]);
});

test('the help ends with status 0 and names the exit codes', async (t) => {
  const run = await new CommandRunner(temporaryDirectory(t)).run(searchCommand, ['--help']);
  assert.equal(run.exitCode, 0);
  assert.match(run.out, /1 nothing found, 2 the command line is wrong/);
});
