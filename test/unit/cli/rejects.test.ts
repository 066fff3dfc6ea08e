import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { LookingDependencies } from '../../../extproc/cli/looking.ts';
import { rejectsCommand } from '../../../extproc/cli/rejects.ts';
import type { Delivery } from '../../../extproc/index/port.ts';
import { openRejectsForReading, SqliteMemory } from '../../../extproc/index/sqlite/memory.ts';
import { temporaryDirectory } from '../../builders/directory.ts';
import { documentOf } from '../../builders/document.ts';
import { CommandRunner, newRun } from './looking-fixture.ts';

type Deliver = (id: string) => Delivery;

/** A list with these refused documents, and an index that answers by their ids. */
function rejectsRunner(t: TestContext, ids: string[], deliver: Deliver = () => ({ kind: 'accepted' })) {
  const directory = temporaryDirectory(t);
  const file = join(directory, 'memory.sqlite');
  const memory = SqliteMemory.open(file, () => new Date('2026-02-01T00:00:00Z'));
  for (const id of ids) memory.rejects.keep(documentOf({ id }), `reason of ${id}`);
  t.after(() => memory.close());
  const batches: string[][] = [];
  const make = (dependencies: LookingDependencies) =>
    rejectsCommand(dependencies, {
      openRejects: () => openRejectsForReading(file),
      openDelivery: async () => ({
        rejects: memory.rejects,
        sink: {
          async deliver(documents) {
            batches.push(documents.map(({ event }) => event.id));
            return documents.map(({ event }) => deliver(event.id));
          },
        },
        close: async () => {},
      }),
    });
  const left = () => [...memory.rejects.each()].map(({ id }) => id);
  return { directory, make, batches, left, run: (...args: string[]) => new CommandRunner(directory).run(make, args) };
}

test('list shows what was refused, when and why, and is a look', async (t) => {
  const { run } = rejectsRunner(t, ['a', 'b\u001b[2J']);
  const { out, exitCode, looks } = await run('list', '--why', 'case 7');
  assert.deepEqual(out.split('\n'), [
    'a  2026-02-01T00:00:00.000Z  reason of a',
    'b<U+001B>[2J  2026-02-01T00:00:00.000Z  reason of b<U+001B>[2J',
    '',
  ]);
  assert.equal(exitCode, 0);
  assert.deepEqual(
    looks.map(({ what, subject, why }) => [what, subject, why]),
    [['rejects', 'list', 'case 7']],
  );
  const json = await run('list', '--json');
  assert.deepEqual(JSON.parse(json.out.split('\n')[0] ?? '').document, documentOf({ id: 'a' }));
});

test('retry delivers all of them again, in small batches, and takes off the list what was taken', async (t) => {
  const ids = Array.from({ length: 45 }, (_, at) => `e-${at}`);
  const { run, batches, left } = rejectsRunner(t, ids, (id) => ({ kind: id === 'e-3' ? 'duplicate' : 'accepted' }));
  const { out, exitCode, looks } = await run('retry');
  assert.deepEqual([out, exitCode], ['45 taken, 0 refused again\n', 0]);
  assert.deepEqual(batches.flat(), ids);
  assert.ok(batches.every(({ length }) => length <= 20));
  assert.deepEqual(left(), []);
  assert.equal(looks[0]?.subject, 'retry');
});

test('what is refused again stays, and the status says so', async (t) => {
  const deliver: Deliver = (id) => (id === 'b' ? { kind: 'rejected', reason: 'still' } : { kind: 'accepted' });
  const { run, left } = rejectsRunner(t, ['a', 'b', 'c'], deliver);
  const { out, exitCode } = await run('retry', '--json');
  assert.deepEqual([JSON.parse(out), exitCode], [{ taken: 2, refused: 1, waiting: null }, 3]);
  assert.deepEqual(left(), ['b']);
});

test('an index that cannot take them now is asked once, and everything not taken stays', async (t) => {
  const ids = Array.from({ length: 30 }, (_, at) => `e-${at}`);
  const { run, batches, left } = rejectsRunner(t, ids, (id) =>
    id === 'e-0' ? { kind: 'accepted' } : { kind: 'retry', reason: 'the server is away' },
  );
  const { out, error, exitCode } = await run('retry');
  assert.deepEqual([out, exitCode, batches.length], ['1 taken, 0 refused again\n', 3, 1]);
  assert.match(error, /cannot take the others now: the server is away/);
  assert.deepEqual(left(), ids.slice(1));
});

test('an empty list is status 1 and delivers nothing', async (t) => {
  const { run, batches } = rejectsRunner(t, []);
  for (const action of ['list', 'retry']) {
    const { exitCode, error, out } = await run(action);
    assert.deepEqual([exitCode, error, out], [1, 'The index refused no document.\n', '']);
  }
  assert.deepEqual(batches, []);
});

test('a look that cannot be recorded shows and delivers nothing', async (t) => {
  const { directory, make, batches } = rejectsRunner(t, ['a']);
  for (const action of ['list', 'retry']) {
    const run = newRun();
    const runner = new CommandRunner(directory, { failingLookLog: true });
    await assert.rejects(runner.run(make, [action], run), /could not be recorded/);
    assert.equal(run.out, '');
  }
  assert.deepEqual(batches, []);
});
