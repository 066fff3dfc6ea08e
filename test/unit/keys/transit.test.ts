import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { erasePerson } from '../../../extproc/keys/erase.ts';
import { nodeKeyFiles } from '../../../extproc/keys/files.ts';
import { masterFromFile } from '../../../extproc/keys/master.ts';
import { openOpener } from '../../../extproc/keys/opener.ts';
import { prepareKeys } from '../../../extproc/keys/prepare.ts';
import { rotateMaster } from '../../../extproc/keys/rotate.ts';
import { keyStatus } from '../../../extproc/keys/status.ts';
import { transitWrap } from '../../../extproc/keys/transit.ts';
import { unwrapMaster, withWrappedMaster, wrapMaster } from '../../../extproc/keys/wrapped-master.ts';
import { type FakeTransit, startFakeTransit, type TransitMood } from '../../fakes/transit.ts';
import { alice, bob, bytesOf, keyring } from './keyring.ts';

async function withTransit(t: TestContext) {
  const ring = await keyring(t);
  const { dataDirectory, places } = ring;
  const transit = await startFakeTransit();
  t.after(() => transit.close());
  const tokenFile = join(dataDirectory, 'token');
  writeFileSync(tokenFile, `${transit.token}\n`, { mode: 0o600 });
  const options = { address: transit.address, mount: 'transit', key: 'skilltape', tokenFile, timeoutMs: 30_000 };
  const be = (mood: TransitMood) => {
    transit.mood = mood;
    // Short only where it is waited for: a loaded machine is no silent service.
    options.timeoutMs = mood === 'silent' ? 300 : 30_000;
  };
  const service = transitWrap(options, nodeKeyFiles);
  const files = withWrappedMaster(nodeKeyFiles, places, service);
  const wrappedFile = join(places.directory, 'master.wrapped');
  const openerNow = () => openOpener({ dataDirectory, master: masterFromFile(dataDirectory, files) });
  return { ...ring, transit, be, tokenFile, service, files, wrappedFile, openerNow };
}

test('a master that a service for keys has opens what was sealed, and stands in no file here', async (t) => {
  const { sealer, places, service, wrappedFile, openerNow, transit, dataDirectory, files } = await withTransit(t);
  const { sealed } = await sealer.sealedKeyFor(alice, 'standard', 's');
  const [half = ''] = JSON.parse(readFileSync(places.master, 'utf8')).privateKeys;
  await wrapMaster(nodeKeyFiles, places, service);
  assert.equal(existsSync(places.master), false);
  assert.ok(!readFileSync(wrappedFile, 'utf8').includes(half));
  assert.equal((await openerNow().open(sealed, 's')).kind, 'opened');
  const status = await keyStatus(dataDirectory, files);
  assert.deepEqual([status.holdsMaster, status.faults], [true, []]);
  await assert.rejects(openOpener({ dataDirectory, master: masterFromFile(dataDirectory) }).open(sealed, 's'), {
    code: 'key_invalid',
  });
  assert.ok(transit.asked.length > 0);
});

test('whoever writes, starts or erases asks no service: with one that is gone everything is recorded', async (t) => {
  const { sealer, places, service, transit, dataDirectory } = await withTransit(t);
  await wrapMaster(nodeKeyFiles, places, service);
  transit.asked.splice(0);
  transit.mood = 'sealed';
  assert.equal(await prepareKeys(dataDirectory), 'public_only');
  await sealer.sealedKeyFor(bob, 'standard', 's');
  await erasePerson({ dataDirectory, person: bob });
  assert.deepEqual(transit.asked, []);
});

test('a rotation leaves the new master with the service alone, and all of before opens', async (t) => {
  const { sealer, places, service, files, openerNow, dataDirectory, wrappedFile } = await withTransit(t);
  const { sealed } = await sealer.sealedKeyFor(alice, 'standard', 's');
  await wrapMaster(nodeKeyFiles, places, service);
  const before = bytesOf(wrappedFile);
  assert.equal((await rotateMaster({ dataDirectory, files })).rewrapped, 1);
  assert.equal((await rotateMaster({ dataDirectory, files, finish: true })).kept, 0);
  assert.equal(existsSync(places.master), false);
  assert.ok(!bytesOf(wrappedFile).equals(before));
  assert.equal((await openerNow().open(sealed, 's')).kind, 'opened');
});

