import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { LookingDependencies } from '../../../extproc/cli/looking.ts';
import { usageCommand } from '../../../extproc/cli/usage.ts';
import { temporaryDirectory } from '../../builders/directory.ts';
import { CommandRunner, newRun } from './looking-fixture.ts';

const prices = '{input: 10, output: 100, cacheRead: 1, cacheWrite5m: 2, cacheWrite1h: 3}';

function usageRunner(t: TestContext) {
  const directory = temporaryDirectory(t);
  const file = join(directory, 'prices.yaml');
  writeFileSync(file, `currency: EUR\nmodels: {claude-sonnet-4-5: ${prices}}`);
  const runner = new CommandRunner(directory);
  const make = (pricesFile?: string) => (dependencies: LookingDependencies) =>
    usageCommand(dependencies, { pricesFile: () => pricesFile });
  const run = (args: string[], pricesFile?: string) => runner.run(make(pricesFile), args);
  return { directory, file, runner, run, make };
}

test('usage prints the sums of each group and of all, with what they cost', async (t) => {
  const { runner, run, file } = usageRunner(t);
  await runner.fill([{ id: 'a' }, { id: 'b' }, { id: 'c', user: { email: 'eve@example.org' } }]);
  const { out, error, exitCode, looks, closed } = await run(['--by', 'user', '--prices', file, '--why', 'budget']);
  assert.deepEqual(out.split('\n'), [
    'user             exchanges  input  cache read  cache write  output  cost (EUR)',
    'ada@example.org          2     24           0            0      68      0.0070',
    'eve@example.org          1     12           0            0      34      0.0035',
    'total                    3     36           0            0     102      0.0106',
    '',
  ]);
  assert.deepEqual([error, exitCode, closed], ['', 0, 1]);
  assert.deepEqual(
    looks.map(({ what, subject, why }) => [what, subject, why]),
    [['usage', 'by: user', 'budget']],
  );
});

test('several keys are several columns, in the order asked for, and the configured table is used', async (t) => {
  const { runner, run, file } = usageRunner(t);
  await runner.fill([{ id: 'a' }, { id: 'b', time: '2026-01-16T00:00:00Z', user: null }]);
  const { out } = await run(['--by', 'day,user'], file);
  assert.match(
    out,
    /^day {9}user +exchanges .*cost \(EUR\)\n2026-01-15 {2}ada@example\.org +1 .*\n2026-01-16 {2}- +1 /,
  );
});

test('filters reach the index and the record of the look', async (t) => {
  const { runner, run } = usageRunner(t);
  await runner.fill([{ id: 'a' }, { id: 'b', time: '2026-01-20T11:00:00Z', connection: 'research' }]);
  const args = ['--from', '-2h', '--to', '2026-01-20', '--connection', 'research', '--user', 'eve@example.org'];
  const { exitCode, looks } = await run(args);
  assert.equal(exitCode, 1);
  assert.deepEqual(looks[0]?.subject.split('\n'), [
    'by: user',
    'from: 2026-01-20T10:00:00.000Z',
    'to: 2026-01-21T00:00:00.000Z',
    'user: [EMAIL:1]',
    'connection: research',
  ]);
  const { out } = await run(args.slice(0, 6));
  assert.match(out, /^ada@example\.org +1 /m);
});

test('a model without a price leaves the cost open and is named, made safe', async (t) => {
  const { runner, run, file } = usageRunner(t);
  await runner.fill([{ id: 'a' }, { id: 'b', model: 'new\u001b[2J', user: { email: 'b@x.org' } }]);
  const { out, error } = await run(['--by', 'user'], file);
  assert.match(out, /^ada@example\.org .* 0\.0035$/m);
  assert.match(out, /^b@x\.org .* -$/m);
  assert.match(out, /^total .* -$/m);
  assert.equal(error, 'No price for: new<U+001B>[2J\n');
  const byModel = await run(['--by', 'model'], file);
  assert.match(byModel.out, /^new<U\+001B>\[2J .* -$/m);
});

test('without a price table tokens are summed all the same, and it is said how to name one', async (t) => {
  const { runner, run } = usageRunner(t);
  await runner.fill([{}]);
  const { out, error, exitCode } = await run([]);
  assert.doesNotMatch(out, /cost/);
  assert.match(error, /No cost: name a price table with --prices/);
  assert.equal(exitCode, 0);
});

test('it is said of how many exchanges the sums have only a part', async (t) => {
  const { runner, run, file } = usageRunner(t);
  await runner.fill([{ id: 'a' }, { id: 'b', skilltape: { outcome: 'client_aborted' } }]);
  const { out, error } = await run(['--by', 'user'], file);
  assert.match(out, /^ada@example\.org +2 /m);
  assert.match(error, /^1 of these exchanges broke off or failed: of them the sums have the tokens that were reported/);
  assert.equal(JSON.parse((await run(['--by', 'user', '--json'], file)).out).partial_exchanges, 1);
});

test('a grouping by skill has no total and says why', async (t) => {
  const { runner, run, file } = usageRunner(t);
  const skill = ['pdf', 'brand'].map((name) => ({ name, version: '', source: 'x' }));
  await runner.fill([{ id: 'a', skilltape: { skill } }, { id: 'b' }]);
  const { out, error } = await run(['--by', 'skill'], file);
  assert.match(out, /^- .*\nbrand .*\npdf .*\n$/m);
  assert.doesNotMatch(out, /total/);
  assert.match(error, /No total: an exchange with two skills counts for both/);
});

test('--json prints one row on each line, with the names that documents use', async (t) => {
  const { runner, run, file } = usageRunner(t);
  await runner.fill([{ id: 'a' }, { id: 'b', user: { email: '' } }]);
  const { out } = await run(['--by', 'user,model', '--json'], file);
  const [first, second, ...others] = out
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  assert.deepEqual(first, {
    group: { user: 'ada@example.org', model: 'claude-sonnet-4-5' },
    exchanges: 1,
    partial_exchanges: 0,
    uncached_input_tokens: 12,
    cache_read_input_tokens: 0,
    cache_creation_5m_input_tokens: 0,
    cache_creation_1h_input_tokens: 0,
    output_tokens: 34,
    web_search_requests: 0,
    cost: 0.00352,
    currency: 'EUR',
    unpriced: [],
  });
  assert.deepEqual([second?.group.user, others], ['u-1', []]);
});

test('a command line or a price table that is wrong is told before anything is looked at', async (t) => {
  const { runner, run, directory, make } = usageRunner(t);
  await runner.fill([{}]);
  for (const by of ['', 'user,user', 'users', 'user,,day']) {
    const { exitCode, error, looks } = await run(['--by', by]);
    assert.deepEqual([exitCode, looks], [2, []], by);
    assert.match(error, /--by .* is not a list of keys, each once\nwrite some of user, session, skill/);
  }
  assert.match((await run(['--from', '2026-01-02', '--to', '2026-01-01'])).error, /--from is not before --to/);
  const looked = newRun();
  const absent = runner.run(make(join(directory, 'absent.yaml')), [], looked);
  await assert.rejects(absent, { code: 'config_invalid' });
  assert.deepEqual([looked.looks, looked.opened], [[], 0]);
});

test('a look that cannot be recorded shows nothing', async (t) => {
  const { directory, runner, make } = usageRunner(t);
  await runner.fill([{}]);
  const run = newRun();
  const failing = new CommandRunner(directory, { failingLookLog: true });
  await assert.rejects(failing.run(make(), [], run), /could not be recorded/);
  assert.deepEqual([run.out, run.opened], ['', 0]);
});
