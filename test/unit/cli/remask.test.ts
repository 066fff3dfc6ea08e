import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RecordedDependencies } from '../../../extproc/cli/recorded-of.ts';
import { remaskCommand } from '../../../extproc/cli/remask.ts';
import type { SearchQuery } from '../../../extproc/index/port.ts';
import { CommandRunner, newRun, type Run } from './looking-fixture.ts';

const id = '0190f5c0-0000-7000-8000-000000000001';

/** Nothing is recorded; what the index is asked for is kept. */
async function run(...args: string[]): Promise<Run & { queries: SearchQuery[] }> {
  const queries: SearchQuery[] = [];
  const told = newRun();
  const recorded = {
    openRecorded: () => assert.fail('nothing is only looked at'),
    openRemask: async () => {
      assert.equal(told.looks.length, 1, 'what is done is recorded before it is done');
      return {
        parts: {
          recorded: { async *read() {} },
          index: {
            search: async (query: SearchQuery) => {
              queries.push(query);
              return { hits: [], next: null, noiseHidden: 0 };
            },
          },
        },
        replace: { stored: async () => [] },
        close: async () => {},
      };
    },
  } as unknown as RecordedDependencies;
  await new CommandRunner('').run((looking) => remaskCommand(looking, recorded), args, told);
  return { ...told, queries };
}

test('without ids or filters it is what failed, whoever sent it and whether it was a prompt or not', async () => {
  const { queries, looks, exitCode, out } = await run('--reason', 'mail of eve@example.org');
  assert.equal(queries.length, 1);
  const { limit: _limit, ...asked } = queries[0] ?? {};
  assert.deepEqual(JSON.parse(JSON.stringify(asked)), { noise: true, maskingFailed: true });
  assert.deepEqual([looks[0]?.what, looks[0]?.why], ['remask', 'mail of [EMAIL:1]']);
  assert.equal(exitCode, 1);
  assert.match(out, /^0 selected: 0 masked anew/);
});

test('filters choose among those that failed, or with --all among all', async () => {
  const filters = ['--user', 'ada', '--connection', 'claude', '--from', '-7d', '--before', 'x', '--reason', 'r'];
  const [failed, all] = [await run(...filters), await run('--all', ...filters)];
  assert.deepEqual(
    [failed, all].map(({ queries: [query] }) => [query?.maskingFailed, query?.user, query?.connection, query?.before]),
    [
      [true, 'ada', 'claude', 'x'],
      [undefined, 'ada', 'claude', 'x'],
    ],
  );
  assert.equal(failed.queries[0]?.from?.toISOString(), '2026-01-13T12:00:00.000Z');
});

test('ids are counted as without raw bytes when nothing is recorded of them', async () => {
  const { out, exitCode, queries } = await run(id, '--reason', 'r', '--json');
  assert.deepEqual([JSON.parse(out).gone, exitCode, queries.length], [1, 3, 0]);
});

test('a mistake is told with its remedy, and nothing is recorded or done', async () => {
  const mistakes: [string[], RegExp][] = [
    [[], /--reason/],
    [['--all', '--reason', 'r'], /--all is given without a filter\n.*--from/],
    [[id, '--user', 'ada', '--reason', 'r'], /both ids and filters/],
    [['eve@example.org', '--reason', 'r'], /is not the id of an exchange/],
    [['--from', '-1d', '--to', '-2d', '--reason', 'r'], /--from is not before --to/],
    [['--from', 'yesterday', '--reason', 'r'], /is not a time/],
  ];
  for (const [args, words] of mistakes) {
    const { error, exitCode, looks } = await run(...args);
    assert.match(error, words);
    assert.deepEqual([exitCode, looks], [2, []], args.join(' '));
  }
});
