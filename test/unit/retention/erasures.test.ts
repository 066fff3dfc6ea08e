import assert from 'node:assert/strict';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { nodeKeyFiles } from '../../../extproc/keys/files.ts';
import { ErasedPersons, type Erasure, Erasures } from '../../../extproc/retention/erasures.ts';
import { retentionDirectory } from '../../../extproc/retention/event-log.ts';
import { temporaryDirectory } from '../../builders/directory.ts';
import { ada, eve } from './rig.ts';

const begun: Erasure = {
  ...{ version: 1, run: 'run-1', ...ada, beforeMs: 1_000, areKeysErased: false, isCarriedOut: false },
  ...{ by: 'ops', reason: 'asked for it' },
};

test('whoever is erased is known from then on to those who run already, with what they said before and no more', async (t) => {
  const dataDirectory = temporaryDirectory(t);
  const persons = new ErasedPersons(dataDirectory);
  await persons.refresh();
  assert.equal(persons.has(ada, 1), false);
  const erasures = new Erasures(retentionDirectory(dataDirectory), nodeKeyFiles);
  await erasures.write(begun);
  await persons.refresh();
  assert.deepEqual([persons.has(ada, 999), persons.has(ada, 1_000)], [true, false]);
  assert.equal(persons.has(eve, 1), false);
  assert.equal(persons.has({ ...ada, issuer: 'https://other.example' }, 1), false);
  assert.equal(persons.has(null, 1), false);
  await erasures.write({ ...begun, run: 'run-2', beforeMs: 2_000 });
  await persons.refresh();
  assert.equal(persons.has(ada, 1_500), true, 'erased again');
  for (const run of ['run-1', 'run-2']) await erasures.remove(run);
  await persons.refresh();
  assert.equal(persons.has(ada, 1), false);
});

test('an erasure that cannot be read is no erasure of nobody: it is said, with its file and what to do', async (t) => {
  const dataDirectory = temporaryDirectory(t);
  const erasures = new Erasures(retentionDirectory(dataDirectory), nodeKeyFiles);
  await erasures.write(begun);
  const directory = join(retentionDirectory(dataDirectory), 'pending');
  const [name = ''] = readdirSync(directory);
  for (const text of ['', '{"version":1}', '{"version":2,"run":"x"}']) {
    writeFileSync(join(directory, name), text);
    const persons = new ErasedPersons(dataDirectory);
    await assert.rejects(persons.refresh(), { code: 'archive_corrupt', message: new RegExp(name), remedy: /erase/ });
  }
});
