import assert from 'node:assert/strict';
import { globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { backupKeys } from '../../../extproc/keys/backup.ts';
import { erasePerson } from '../../../extproc/keys/erase.ts';
import { masterFromFile } from '../../../extproc/keys/master.ts';
import { keyPlaces } from '../../../extproc/keys/places.ts';
import { prepareKeys } from '../../../extproc/keys/prepare.ts';
import { type RestoreOptions, restoreKeys } from '../../../extproc/keys/restore.ts';
import { rotateMaster } from '../../../extproc/keys/rotate.ts';
import { temporaryDirectory } from '../../builders/directory.ts';
import { alice, bob, type Keyring, keyring, openKeyring } from './keyring.ts';

const dayMs = 86_400_000;

function restoring(dataDirectory: string, backup: Buffer, more: Partial<RestoreOptions> = {}) {
  const master = masterFromFile(dataDirectory);
  return restoreKeys({ dataDirectory, backup, backupName: 'keys.backup', backupMaxAgeDays: 30, master, ...more });
}

/** Another machine, where nothing is but the copy of the master. */
function withMasterOf({ places }: Keyring, context: TestContext): string {
  const dataDirectory = temporaryDirectory(context);
  mkdirSync(join(dataDirectory, 'keys'), { mode: 0o700 });
  writeFileSync(keyPlaces(dataDirectory).master, readFileSync(places.master), { mode: 0o600 });
  return dataDirectory;
}

function tombstonesIn({ places }: Keyring): Buffer {
  return Buffer.concat(
    globSync('*', { cwd: places.erased })
      .sort()
      .map((name) => readFileSync(join(places.erased, name))),
  );
}

test('the drill: everything lost but master and backup, and all opens again', async (context) => {
  const lost = await keyring(context);
  const { key, sealed } = await lost.sealer.sealedKeyFor(alice, 'standard', 's');
  const { bytes, pairs } = await backupKeys({ dataDirectory: lost.dataDirectory });
  assert.equal(pairs, 1);
  assert.doesNotMatch(bytes.toString('latin1'), /alice|id\.example/);

  const dataDirectory = withMasterOf(lost, context);
  assert.deepEqual(await restoring(dataDirectory, bytes, { tombstones: null }), { restored: 1, kept: 0, leftOut: 0 });
  await prepareKeys(dataDirectory);
  const { opener, sealer } = await openKeyring(dataDirectory);
  assert.deepEqual(await opener.open(sealed, 's'), { kind: 'opened', key: Buffer.from(key) });
  assert.equal(await sealer.isCurrent(sealed), true);
  const erased = await erasePerson({ dataDirectory, person: alice });
  assert.equal(erased.kind, 'erased');
});

test('a restore does not bring an erased person back', async (context) => {
  const own = await keyring(context);
  const { dataDirectory } = own;
  const [one, other] = await Promise.all(
    [alice, bob].map((person) => own.sealer.sealedKeyFor(person, 'standard', 's')),
  );
  const { bytes } = await backupKeys({ dataDirectory });
  await erasePerson({ dataDirectory, person: alice });

  assert.deepEqual(await restoring(dataDirectory, bytes), { restored: 0, kept: 1, leftOut: 1 });
  const elsewhere = withMasterOf(own, context);
  await assert.rejects(restoring(elsewhere, bytes), { code: 'key_invalid', remedy: /--tombstones/ });
  const restoration = await restoring(elsewhere, bytes, { tombstones: tombstonesIn(own) });
  assert.deepEqual(restoration, { restored: 1, kept: 0, leftOut: 1 });
  for (const directory of [dataDirectory, elsewhere]) {
    const { opener } = await openKeyring(directory);
    assert.equal((await opener.open(one?.sealed ?? Buffer.alloc(0), 's')).kind, 'erased');
    assert.equal((await opener.open(other?.sealed ?? Buffer.alloc(0), 's')).kind, 'opened');
  }
});

test('where traffic went on with new keys, those and the restored ones both open, and erasing takes both', async (context) => {
  const lost = await keyring(context);
  const before = await lost.sealer.sealedKeyFor(alice, 'standard', 's');
  const { bytes } = await backupKeys({ dataDirectory: lost.dataDirectory });
  const dataDirectory = withMasterOf(lost, context);
  await prepareKeys(dataDirectory);
  const after = await (await openKeyring(dataDirectory)).sealer.sealedKeyFor(alice, 'standard', 's');
  await restoring(dataDirectory, bytes, { tombstones: null });
  const { opener } = await openKeyring(dataDirectory);
  for (const { sealed } of [before, after]) assert.equal((await opener.open(sealed, 's')).kind, 'opened');
  const erased = await erasePerson({ dataDirectory, person: alice });
  assert.ok(erased.kind === 'erased' && erased.keys === 2);
  for (const { sealed } of [before, after]) assert.equal((await opener.open(sealed, 's')).kind, 'erased');
});

test('a backup that is too old, cut short, changed or of another master is refused, and nothing is changed', async (context) => {
  const own = await keyring(context);
  const { dataDirectory, places } = own;
  await own.sealer.sealedKeyFor(alice, 'standard', 's');
  const { bytes } = await backupKeys({ dataDirectory, nowMs: () => 1_000 * dayMs });
  const before = globSync('**/*', { cwd: places.directory });
  const given = (more: Partial<RestoreOptions>) => ({ tombstones: null, nowMs: () => 1_001 * dayMs, ...more });
  await assert.rejects(restoring(dataDirectory, bytes, given({ nowMs: () => 1_030 * dayMs })), {
    message: /keys\.backup is 30 days old/,
    remedy: /destroy/,
  });
  for (const cut of [0, 10, bytes.length - 3, Math.floor(bytes.length / 2)]) {
    await assert.rejects(restoring(dataDirectory, bytes.subarray(0, cut), given({})), { message: /cut short/ });
  }
  const changed = Buffer.from(bytes.toString().replace('"standard', '"standarx'));
  await assert.rejects(restoring(dataDirectory, changed, given({})), { message: /damaged/ });
  const master = masterFromFile((await keyring(context)).dataDirectory);
  await assert.rejects(restoring(dataDirectory, bytes, given({ master })), {
    message: /sealed to master \w+, which is not in/,
  });
  assert.deepEqual(globSync('**/*', { cwd: places.directory }), before);
  assert.equal((await restoring(dataDirectory, bytes, given({}))).kept, 1);
});

test('a backup opens over one rotation, and not over a finished one', async (context) => {
  const own = await keyring(context);
  const { dataDirectory } = own;
  await own.sealer.sealedKeyFor(alice, 'standard', 's');
  const { bytes } = await backupKeys({ dataDirectory });
  await rotateMaster({ dataDirectory });
  assert.equal((await restoring(dataDirectory, bytes, { tombstones: null })).kept, 1);
  await rotateMaster({ dataDirectory, finish: true });
  await assert.rejects(restoring(dataDirectory, bytes, { tombstones: null }), { message: /which is not in/ });
});

test('tombstones of another installation are refused', async (context) => {
  const [own, other] = [await keyring(context), await keyring(context)];
  for (const { dataDirectory, sealer } of [own, other]) {
    await sealer.sealedKeyFor(alice, 'standard', 's');
    await erasePerson({ dataDirectory, person: alice });
  }
  const { bytes } = await backupKeys({ dataDirectory: own.dataDirectory });
  await assert.rejects(restoring(own.dataDirectory, bytes, { tombstones: tombstonesIn(other) }), {
    message: /do not continue each other/,
  });
});
