import assert from 'node:assert/strict';
import { globSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { erasePerson } from '../../../extproc/keys/erase.ts';
import { prepareKeys } from '../../../extproc/keys/prepare.ts';
import { alice, bob, endingFiles, keyring, openKeyring } from './keyring.ts';

const nowMs = () => 1_700_000_000_000;

test('an erased person cannot be read any more, in any class; others can', async (context) => {
  const { dataDirectory, sealer, opener, places } = await keyring(context);
  const own = await Promise.all(['standard', 'long'].map((inClass) => sealer.sealedKeyFor(alice, inClass, 's')));
  const other = await sealer.sealedKeyFor(bob, 'standard', 's');
  // Private halves that the reader has open already count for nothing.
  for (const { sealed } of own) assert.equal((await opener.open(sealed, 's')).kind, 'opened');

  const erased = await erasePerson({ dataDirectory, person: alice, nowMs });
  assert.ok(erased.kind === 'erased');
  assert.deepEqual([erased.keys, erased.retentionClasses, erased.sequence], [2, ['long', 'standard'], 1]);
  for (const { sealed } of own) {
    assert.deepEqual(await opener.open(sealed, 's'), { kind: 'erased', erasedMs: nowMs() });
    assert.equal(await sealer.isCurrent(sealed), false);
  }
  assert.equal((await opener.open(other.sealed, 's')).kind, 'opened');
  assert.equal(await sealer.isCurrent(other.sealed), true);
  const tombstones = globSync('*', { cwd: places.erased }).map((name) =>
    readFileSync(join(places.erased, name), 'utf8'),
  );
  assert.doesNotMatch(tombstones.join(), /alice|id\.example/);
});

test('what is sealed for an erased person later has a new pair, which can be read and erased again', async (context) => {
  const { dataDirectory, sealer, opener } = await keyring(context);
  const before = await sealer.sealedKeyFor(alice, 'standard', 's');
  await erasePerson({ dataDirectory, person: alice });
  const after = await sealer.sealedKeyFor(alice, 'standard', 's');
  assert.equal((await opener.open(before.sealed, 's')).kind, 'erased');
  assert.equal((await opener.open(after.sealed, 's')).kind, 'opened');
  const again = await erasePerson({ dataDirectory, person: alice });
  assert.ok(again.kind === 'erased' && again.sequence === 2 && again.keys === 1);
  assert.equal((await opener.open(after.sealed, 's')).kind, 'erased');
});

test('a person without keys is told as such and leaves no tombstone', async (context) => {
  const { dataDirectory, places } = await keyring(context);
  assert.deepEqual(await erasePerson({ dataDirectory, person: bob }), { kind: 'no_keys' });
  assert.deepEqual(globSync('*', { cwd: places.erased }), []);
});

test('an erasure that ends anywhere in the middle is finished at the next start, and never half believed', async (context) => {
  for (const takesEffect of [false, true]) {
    for (let passing = 0; passing < 4; passing++) {
      const { dataDirectory, sealer, places } = await keyring(context);
      const sealed = await Promise.all(['a', 'b'].map((inClass) => sealer.sealedKeyFor(alice, inClass, 's')));
      const files = endingFiles(passing, takesEffect);
      const ended = await erasePerson({ dataDirectory, person: alice, files }).then(
        () => false,
        () => true,
      );
      const tombstones = globSync('*', { cwd: places.erased }).length;
      const { opener } = await openKeyring(dataDirectory);
      const kinds = await Promise.all(sealed.map(async (one) => (await opener.open(one.sealed, 's')).kind));
      const expected = tombstones === 0 ? 'opened' : 'erased';
      assert.deepEqual(kinds, [expected, expected], `${passing} ${takesEffect} ${ended}`);
      await prepareKeys(dataDirectory);
      if (tombstones > 0) assert.deepEqual(globSync('*/*.json', { cwd: places.persons }), []);
    }
  }
});

test('a folder of keys that was copied back does not bring an erased person back', async (context) => {
  const { dataDirectory, sealer, opener, places } = await keyring(context);
  const { sealed } = await sealer.sealedKeyFor(alice, 'standard', 's');
  const [name = ''] = globSync('*/*.json', { cwd: places.persons });
  const copy = readFileSync(join(places.persons, name));
  await erasePerson({ dataDirectory, person: alice });
  writeFileSync(join(places.persons, name), copy);
  assert.equal((await opener.open(sealed, 's')).kind, 'erased');
  await prepareKeys(dataDirectory);
  assert.deepEqual(globSync('*/*.json', { cwd: places.persons }), []);
});

test('tombstones that were changed, swapped or taken out are seen', async (context) => {
  const { dataDirectory, sealer, places } = await keyring(context);
  for (let round = 0; round < 3; round++) {
    await sealer.sealedKeyFor(alice, 'standard', 's');
    await erasePerson({ dataDirectory, person: alice, nowMs });
  }
  const paths = globSync('*', { cwd: places.erased })
    .sort()
    .map((name) => join(places.erased, name));
  const [first = '', second = ''] = paths;
  const [one, two] = [readFileSync(first), readFileSync(second)];
  const damages: Record<string, () => void> = {
    changed: () => writeFileSync(first, one.toString().replace('1700000000000', '1700000000001')),
    swapped: () => [writeFileSync(first, two), writeFileSync(second, one)],
    'taken out': () => rmSync(second),
  };
  for (const [what, damage] of Object.entries(damages)) {
    damage();
    const { opener, sealer: writer } = await openKeyring(dataDirectory);
    const { sealed } = await writer.sealedKeyFor(bob, 'standard', 's');
    await assert.rejects(opener.open(sealed, 's'), { code: 'key_invalid', message: /tombstone \d in/ }, what);
    writeFileSync(first, one);
    writeFileSync(second, two);
  }
});

test('erasures at the same time all leave their tombstone', async (context) => {
  const { dataDirectory, sealer } = await keyring(context);
  const persons = Array.from({ length: 8 }, (_, at) => ({ issuer: 'i', subject: `${at}` }));
  for (const person of persons) await sealer.sealedKeyFor(person, 'standard', 's');
  const erasures = await Promise.all(persons.map((person) => erasePerson({ dataDirectory, person })));
  const sequences = erasures.map((erasure) => (erasure.kind === 'erased' ? erasure.sequence : 0));
  assert.deepEqual(sequences.sort(), [1, 2, 3, 4, 5, 6, 7, 8]);
});
