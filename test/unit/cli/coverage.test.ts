import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { coverageCommand } from '../../../extproc/cli/coverage.ts';
import type { LookingDependencies } from '../../../extproc/cli/looking.ts';
import { openCoverageLook } from '../../../extproc/coverage/look.ts';
import { temporaryDirectory } from '../../builders/directory.ts';
import { lineText, recordedOf, refusedByEnvoy } from '../coverage/example.ts';
import { lagMaxMs, Rig } from '../coverage/rig.ts';
import { CommandRunner, newRun, type Run } from './looking-fixture.ts';

/** The command over what was found about these lines. */
async function runnerOf(t: TestContext, lines: string[]): Promise<(...args: string[]) => Promise<Run>> {
  const directory = temporaryDirectory(t);
  const rig = new Rig(t, directory);
  rig.record(recordedOf());
  rig.log(...lines);
  await rig.pass(2 * lagMaxMs);
  const make = (dependencies: LookingDependencies) =>
    coverageCommand(dependencies, { openCoverage: () => openCoverageLook(directory) });
  return (...args) => new CommandRunner(directory).run(make, args);
}

test('sums by finding and day, status 0 when nothing went upstream without a record, and a look', async (t) => {
  const run = await runnerOf(t, [lineText(), lineText(refusedByEnvoy), 'torn']);
  const { out, exitCode, looks } = await run('--why', 'case 7');
  assert.equal(exitCode, 0);
  assert.match(out, /^ +total +2026-11-22$/m);
  assert.match(out, /^recorded +1 +1$/m);
  assert.match(out, /^forwarded_not_recorded +0 +0$/m);
  assert.match(out, /^compared until 2026-11-22T12:02:00.000Z$/m);
  assert.match(out, /^2026-11-22T\S+ {2}unreadable_line {2}it is no JSON document/m);
  assert.deepEqual(
    looks.map(({ what, subject, why }) => [what, subject, why]),
    [['coverage', 'all', 'case 7']],
  );
});

test('status 1 when something did, with its ids, whatever Envoy calls the route', async (t) => {
  const around = { exchange: null, route: 'r\u001b[2J', request_id: '00000000-0000-4000-8000-000000000001' };
  const run = await runnerOf(t, [lineText(), lineText(around)]);
  const { out, exitCode } = await run();
  assert.equal(exitCode, 1);
  assert.match(out, /forwarded_not_recorded {2}request 00000000-0000-4000-8000-000000000001 .*route r<U\+001B>\[2J/);
  const json = JSON.parse((await run('--json')).out);
  assert.deepEqual([json.total.forwarded_not_recorded, json.gaps[0].kind], [1, 'forwarded_not_recorded']);
  assert.equal((await run('--since', '2026-11-23')).exitCode, 0, 'not in that time');
});

test('where nothing was compared the status is 3, and the command says what is missing', async (t) => {
  const directory = temporaryDirectory(t);
  const make = (dependencies: LookingDependencies) => coverageCommand(dependencies, { openCoverage: () => null });
  const { error, out, exitCode } = await new CommandRunner(directory).run(make, []);
  assert.deepEqual([out, exitCode], ['', 3]);
  assert.match(error, /coverage.accessLogFile/);
});

test('a look that cannot be recorded shows nothing, and a wrong flag is status 2', async (t) => {
  const directory = temporaryDirectory(t);
  const make = (dependencies: LookingDependencies) =>
    coverageCommand(dependencies, { openCoverage: () => assert.fail('opened') });
  const run = newRun();
  await assert.rejects(new CommandRunner(directory, { failingLookLog: true }).run(make, [], run), /not be recorded/);
  assert.equal(run.out, '');
  assert.equal((await new CommandRunner(directory).run(make, ['--limit', '0'])).exitCode, 2);
});
