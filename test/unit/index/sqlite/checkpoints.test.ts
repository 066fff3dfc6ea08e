import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import { openSqliteCheckpoints, SqliteCheckpoints } from '../../../../extproc/index/sqlite/checkpoints.ts';
import { temporaryDirectory } from '../../../builders/directory.ts';

const checkpoint = (number: number) => ({
  ...{ hash: `hash ${number}`, writer: 'aa', number, timeMs: 1_700_000_000_000 + number, line: `line ${number}` },
});

async function kept(t: TestContext, ...numbers: number[]) {
  const directory = temporaryDirectory(t);
  const adding = new SqliteCheckpoints(directory);
  for (const number of numbers) await adding.add(checkpoint(number));
  await adding.close();
  return { directory, file: join(directory, 'checkpoints.sqlite') };
}

async function linesIn(directory: string): Promise<string[]> {
  const stored = openSqliteCheckpoints(directory);
  const lines: string[] = [];
  for await (const line of stored.lines()) lines.push(line);
  await stored.close();
  return lines;
}

test('a checkpoint is not changed, deleted or replaced, and one that comes again is there once', async (t) => {
  const { directory, file } = await kept(t, 1, 2, 1);
  const database = new DatabaseSync(file);
  t.after(() => database.close());
  const values = "values ('hash 1', 'aa', 1, 0, 'forged')";
  for (const statement of [
    "update checkpoints set line = 'x'",
    'delete from checkpoints',
    `insert or replace into checkpoints (hash, writer, number, time_ms, line) ${values}`,
    `replace into checkpoints (hash, writer, number, time_ms, line) ${values}`,
    `insert into checkpoints (hash, writer, number, time_ms, line) ${values} on conflict do update set line = excluded.line`,
  ])
    assert.throws(() => database.exec(statement), /a checkpoint does not change/, statement);
  assert.deepEqual(await linesIn(directory), ['line 1', 'line 2']);
});

test('a file of before is guarded as one of now when the next checkpoint comes', async (t) => {
  const { directory, file } = await kept(t, 1);
  const database = new DatabaseSync(file);
  t.after(() => database.close());
  database.exec('drop trigger checkpoints_no_replace');
  const again = new SqliteCheckpoints(directory);
  await again.add(checkpoint(2));
  await again.close();
  const replaced = "insert or replace into checkpoints values ('hash 1', 'aa', 1, 0, 'forged')";
  assert.throws(() => database.exec(replaced), /a checkpoint does not change/);
});
