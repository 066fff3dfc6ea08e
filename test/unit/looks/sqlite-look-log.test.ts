import assert from 'node:assert/strict';
import { mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import { SkilltapeError } from '../../../extproc/errors.ts';
import { SqliteLookLog } from '../../../extproc/looks/sqlite-look-log.ts';
import { temporaryDirectory } from '../../builders/directory.ts';
import { maskedText } from '../../builders/document.ts';

const ada = { osUser: 'ada', uid: 1000 };
const root = { osUser: 'root', uid: 0, sudoUser: 'ada' };

function openLog(t: TestContext): { directory: string; log: SqliteLookLog } {
  const directory = temporaryDirectory(t);
  const log = new SqliteLookLog(directory, () => new Date('2026-02-03T04:05:06Z'));
  t.after(() => log.close());
  return { directory, log };
}

test('looks are kept with who, what, when and why, and survive a restart', (t) => {
  const { directory, log } = openLog(t);
  log.record({ who: ada, what: 'search', subject: maskedText('text: tape') });
  log.record({ who: root, what: 'show', subject: maskedText('exchange-1'), why: maskedText('case 7') });
  log.close();
  const again = new SqliteLookLog(directory);
  t.after(() => again.close());
  const time = '2026-02-03T04:05:06.000Z';
  assert.deepEqual(again.list(), [
    { number: 2, time, who: root, what: 'show', subject: 'exchange-1', why: 'case 7' },
    { number: 1, time, who: ada, what: 'search', subject: 'text: tape' },
  ]);
  assert.deepEqual(
    again.list(1).map((look) => look.number),
    [2],
  );
  assert.equal(statSync(join(directory, 'looks.sqlite')).mode & 0o777, 0o600);
});

test('a recorded look cannot be changed, removed or replaced through SQL', (t) => {
  const { directory, log } = openLog(t);
  log.record({ who: ada, what: 'show', subject: maskedText('exchange-1') });
  const database = new DatabaseSync(join(directory, 'looks.sqlite'));
  t.after(() => database.close());
  for (const statement of [
    "update looks set subject = 'nothing'",
    'delete from looks',
    "insert or replace into looks (number, time, os_user, uid, what, subject) values (1, '', '', 0, 'show', '')",
    "replace into looks (number, time, os_user, uid, what, subject) values (1, '', '', 0, 'show', '')",
  ])
    assert.throws(() => database.exec(statement), /a recorded look does not change/, statement);
  assert.equal(log.list()[0]?.subject, 'exchange-1');
});

test('two command lines record side by side', (t) => {
  const { directory, log } = openLog(t);
  const other = new SqliteLookLog(directory);
  t.after(() => other.close());
  for (let round = 0; round < 10; round++) {
    log.record({ who: ada, what: 'show', subject: maskedText(`a${round}`) });
    other.record({ who: ada, what: 'show', subject: maskedText(`b${round}`) });
  }
  assert.equal(log.list().length, 20);
});

test('a person who looks by the console is recorded by their token, also in a file of an earlier version', (t) => {
  const { directory, log } = openLog(t);
  const old = new DatabaseSync(join(directory, 'looks.sqlite'));
  old.exec(
    `create table looks (number integer primary key autoincrement, time text not null, os_user text not null,
     uid integer not null, sudo_user text, what text not null, subject text not null, why text) strict;
     insert into looks (time, os_user, uid, what, subject) values ('2026-01-01T00:00:00.000Z', 'ada', 1000, 'show', 'x')`,
  );
  old.close();
  const who = {
    issuer: 'https://idp.example',
    subject: 'u-7',
    name: 'Grace',
    address: '192.0.2.7',
    authenticatedMs: 5,
  };
  log.record({ who, what: 'approvals', subject: maskedText('open tickets') });
  assert.deepEqual(
    log.list().map((look) => look.who),
    [who, ada],
  );
});

test('a look that cannot be recorded is an error with its remedy', (t) => {
  const { directory, log } = openLog(t);
  mkdirSync(join(directory, 'looks.sqlite'));
  assert.throws(
    () => log.record({ who: ada, what: 'show', subject: maskedText('exchange-1') }),
    (thrown: unknown) =>
      thrown instanceof SkilltapeError &&
      /could not be recorded, so nothing is shown/.test(thrown.message) &&
      /writable/.test(thrown.remedy ?? ''),
  );
});
