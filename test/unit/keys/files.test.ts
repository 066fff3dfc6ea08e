import assert from 'node:assert/strict';
import { chmodSync, globSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { prepareKeys } from '../../../extproc/keys/prepare.ts';
import { openSealer } from '../../../extproc/keys/sealer.ts';
import { temporaryDirectory } from '../../builders/directory.ts';
import { alice, keyring, openKeyring } from './keyring.ts';

test('the first start makes the master and says so once', async (context) => {
  const dataDirectory = temporaryDirectory(context);
  assert.equal(await prepareKeys(dataDirectory), 'created');
  assert.equal(await prepareKeys(dataDirectory), 'present');
  assert.equal(statSync(join(dataDirectory, 'keys', 'master.key')).mode & 0o777, 0o600);
});

test('processes that start at the same time agree on one master', async (context) => {
  const dataDirectory = temporaryDirectory(context);
  const states = await Promise.all(Array.from({ length: 8 }, () => prepareKeys(dataDirectory)));
  assert.equal(states.filter((state) => state === 'created').length, 1);
  const { sealer, opener } = await openKeyring(dataDirectory);
  const { sealed } = await sealer.sealedKeyFor(alice, 'standard', 's');
  assert.equal((await opener.open(sealed, 's')).kind, 'opened');
});

test('a master key that is missing is never made anew beside keys that it sealed', async (context) => {
  const { dataDirectory, places, sealer } = await keyring(context);
  await sealer.sealedKeyFor(alice, 'standard', 's');
  rmSync(places.master);
  assert.equal(await prepareKeys(dataDirectory), 'public_only');
  rmSync(places.masterPublic);
  await assert.rejects(prepareKeys(dataDirectory), { code: 'key_invalid', message: /no master key/ });
  const writer = await openSealer({ dataDirectory });
  assert.ok(await writer.sealedKeyFor(alice, 'standard', 's'));
  await assert.rejects(writer.sealedKeyFor(alice, 'other', 's'), { code: 'key_invalid', message: /master\.pub/ });
});

test('the public half of the master is made again from the private one', async (context) => {
  const { dataDirectory, places } = await keyring(context);
  const before = readFileSync(places.masterPublic);
  rmSync(places.masterPublic);
  await prepareKeys(dataDirectory);
  assert.deepEqual(readFileSync(places.masterPublic), before);
});

test('each file that is cut short, open to others or of another kind is refused with its name and the remedy', async (context) => {
  const { dataDirectory, places, sealer } = await keyring(context);
  const { sealed } = await sealer.sealedKeyFor(alice, 'standard', 's');
  const [pairName = ''] = globSync('*/*.json', { cwd: places.persons });
  const use = async () => {
    const { sealer: writer, opener } = await openKeyring(dataDirectory);
    await prepareKeys(dataDirectory);
    await writer.sealedKeyFor(alice, 'standard', 's');
    await opener.open(sealed, 's');
  };
  for (const path of [places.master, places.masterPublic, places.names, join(places.persons, pairName)]) {
    const whole = readFileSync(path);
    for (const length of [0, 1, Math.floor(whole.length / 2), whole.length - 2]) {
      truncateSync(path, length);
      // The public half is made again wherever the private one is.
      if (path === places.masterPublic) await use();
      else
        await assert.rejects(use(), (error: { code: string; message: string; remedy: string }) => {
          assert.equal(error.code, 'key_invalid');
          assert.ok(error.message.includes(path), error.message);
          assert.ok(error.remedy.length > 10);
          return true;
        });
      writeFileSync(path, whole);
    }
    await use();
  }
  for (const path of [places.master, places.names]) {
    for (const mode of [0o640, 0o604, 0o700]) {
      chmodSync(path, mode);
      await assert.rejects(use(), {
        code: 'key_invalid',
        message: /wider than 600/,
        remedy: new RegExp(`chmod 600 ${path}`),
      });
    }
    chmodSync(path, 0o600);
  }
});

test('a fault of the disk while a pair is made leaves none that is half', async (context) => {
  const { places, sealer, dataDirectory } = await keyring(context);
  await sealer.sealedKeyFor(alice, 'standard', 's');
  const [name = ''] = globSync('*/*.json', { cwd: places.persons });
  // As a crash between write and link leaves it.
  writeFileSync(join(places.persons, `${name}.0011223344556677.tmp`), '{"version":1,');
  const { sealer: again, opener } = await openKeyring(dataDirectory);
  const { sealed } = await again.sealedKeyFor(alice, 'standard', 's');
  assert.equal((await opener.open(sealed, 's')).kind, 'opened');
});
