import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type RevealDependencies, revealCommand } from '../../../extproc/cli/reveal.ts';
import { erasePerson } from '../../../extproc/keys/erase.ts';
import { SqliteLookLog } from '../../../extproc/looks/sqlite-look-log.ts';
import { SqliteRevealLog } from '../../../extproc/looks/sqlite-reveal-log.ts';
import type { ConsoleDecision, ConsoleInput } from '../../../extproc/policy/console.ts';
import { RevealKeeper } from '../../../extproc/reveal/keeper.ts';
import { RevealStore, readSealed } from '../../../extproc/reveal/store.ts';
import { alice, keyring } from '../keys/keyring.ts';
import { CommandRunner } from './looking-fixture.ts';

const email = '[EMAIL:00a1b2c3d4e5f607]';
const hostile = '[IP:10a1b2c3d4e5f607]';
const notKept = '[IBAN:20a1b2c3d4e5f607]';
const elsewhere = '[EMAIL:30a1b2c3d4e5f607]';
const limits = { values_per_operator_per_hour: 3, values_per_person_per_hour: 10 };

async function rig(context: TestContext, decide: (input: ConsoleInput) => Partial<ConsoleDecision> = () => ({})) {
  const { dataDirectory, sealer, opener } = await keyring(context);
  const runner = new CommandRunner(dataDirectory);
  await runner.fill([
    { id: 'e-1', session: 's-1', input: `Write to ${email} from ${hostile}, account ${notKept} and [CARD].` },
    { id: 'e-2', session: 's-1', input: `Then to ${elsewhere}.` },
  ]);
  const store = RevealStore.open(dataDirectory, 2 ** 24);
  context.after(() => store.close());
  const onFailed = (_: number, reason: string) => assert.fail(reason);
  const values = new Map([
    [email, 'ada@example.org'],
    [hostile, '192.0.2.7\u001b[2J\n7'],
    [elsewhere, 'bob@example.org'],
  ]);
  const person = alice as { issuer: string; subject: string };
  await new RevealKeeper({ store, sealer, keptDays: 30, onFailed }).keep([
    { session: 's-1', person, retentionClass: 'standard', values },
  ]);
  const inputs: ConsoleInput[] = [];
  const reveal: RevealDependencies = {
    revealLog: new SqliteRevealLog(dataDirectory),
    groups: () => ['staff'],
    readSealed: (session, tokens) => readSealed(dataDirectory, session, tokens),
    opener: () => opener,
    policy: async () => ({
      console(input) {
        inputs.push(input);
        return { verdict: 'allow', reasons: [], limits, ...decide(input) };
      },
    }),
  };
  const looks = () => {
    const log = new SqliteLookLog(dataDirectory);
    const subjects = log.list().map(({ subject, why }) => `${subject} (${why})`);
    log.close();
    return subjects;
  };
  const run = (...args: string[]) =>
    runner.run((dependencies) => revealCommand(dependencies, reveal), [...args, '--reason', 'incident 42']);
  return { dataDirectory, run, looks, inputs };
}

test('a value is shown on one line and made harmless, and the look says what was asked for and never the value', async (context) => {
  const { run, looks, inputs } = await rig(context);
  const { out, exitCode } = await run('e-1', '--token', email, '--token', hostile);
  assert.deepEqual(out.split('\n'), [`${email}  ada@example.org`, `${hostile}  192.0.2.7<U+001B>[2J 7`, '']);
  assert.equal(exitCode, 0);
  assert.deepEqual(looks(), ['e-1: EMAIL 1, IP 1, shown (incident 42)']);
  const { operator, person, exchange, session, types, values, reason } = inputs[0] ?? assert.fail('not asked');
  assert.deepEqual(operator, { kind: 'os', name: 'ada', uid: 1000, groups: ['staff'] });
  assert.deepEqual([exchange, session, types, values, reason], ['e-1', 's-1', ['EMAIL', 'IP'], 2, 'incident 42']);
  assert.ok(person);
  assert.doesNotMatch(JSON.stringify(inputs), /192\.0\.2\.7/);
});

