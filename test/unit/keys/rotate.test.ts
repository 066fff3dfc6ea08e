import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { erasePerson } from '../../../extproc/keys/erase.ts';
import { nodeKeyFiles } from '../../../extproc/keys/files.ts';
import { prepareKeys } from '../../../extproc/keys/prepare.ts';
import { rotateMaster } from '../../../extproc/keys/rotate.ts';
import { alice, bob, endingFiles, keyring, openKeyring } from './keyring.ts';

test('after a rotation all that was sealed opens, and nothing of it was written again', async (context) => {
  const { dataDirectory, sealer, opener, places } = await keyring(context);
  const sealed = await Promise.all([alice, bob].map((person) => sealer.sealedKeyFor(person, 'standard', 's')));
  const before = readFileSync(places.master, 'utf8');
  const rotation = await rotateMaster({ dataDirectory });
  assert.equal(rotation.rewrapped, 2);
  assert.equal(rotation.kept, 1);
  for (const one of sealed) {
    assert.equal((await opener.open(one.sealed, 's')).kind, 'opened');
    assert.equal(await sealer.isCurrent(one.sealed), true);
  }
  for (const name of globSync('*/*.json', { cwd: places.persons })) {
    assert.match(readFileSync(join(places.persons, name), 'utf8'), new RegExp(`"masterId":"${rotation.masterId}"`));
  }
  const finished = await rotateMaster({ dataDirectory, finish: true });
  assert.deepEqual(finished, { masterId: rotation.masterId, rewrapped: 0, kept: 0 });
  const [old = ''] = JSON.parse(before).privateKeys;
  assert.equal(readFileSync(places.master, 'utf8').includes(old), false);
  const reader = await openKeyring(dataDirectory);
  for (const one of sealed) assert.equal((await reader.opener.open(one.sealed, 's')).kind, 'opened');
});

test('a rotation that ends anywhere in the middle loses nothing and can be done again', async (context) => {
  for (const takesEffect of [false, true]) {
    for (let passing = 0; passing < 6; passing++) {
      const { dataDirectory, sealer } = await keyring(context);
      const sealed = await Promise.all([alice, bob].map((person) => sealer.sealedKeyFor(person, 'standard', 's')));
      await rotateMaster({ dataDirectory, files: endingFiles(passing, takesEffect) }).catch(() => {});
      const opensAll = async () => {
        const { opener, sealer: writer } = await openKeyring(dataDirectory);
        sealed.push(await writer.sealedKeyFor({ issuer: 'i', subject: `${sealed.length}` }, 'standard', 's'));
        for (const one of sealed) assert.equal((await opener.open(one.sealed, 's')).kind, 'opened', `${passing}`);
      };
      await opensAll();
      await prepareKeys(dataDirectory);
      await opensAll();
      assert.equal((await rotateMaster({ dataDirectory, finish: true })).kept, 0);
      await opensAll();
    }
  }
});

test('a person who is erased while a rotation goes on does not come back by it', async (context) => {
  const { dataDirectory, sealer, opener, places } = await keyring(context);
  const { sealed } = await sealer.sealedKeyFor(alice, 'standard', 's');
  const replace: typeof nodeKeyFiles.replace = async (path, bytes) => {
    // Read by the rotation, not yet replaced.
    if (path.startsWith(places.persons)) await erasePerson({ dataDirectory, person: alice });
    await nodeKeyFiles.replace(path, bytes);
  };
  await rotateMaster({ dataDirectory, files: { ...nodeKeyFiles, replace } });
  assert.equal((await opener.open(sealed, 's')).kind, 'erased');
  assert.deepEqual(globSync('*/*.json', { cwd: places.persons }), []);
});
