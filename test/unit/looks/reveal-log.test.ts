import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { operatorGroups } from '../../../extproc/looks/operator-groups.ts';
import type { LastHour } from '../../../extproc/looks/reveal-log.ts';
import { SqliteLookLog } from '../../../extproc/looks/sqlite-look-log.ts';
import { SqliteRevealLog } from '../../../extproc/looks/sqlite-reveal-log.ts';
import { temporaryDirectory } from '../../builders/directory.ts';
import { maskedText } from '../../builders/document.ts';

const minuteMs = 60_000;

function rig(t: Parameters<typeof temporaryDirectory>[0]) {
  const directory = temporaryDirectory(t);
  let nowMs = 1_700_000_000_000;
  const log = new SqliteRevealLog(directory, () => new Date(nowMs));
  const attempt = (uid: number, persons: string[], values: number, isShown = true): LastHour => {
    const who = { osUser: `user ${uid}`, uid };
    return log.attempt({ uid, persons, values }, (lastHour) => {
      return {
        isShown,
        lastHour,
        look: { who, what: 'reveal', subject: maskedText('e-1: EMAIL 1'), why: maskedText('w') },
      };
    }).lastHour;
  };
  return { directory, attempt, pass: (ms: number) => (nowMs += ms) };
}

test('what was shown counts for an hour, by operator and by person; what was denied does not', (t) => {
  const { directory, attempt, pass } = rig(t);
  assert.deepEqual(attempt(1, ['ada'], 3), { operatorValues: 0, personValues: 0 });
  assert.deepEqual(attempt(1, ['ada'], 50, false), { operatorValues: 3, personValues: 3 });
  assert.deepEqual(attempt(2, ['ada'], 4), { operatorValues: 0, personValues: 3 });
  assert.deepEqual(attempt(1, ['bob'], 1), { operatorValues: 3, personValues: 0 });
  pass(59 * minuteMs);
  assert.deepEqual(attempt(2, ['bob', 'ada'], 1), { operatorValues: 4, personValues: 7 });
  pass(minuteMs);
  assert.deepEqual(attempt(1, ['ada'], 1), { operatorValues: 0, personValues: 1 });
  const looks = new SqliteLookLog(directory);
  t.after(() => looks.close());
  assert.equal(looks.list().length, 6);
  assert.deepEqual(looks.list(1)[0]?.what, 'reveal');
});

test('a clock that is set back gives nobody more', (t) => {
  const { attempt, pass } = rig(t);
  attempt(1, ['ada'], 3);
  pass(-10 * minuteMs);
  assert.deepEqual(attempt(1, ['ada'], 1), { operatorValues: 3, personValues: 3 });
});

test('a look that cannot be recorded shows nothing and counts nothing', (t) => {
  const { directory, attempt } = rig(t);
  const log = new SqliteRevealLog(directory);
  const failing = () => {
    throw new Error('policy ended');
  };
  assert.throws(() => log.attempt({ uid: 1, persons: ['ada'], values: 5 }, failing), { code: 'look_failed' });
  assert.deepEqual(attempt(1, ['ada'], 1), { operatorValues: 0, personValues: 0 });
  const database = new DatabaseSync(join(directory, 'looks.sqlite'));
  t.after(() => database.close());
  for (const statement of [
    'delete from reveals',
    'update reveals set shown = 0',
    'replace into reveals select * from reveals',
  ])
    assert.throws(() => database.exec(statement), /does not change/, statement);
});

test('groups of the operator have their names, and those of a directory service their numbers', (t) => {
  const file = join(temporaryDirectory(t), 'group');
  assert.deepEqual(operatorGroups(file, [5]), ['gid 5']);
  assert.ok(operatorGroups().length > 0);
  assert.deepEqual(operatorGroups('/etc/group', [0, 0]), ['root']);
});