test('--all shows every token of an exchange that has a hash, and says of which no value was kept', async (context) => {
  const { run } = await rig(context);
  const { out, exitCode } = await run('e-1', '--all', '--json');
  const shown = out
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
  assert.deepEqual(
    shown.map(({ token, kind }) => [token, kind]),
    [
      [email, 'revealed'],
      [hostile, 'revealed'],
      [notKept, 'not_kept'],
    ],
  );
  assert.equal(exitCode, 1);
});

test('a denial shows nothing, says why, and is recorded', async (context) => {
  const reasons = [{ rule: 'console/operator_listed', message: 'You are not among them.' }];
  const { run, looks } = await rig(context, () => ({ verdict: 'deny', reasons }));
  const { out, error, exitCode } = await run('e-1', '--token', email);
  assert.deepEqual([out, exitCode], ['', 3]);
  assert.equal(error, 'You are not among them. (console/operator_listed)\n');
  assert.deepEqual(looks(), ['e-1: EMAIL 1, denied by console/operator_listed (incident 42)']);
});

test('the limit of an hour holds even where no rule looks at it', async (context) => {
  const { run, inputs } = await rig(context);
  assert.equal((await run('e-1', '--token', email, '--token', hostile)).exitCode, 0);
  const { out, exitCode, error } = await run('e-1', '--token', email, '--token', hostile);
  assert.deepEqual([out, exitCode], ['', 3]);
  assert.match(error, /hourly_limit/);
  assert.equal((await run('e-1', '--token', email)).exitCode, 0);
  assert.deepEqual(
    inputs.map(({ last_hour }) => last_hour.operator_values),
    [0, 2, 2],
  );
  assert.deepEqual(
    inputs.map(({ last_hour }) => last_hour.person_values),
    [0, 2, 2],
  );
  assert.equal((await run('e-1', '--token', email)).exitCode, 3);
});

test('two looks at the same time are counted one after the other', async (context) => {
  const { run } = await rig(context);
  const runs = await Promise.all(Array.from({ length: 6 }, () => run('e-1', '--token', email)));
  assert.equal(runs.filter(({ exitCode }) => exitCode === 0).length, 3);
});

test('a token of another exchange is not shown through this one, and the attempt is recorded', async (context) => {
  const { run, looks } = await rig(context);
  const { out, exitCode, error } = await run('e-1', '--token', elsewhere);
  assert.deepEqual([out, exitCode], ['', 1]);
  assert.match(error, /does not stand in it/);
  assert.deepEqual(looks(), ['e-1: nothing found (incident 42)']);
  assert.equal((await run('s-1', '--token', elsewhere)).out, `${elsewhere}  bob@example.org\n`);
  assert.equal((await run('s-1', '--all')).exitCode, 1);
  assert.equal((await run('unknown', '--all')).exitCode, 1);
  assert.equal(looks().length, 4);
});

test('after the person was erased nothing can be revealed', async (context) => {
  const { run, dataDirectory } = await rig(context);
  await erasePerson({ dataDirectory, person: alice, nowMs: () => Date.UTC(2026, 0, 2) });
  const { out, exitCode } = await run('e-1', '--token', email);
  assert.deepEqual([out, exitCode], [`${email}  (the person was erased on 2026-01-02T00:00:00.000Z)\n`, 1]);
});

test('what cannot be asked for is said before anything is read', async (context) => {
  const { run, looks } = await rig(context);
  for (const [args, expected] of [
    [['e-1'], /no token is given/],
    [['e-1', '--all', '--token', email], /both/],
    [['e-1', '--token', 'ada@example.org'], /is no token/],
    [['e-1', '--token', '[EMAIL:00A1]'], /is no token/],
    [['e-1', '--token', '[CARD]'], /CARD has no hash/],
  ] as const) {
    const { error, exitCode } = await run(...args);
    assert.match(error, expected);
    assert.equal(exitCode, 2);
  }
  assert.deepEqual(looks(), []);
});
