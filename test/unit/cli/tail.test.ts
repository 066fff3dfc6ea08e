import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { tailCommand } from '../../../extproc/cli/tail.ts';
import { SkilltapeError } from '../../../extproc/errors.ts';
import type { ConsoleDecision, ConsoleInput } from '../../../extproc/policy/console.ts';
import { temporaryDirectory } from '../../builders/directory.ts';
import { CommandRunner, newRun, type Run } from './looking-fixture.ts';

const limits = { values_per_operator_per_hour: 1, values_per_person_per_hour: 1 };
const allow: ConsoleDecision = { verdict: 'allow', reasons: [], limits };
const deny: ConsoleDecision = { verdict: 'deny', reasons: [{ rule: 'console/x', message: 'You may not.' }], limits };

type Steps = {
  decide?: (input: ConsoleInput) => ConsoleDecision;
  /** Called before the index gives a document. */
  beforeGet?: (id: string) => void;
  between: ((run: Run & Pick<CommandRunner, 'fill'>) => Promise<void> | void)[];
};

/** Runs the command; `between` is done in its pauses, and after the last one it is ended. */
async function tail(
  context: TestContext,
  args: string[],
  { decide = () => allow, beforeGet = () => {}, between }: Steps,
) {
  const runner = new CommandRunner(temporaryDirectory(context));
  await runner.fill([{ id: 'before', session: 's-other' }]);
  const asked: ConsoleInput[] = [];
  const run = newRun();
  let step = 0;
  await runner.run(
    (dependencies) => {
      const openIndex = async () => {
        const index = await dependencies.openIndex();
        const get = async (id: string) => {
          beforeGet(id);
          return index.get(id);
        };
        return { ...index, get };
      };
      return tailCommand(
        { ...dependencies, openIndex },
        {
          groups: () => ['staff'],
          policy: async () => ({
            console(input) {
              asked.push(input);
              return decide(input);
            },
          }),
          async pause() {
            const work = between[step];
            step += 1;
            await work?.({ ...run, fill: (documents) => runner.fill(documents) });
            return step <= Math.max(between.length, 12);
          },
        },
      );
    },
    args,
    run,
  );
  return { run, asked };
}

const recent = (id: string, minute: number, more = {}) => ({
  ...{ id, session: 's-1', time: `2026-01-20T11:${minute}:00.000Z` },
  ...more,
});

test('what comes into the index is shown once, the oldest first, and not what was there; each look is recorded before', async (context) => {
  const { run, asked } = await tail(context, ['--session', 's-1', '--reason', 'incident for eve@example.org'], {
    between: [
      ({ out }) => assert.equal(out, ''),
      (run) =>
        run.fill([
          recent('b', 40, { input: 'second \u001b[2J' }),
          recent('a', 30, { input: 'first' }),
          recent('c', 41, { session: 's-2' }),
        ]),
      () => {},
      (run) => run.fill([recent('late', 10, { input: 'third' })]),
    ],
  });
  const order = ['first', 'second', 'third'].map((word) => run.out.indexOf(word));
  assert.ok(
    order.every((at) => at > 0),
    run.out,
  );
  assert.deepEqual(
    order.toSorted((a, b) => a - b),
    order,
  );
  assert.equal(run.out.split('second').length, 2);
  assert.ok(!run.out.includes('\u001b['));
  assert.deepEqual(
    run.looks.map(({ what, subject }) => `${what} ${subject}`),
    ['tail session: s-1', 'tail exchange a', 'tail exchange b', 'tail exchange late'],
  );
  assert.equal(run.looks[0]?.why, 'incident for [EMAIL:1]');
  assert.deepEqual(
    asked.map(({ action, person, connection }) => [action, person?.subject, connection]),
    [
      ['tail', undefined, ''],
      ['tail', 'u-1', 'claude'],
    ],
  );
});

test('nobody whom policy denies is shown anything, also of a connection that comes later', async (context) => {
  const refused = await tail(context, ['--session', 's-1', '--reason', 'why'], { decide: () => deny, between: [] });
  assert.deepEqual([refused.run.exitCode, refused.run.out, refused.run.error], [3, '', 'You may not. (console/x)\n']);
  const { run } = await tail(context, ['--person', 'u-1', '--reason', 'why'], {
    decide: ({ connection }) => (connection === 'secret' ? deny : allow),
    between: [
      (run) =>
        run.fill([recent('a', 30, { input: 'open' }), recent('b', 31, { connection: 'secret', input: 'hidden' })]),
    ],
  });
  assert.match(run.out, /open/);
  assert.doesNotMatch(run.out, /hidden/);
  assert.match(run.error, /An exchange on secret is not shown: You may not\./);
  assert.ok(!run.looks.some(({ subject }) => subject === 'exchange b'));
});

test('it needs one of session and person, and a reason', async (context) => {
  for (const args of [
    ['--reason', 'why'],
    ['--session', 'a', '--person', 'b', '--reason', 'why'],
    ['--session', 'a'],
  ]) {
    const { run } = await tail(context, args, { between: [] });
    assert.deepEqual([run.exitCode, run.looks], [2, []], args.join(' '));
  }
});

test('an index that goes away between finding an exchange and giving it is waited for, and the exchange is shown then', async (context) => {
  let refusals = 0;
  const { run } = await tail(context, ['--session', 's-1', '--reason', 'why'], {
    beforeGet(id) {
      if (id !== 'b' || refusals === 2) return;
      refusals += 1;
      throw new SkilltapeError('index_failed', 'it is away');
    },
    between: [
      (run) =>
        run.fill([
          recent('a', 30, { input: 'first' }),
          recent('b', 31, { input: 'second' }),
          recent('c', 32, { input: 'third' }),
        ]),
    ],
  });
  assert.deepEqual(
    run.looks.map(({ subject }) => subject),
    ['session: s-1', 'exchange a', 'exchange b', 'exchange c'],
  );
  for (const word of ['first', 'second', 'third']) assert.equal(run.out.split(word).length, 2, word);
  assert.equal(run.error, 'The index does not answer, and is asked again: it is away\n');
});
