import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { eraseCommand } from '../../../extproc/cli/erase.ts';
import { holdCommand } from '../../../extproc/cli/hold.ts';
import type { LookingDependencies } from '../../../extproc/cli/looking.ts';
import { retentionCommand } from '../../../extproc/cli/retention.ts';
import type { WithRetention } from '../../../extproc/cli/retention-of.ts';
import { parseConfig } from '../../../extproc/config/parse.ts';
import { nodeFileSystem } from '../../../extproc/journal/node-fs.ts';
import { dayMs, issuer, RetentionRig } from '../retention/rig.ts';
import { CommandRunner } from './looking-fixture.ts';

const startMs = Date.UTC(2026, 0, 1);

async function opened(t: TestContext) {
  const rig = await RetentionRig.open(t, { startMs, fileSystem: nodeFileSystem });
  await rig.record({ number: 1, atMs: startMs + dayMs / 2 });
  await rig.archive.close();
  rig.nowMs = startMs + 40 * dayMs;
  const runner = new CommandRunner(rig.dataDirectory);
  const withRetention: WithRetention = (run) => run(rig.parts);
  const commands = { retention: retentionCommand, hold: holdCommand, erase: eraseCommand };
  const run = (name: keyof typeof commands, ...args: string[]) =>
    runner.run((looking: LookingDependencies) => commands[name](looking, withRetention), args);
  return { rig, run };
}

const person = ['--person', issuer, 'u-ada'];

test('a hold is added, shown in the plan, wins over sweep and erase, and is released; each is recorded with its reason', async (t) => {
  const { rig, run } = await opened(t);
  const added = await run('hold', 'add', ...person, '--reason', 'case of eve@example.org', '--json');
  const { id, covered } = JSON.parse(added.out);
  assert.deepEqual(covered, [{ retentionClass: 'standard', day: '2026-01-01' }]);
  assert.deepEqual([added.looks[0]?.what, added.looks[0]?.why], ['hold', 'case of [EMAIL:1]']);
  assert.doesNotMatch(added.out, /eve@example/);
  const plan = await run('retention', 'plan');
  assert.match(
    plan.out,
    new RegExp(`would move +archive standard 2026-01-01: 1, \\d+ bytes \\(content_expired\\), but for ${id}`),
  );
  assert.deepEqual(
    plan.looks.map(({ what, subject }) => [what, subject]),
    [['retention', 'plan']],
  );
  const refused = await run('erase', ...person, '--reason', 'asked for it');
  assert.equal(refused.exitCode, 1);
  assert.match(refused.out, new RegExp(`Refused: ${id} covers this person`));
  assert.deepEqual([refused.looks[0]?.what, refused.looks[0]?.why], ['erase', 'asked for it']);
  assert.equal((await run('retention', 'sweep', '--reason', 'daily')).exitCode, 0);
  assert.deepEqual([await rig.families(), await rig.heldFamilies()], [[], ['standard 2026-01-01']]);
  rig.nowMs += 1;
  const released = await run('hold', 'release', id, '--reason', 'it is over');
  assert.match(released.out, /released .* by ada \(uid 1000\): it is over/);
  const swept = JSON.parse((await run('retention', 'sweep', '--reason', 'daily', '--json')).out);
  assert.deepEqual(Object.keys(swept.sums).sort(), ['held', 'index reduced', 'reveal']);
  assert.deepEqual(await rig.heldFamilies(), []);
  const erased = await run('erase', ...person, '--reason', 'asked for it');
  const [counts, journals, receipt] = erased.out.split('\n');
  assert.equal(counts, '1 keys, 1 documents, 0 refused documents and 0 values are gone.');
  assert.match(journals ?? '', /^The journals let go .* within `journal\.maxAgeHours`/);
  assert.match(receipt ?? '', /^receipt \d+$/);
});

test('a mistake on the command line changes nothing and is not recorded', async (t) => {
  const { run } = await opened(t);
  for (const [args, words] of [
    [['add', '--reason', 'why'], /nothing is named that is to be held/],
    [['add', '--person', issuer, '--reason', 'why'], /takes the issuer and the subject/],
    [['add', '--from', '-1d', '--to', '-2d', '--reason', 'why'], /--from is not before --to/],
    [['add', '--session', 's'], /--reason/],
  ] as const) {
    const { exitCode, error, looks } = await run('hold', ...args);
    assert.deepEqual([exitCode, looks.length], [2, 0], error);
    assert.match(error, words);
  }
  assert.match((await run('hold', 'release', 'hold-0', '--reason', 'why')).error, /no hold hold-0 in force/);
  assert.equal((await run('retention', 'sweep')).exitCode, 2);
  assert.equal((await run('erase', '--reason', 'why')).exitCode, 2);
});

test('what is still to do ends a sweep with status 3, and says why', async (t) => {
  const { rig, run } = await opened(t);
  rig.indexAway = 'connection refused';
  const swept = await run('retention', 'sweep', '--reason', 'daily');
  assert.equal(swept.exitCode, 3);
  assert.match(swept.out, /^away +index: connection refused$/m);
});

test('a class has content for 1 to 3,650 days, and metadata at least as long', () => {
  const faults = (retention: string) => {
    const reading = parseConfig(
      `
dataDirectory: data
listen: {socket: run/extproc.sock}
connections: {claude: {identityProviders: [staff]}}
identityProviders: {staff: {issuer: 'https://login.example.com'}}
retention: ${retention}
`,
      '/etc/skilltape',
    );
    return reading.ok
      ? reading.config.retention.classes
      : reading.faults.map(({ key, message }) => `${key}: ${message}`);
  };
  assert.deepEqual({ ...faults('{}') }, {});
  assert.deepEqual(
    { ...faults('{classes: {brief: {contentDays: 2}}}') },
    { brief: { contentDays: 2, metadataDays: 365 } },
  );
  const message = 'content is kept for 400 days and is found by its metadata';
  assert.deepEqual(faults('{classes: {long: {contentDays: 400}}}'), [
    `retention.classes.long.metadataDays: is 365, but ${message}`,
  ]);
  assert.equal(Object.keys(faults('{classes: {long: {contentDays: 0}}}')).length, 1);
});
