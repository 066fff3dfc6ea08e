import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { Stops } from '../../../extproc/stops/stops.ts';
import { StopWatch } from '../../../extproc/stops/watch.ts';
import { temporaryDirectory } from '../../builders/directory.ts';
import { waitUntil } from '../../environment/wait.ts';

const by = { osUser: 'ada', uid: 1000 };

function fakeRunning() {
  const ended: string[] = [];
  let stopped: string[] = [];
  return {
    ended,
    get stopped() {
      return stopped;
    },
    useStopped: (sessions: ReadonlyMap<string, unknown>) => {
      stopped = [...sessions.keys()];
    },
    end: async ({ kind, id }: { kind: string; id: string }) => {
      ended.push(`${kind} ${id}`);
      return kind === 'exchange' ? [id] : [];
    },
  };
}

test('a stopped session stays so until it is lifted, and each step stands with who and why', (context) => {
  const file = join(temporaryDirectory(context), 'stops.sqlite');
  const stops = new Stops(file);
  context.after(() => stops.close());
  stops.stop({ kind: 'session', id: 's-1' }, by, 'first', 1);
  stops.stop({ kind: 'session', id: 's-2' }, by, 'second', 2);
  stops.stop({ kind: 'session', id: 's-1' }, by, 'again', 3);
  stops.stop({ kind: 'exchange', id: 'x-1' }, by, 'one', 4);
  assert.deepEqual(
    stops.stopped().map(({ session, reason }) => [session, reason]),
    [
      ['s-1', 'again'],
      ['s-2', 'second'],
    ],
  );
  assert.equal(stops.lift('s-1', by, 'over', 5), true);
  assert.equal(stops.lift('s-1', by, 'over', 6), false);
  assert.deepEqual(
    stops.stopped().map(({ session }) => session),
    ['s-2'],
  );
  assert.deepEqual(
    stops.since(3).map(({ number, event }) => [number, event.kind]),
    [
      [4, 'stopped'],
      [5, 'lifted'],
    ],
  );
  const other = new DatabaseSync(file);
  context.after(() => other.close());
  for (const change of [
    "update events set event = '{}'",
    'delete from events',
    "insert or replace into events values (1, '{}')",
  ])
    assert.throws(() => other.exec(change), /does not change/);
});

test('a process knows at its start what is stopped, ends nothing again, and heeds what comes then', async (context) => {
  const file = join(temporaryDirectory(context), 'stops.sqlite');
  const stops = new Stops(file);
  context.after(() => stops.close());
  stops.stop({ kind: 'session', id: 's-1' }, by, 'why', 1);
  const running = fakeRunning();
  const watch = new StopWatch({ file, running, onFault: assert.fail });
  context.after(() => watch.close());
  assert.deepEqual([running.stopped, running.ended], [['s-1'], []]);
  const number = stops.stop({ kind: 'exchange', id: 'x-1' }, by, 'why', 2);
  stops.lift('s-1', by, 'why', 3);
  await waitUntil('it is heeded', () => running.ended.length > 0);
  assert.deepEqual([running.stopped, running.ended], [[], ['exchange x-1']]);
  const told = await waitUntil('it says so', () => stops.since(number).find(({ event }) => event.kind === 'ended'));
  assert.deepEqual(told.event.kind === 'ended' && [told.event.stop, told.event.exchangeId], [number, 'x-1']);
});

test('before anything was stopped nothing is opened; what is stopped first is heeded all the same', async (context) => {
  const file = join(temporaryDirectory(context), 'stops.sqlite');
  const running = fakeRunning();
  const watch = new StopWatch({ file, running, onFault: assert.fail });
  context.after(() => watch.close());
  assert.equal(existsSync(file), false);
  const stops = new Stops(file);
  context.after(() => stops.close());
  stops.stop({ kind: 'session', id: 's-1' }, by, 'why', 1);
  await waitUntil('it is heeded', () => running.ended.includes('session s-1'));
  assert.deepEqual(running.stopped, ['s-1']);
});

test('a process does not begin when it cannot be read what is stopped', (context) => {
  const file = join(temporaryDirectory(context), 'stops.sqlite');
  writeFileSync(file, 'this is no database, and long enough to be seen as none'.repeat(100), { mode: 0o600 });
  assert.throws(() => new StopWatch({ file, running: fakeRunning(), onFault: () => {} }));
});
