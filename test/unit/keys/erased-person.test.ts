import assert from 'node:assert/strict';
import { test } from 'node:test';
import { erasePerson } from '../../../extproc/keys/erase.ts';
import { erasedPersons } from '../../../extproc/keys/erased-person.ts';
import { prepareKeys } from '../../../extproc/keys/prepare.ts';
import { openSealer } from '../../../extproc/keys/sealer.ts';
import { temporaryDirectory } from '../../builders/directory.ts';

const ada = { issuer: 'https://id.example.com', subject: 'u-ada' };
const eve = { ...ada, subject: 'u-eve' };

test('who was erased is known by name with the time of the last erasure, and nobody else', async (t) => {
  const dataDirectory = temporaryDirectory(t);
  await prepareKeys(dataDirectory);
  assert.equal((await erasedPersons(dataDirectory))(ada), null);
  for (const nowMs of [1_000, 2_000]) {
    const sealer = await openSealer({ dataDirectory });
    await sealer.sealedKeyFor(ada, 'standard', 'segment');
    await sealer.sealedKeyFor(eve, 'standard', 'segment');
    await erasePerson({ dataDirectory, person: ada, nowMs: () => nowMs });
  }
  const erasedMs = await erasedPersons(dataDirectory);
  assert.deepEqual([erasedMs(ada), erasedMs(eve)], [2_000, null]);
});