test('the master of now comes back as a file, and not from a service that has another', async (t) => {
  const { sealer, places, service, files, dataDirectory, wrappedFile, transit } = await withTransit(t);
  const { sealed } = await sealer.sealedKeyFor(alice, 'standard', 's');
  await wrapMaster(nodeKeyFiles, places, service);
  await rotateMaster({ dataDirectory, files });
  transit.mood = 'lying';
  await assert.rejects(unwrapMaster(nodeKeyFiles, places, service), { code: 'key_invalid' });
  assert.ok(existsSync(wrappedFile));
  assert.equal(existsSync(places.master), false);
  transit.mood = 'well';
  await unwrapMaster(nodeKeyFiles, places, service);
  assert.deepEqual([existsSync(places.master), existsSync(wrappedFile)], [true, false]);
  const opener = openOpener({ dataDirectory, master: masterFromFile(dataDirectory) });
  assert.equal((await opener.open(sealed, 's')).kind, 'opened');
});

const faults: Record<Exclude<TransitMood, 'well'>, RegExp> = {
  forgetful: /refused with status 400/,
  lying: /does not give back what it was given|cut short or damaged/,
  silent: /did not answer within 300 ms/,
  endless: /answers with more than 65536 bytes/,
  nonsense: /cannot be used/,
  sealed: /refused with status 503/,
  moved: /cannot be reached/,
};

for (const [mood, said] of Object.entries(faults) as [TransitMood, RegExp][]) {
  test(`a service that is ${mood} is given nothing to lose: what is here stays as it was, and that is said`, async (t) => {
    const { sealer, places, service, be, openerNow, dataDirectory, files, wrappedFile } = await withTransit(t);
    const { sealed } = await sealer.sealedKeyFor(alice, 'standard', 's');
    const master = bytesOf(places.master);
    be(mood);
    await assert.rejects(wrapMaster(nodeKeyFiles, places, service), said);
    assert.deepEqual([bytesOf(places.master).equals(master), existsSync(wrappedFile)], [true, false]);
    be('well');
    await wrapMaster(nodeKeyFiles, places, service);
    const wrapped = bytesOf(wrappedFile);
    be(mood);
    await assert.rejects(openerNow().open(sealed, 's'), { code: 'key_invalid' });
    await assert.rejects(rotateMaster({ dataDirectory, files }));
    assert.ok(bytesOf(wrappedFile).equals(wrapped));
    be('well');
    assert.equal((await openerNow().open(sealed, 's')).kind, 'opened');
  });
}

test('a token that others may read, that is old or that is missing opens nothing, and is in no message', async (t) => {
  const { sealer, places, service, tokenFile, openerNow } = await withTransit(t);
  const { sealed } = await sealer.sealedKeyFor(alice, 'standard', 's');
  await wrapMaster(nodeKeyFiles, places, service);
  const saying = async (words: RegExp) => {
    await assert.rejects(openerNow().open(sealed, 's'), (thrown: Error) => {
      assert.doesNotMatch(`${thrown.message} ${JSON.stringify(thrown)}`, /hvs\./);
      return words.test(thrown.message);
    });
  };
  writeFileSync(tokenFile, 'hvs.another', { mode: 0o600 });
  await saying(/refused with status 403/);
  const open: FakeTransit['token'] = 'hvs.token';
  await nodeKeyFiles.destroy(tokenFile);
  await saying(/there is no /);
  writeFileSync(tokenFile, open, { mode: 0o644 });
  await saying(/wider than 600/);
});

test('a wrapped file that was changed or swapped for another opens nothing', async (t) => {
  const one = await withTransit(t);
  const { sealed } = await one.sealer.sealedKeyFor(alice, 'standard', 's');
  await wrapMaster(nodeKeyFiles, one.places, one.service);
  const other = await keyring(t);
  const wrapped = readFileSync(one.wrappedFile, 'utf8');
  // As it was before a rotation, or of another installation with the same service.
  await wrapMaster(nodeKeyFiles, other.places, one.service);
  const swapped = readFileSync(join(other.places.directory, 'master.wrapped'), 'utf8');
  for (const bytes of [swapped, wrapped.slice(0, -9), wrapped.replace(/[A-Z]/, '_')]) {
    writeFileSync(one.wrappedFile, bytes);
    await assert.rejects(one.openerNow().open(sealed, 's'), { code: 'key_invalid' });
  }
});
