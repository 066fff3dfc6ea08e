import assert from 'node:assert/strict';
import { globSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { openOpener } from '../../../extproc/keys/opener.ts';
import type { Person } from '../../../extproc/keys/person.ts';
import { openSealer } from '../../../extproc/keys/sealer.ts';
import { importPrivate, newPair, openWith, recipientOf, sealTo } from '../../../extproc/keys/x25519.ts';
import { alice, bob, keyring, openKeyring } from './keyring.ts';

test('what a writer sealed for anybody opens for a reader with the same context, and with no other', async (context) => {
  const { sealer, opener } = await keyring(context);
  const person: fc.Arbitrary<Person> = fc.oneof(
    fc.constant<Person>('nobody'),
    fc.record({ issuer: fc.string({ unit: 'binary' }), subject: fc.string({ unit: 'binary', maxLength: 300 }) }),
  );
  const retentionClass = fc.constantFrom('standard', 'a', 'long_term-2');
  const purpose = fc.uint8Array({ maxLength: 2000 });
  await fc.assert(
    fc.asyncProperty(person, retentionClass, purpose, purpose, async (whose, inClass, of, other) => {
      const { key, sealed } = await sealer.sealedKeyFor(whose, inClass, of);
      assert.equal(key.length, 32);
      const opened = await opener.open(sealed, of);
      assert.deepEqual(opened, { kind: 'opened', key: Buffer.from(key) });
      if (Buffer.from(of).equals(other)) return;
      await assert.rejects(opener.open(sealed, other), { code: 'key_invalid' });
    }),
    { numRuns: 60 },
  );
});

test('every data key is fresh, and each person has one pair for each class', async (context) => {
  const { sealer, places } = await keyring(context);
  const sealings = await Promise.all(
    [alice, alice, bob, 'nobody' as const].flatMap((person) =>
      ['standard', 'long'].map((inClass) => sealer.sealedKeyFor(person, inClass, 'segment 1')),
    ),
  );
  assert.equal(new Set(sealings.map(({ key }) => Buffer.from(key).toString('hex'))).size, sealings.length);
  assert.equal(globSync('*/*.json', { cwd: places.persons }).length, 6);
});

test('no bit of a sealed key can be changed', async (context) => {
  const { sealer, opener } = await keyring(context);
  const { sealed } = await sealer.sealedKeyFor(alice, 'standard', 'segment 1');
  for (let bit = 0; bit < sealed.length * 8; bit++) {
    const changed = Buffer.from(sealed);
    changed.writeUInt8(changed.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
    const outcome = await opener.open(changed, 'segment 1').catch((thrown) => thrown.code);
    assert.ok(outcome === 'key_invalid' || outcome.kind === 'missing', `bit ${bit}: ${JSON.stringify(outcome)}`);
  }
  for (let length = 0; length < sealed.length; length++) {
    await assert.rejects(opener.open(sealed.subarray(0, length), 'segment 1'), { code: 'key_invalid' });
  }
});

test('a writer holds nothing that opens what it sealed, and no file says who called', async (context) => {
  const { dataDirectory, sealer, places } = await keyring(context);
  const { sealed } = await sealer.sealedKeyFor(alice, 'standard', 'segment 1');
  rmSync(places.master);
  const writer = await openSealer({ dataDirectory });
  assert.ok((await writer.sealedKeyFor(bob, 'standard', 'segment 1')).key);
  const reader = await openKeyring(dataDirectory);
  await assert.rejects(reader.opener.open(sealed, 'segment 1'), {
    code: 'key_invalid',
    message: /no master key at .*master\.key/,
    remedy: /copy of master\.key/,
  });
  const files = globSync('**/*', { cwd: places.directory, withFileTypes: true }).filter((entry) => entry.isFile());
  assert.ok(files.length >= 4);
  for (const entry of files) {
    const path = join(entry.parentPath, entry.name);
    assert.equal(statSync(path).mode & 0o777, 0o600, path);
    assert.doesNotMatch(`${path} ${readFileSync(path, 'latin1')}`, /alice|bob-|id\.example/);
  }
});

test('the private half of another master, and a file of another person, do not open', async (context) => {
  const [own, other] = [await keyring(context), await keyring(context)];
  const { sealed } = await own.sealer.sealedKeyFor(alice, 'standard', 's');
  const foreign = { open: async () => newPair().privateKey };
  const opener = openOpener({ dataDirectory: own.dataDirectory, master: foreign });
  await assert.rejects(opener.open(sealed, 's'), { code: 'key_invalid', message: /does not belong/ });
  assert.equal((await other.opener.open(sealed, 's')).kind, 'missing');

  await own.sealer.sealedKeyFor(bob, 'standard', 's');
  const [first = '', second = ''] = globSync('*/*.json', { cwd: own.places.persons }).map((name) =>
    join(own.places.persons, name),
  );
  writeFileSync(first, readFileSync(second));
  const outcomes = await Promise.allSettled([alice, bob].map((one) => own.sealer.sealedKeyFor(one, 'standard', 's')));
  assert.deepEqual(outcomes.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
});

test('sealing is bound to the one it is for, and small-order points are refused', () => {
  const [own, other] = [newPair(), newPair()];
  const sealed = sealTo(recipientOf(own.publicKey), Buffer.from('secret'), 'purpose', Buffer.from('context'));
  const open = (bytes: Buffer, privateKey = own.privateKey, purpose = 'purpose') =>
    openWith(importPrivate(privateKey), bytes, purpose, Buffer.from('context'))?.toString();
  assert.equal(open(sealed), 'secret');
  assert.equal(open(sealed, other.privateKey), undefined);
  assert.equal(open(sealed, own.privateKey, 'purpos'), undefined);
  assert.equal(open(Buffer.concat([Buffer.alloc(32), sealed.subarray(32)])), undefined);
  assert.equal(open(sealed.subarray(0, 40)), undefined);
});

test('a retention class that cannot name a file is refused', async (context) => {
  const { sealer } = await keyring(context);
  for (const inClass of ['', '../x', 'Standard', 'a'.repeat(33), '1st', 'a/b', 'a.b']) {
    await assert.rejects(sealer.sealedKeyFor(alice, inClass, 's'), { code: 'key_invalid', remedy: /lower case/ });
  }
});
