import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rebuildIndexCommand } from '../../../extproc/cli/rebuild-index.ts';
import { SkilltapeError } from '../../../extproc/errors.ts';
import type { RebuildResult } from '../../../extproc/rebuild/rebuild.ts';
import { CommandRunner, newRun, type Run } from './looking-fixture.ts';

const counts = { indexed: 3, maskingFailed: 1, erased: 2, damaged: 0, rejected: 0, expired: 0, metadata: 0 };

async function run(result: RebuildResult | SkilltapeError, ...args: string[]): Promise<Run> {
  const told = newRun();
  const rebuild = {
    async rebuild({ onFailed }: { onFailed: (id: string, reason: string) => void }) {
      assert.deepEqual([told.looks.length, told.looks[0]?.what], [1, 'rebuild'], 'recorded before it is done');
      if (result instanceof SkilltapeError) throw result;
      onFailed('0190f5c0', 'masking failed\u001b[2J');
      return result;
    },
  };
  return new CommandRunner('').run((looking) => rebuildIndexCommand(looking, rebuild), args, told);
}

test('it is recorded with its reason, says what became of it, and ends by whether it has to be repeated', async () => {
  const done = await run({ kind: 'in_place', counts }, '--reason', 'lost by eve@example.org');
  assert.equal(done.looks[0]?.why, 'lost by [EMAIL:1]');
  assert.equal(done.out, '3 exchanges indexed, 1 with metadata only, 2 of erased persons left out\n');
  assert.match(done.error, /The index is in place/);
  assert.ok(!done.error.includes('\u001b'));
  assert.equal(done.exitCode, 0);
  const codes: number[] = [];
  for (const result of [
    { kind: 'in_place', counts: { ...counts, indexed: 0 } },
    { kind: 'in_place', counts: { ...counts, damaged: 1 } },
    { kind: 'prepared', holder: 'process 7', counts },
    { kind: 'waiting', reason: 'away', counts },
  ] satisfies RebuildResult[])
    codes.push((await run(result, '--reason', 'r', '--json')).exitCode);
  assert.deepEqual(codes, [1, 3, 3, 3]);
});

test('without a reason nothing is done, and what must not be is told with its remedy', async () => {
  const unreasoned = await run({ kind: 'in_place', counts });
  assert.deepEqual([unreasoned.exitCode, unreasoned.looks], [2, []]);
  const refused = await run(
    new SkilltapeError('usage', 'a gateway runs (process 7)', { remedy: 'stop it' }),
    ...['--reason', 'r'],
  );
  assert.deepEqual([refused.exitCode, refused.error], [2, 'a gateway runs (process 7)\nstop it\n']);
});
