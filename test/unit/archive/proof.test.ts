import assert from 'node:assert/strict';
import { test } from 'node:test';
import { leafHash, MerkleFrontier, MerkleTree, merkleRoot, rootOfPath } from '../../../extproc/archive/merkle.ts';
import { checkProof, proofOf } from '../../../extproc/archive/proof.ts';
import { newSigningKey } from '../../../extproc/archive/signing.ts';
import { FakeFileSystem } from '../../fakes/file-system.ts';
import { archiveOn, directory, exchangeOf } from './rig.ts';

test('the tree has the roots of RFC 6962, as its reference implementation prints them', () => {
  // The test vectors of certificate-transparency-go, merkle/testonly: inputs and roots of 1, 2, 3 and 8 leaves.
  const inputs = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f'];
  const leaves = inputs.map((hex) => leafHash([Buffer.from(hex, 'hex')]));
  const roots = [1, 2, 3, 8].map((size) => merkleRoot(leaves.slice(0, size)).toString('hex'));
  assert.deepEqual(roots, [
    '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
    'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
    'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
    '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
  ]);
});

test('every leaf of every tree up to 40 leaves has a path to its root, and to no other', () => {
  const leaves = Array.from({ length: 40 }, (_, at) => leafHash([Buffer.from([at])]));
  const frontier = new MerkleFrontier();
  for (let size = 1; size <= leaves.length; size += 1) {
    const own = leaves.slice(0, size);
    frontier.add(own.at(-1) ?? Buffer.alloc(0));
    const root = merkleRoot(own);
    assert.deepEqual(frontier.root(), root);
    const tree = new MerkleTree(own);
    assert.deepEqual(tree.root, root);
    for (const [at, leaf] of own.entries()) {
      const path = tree.path(at);
      assert.deepEqual(rootOfPath(leaf, at, size, path), root);
      if (size > 1) assert.notDeepEqual(rootOfPath(leaf, (at + 1) % size, size, path), root);
      assert.equal(rootOfPath(leaf, at, size, [...path, leaf]), undefined);
    }
  }
});

test('one exchange is proven by its own frame, hashes and a signed line; nothing of its neighbours is in the proof', async () => {
  const disk = new FakeFileSystem();
  const { open, key } = archiveOn(disk);
  const archive = open();
  for (let number = 1; number <= 9; number += 1) await archive.archive([exchangeOf(number)]);
  await archive.close();
  const exchange = exchangeOf(4);
  const proof = await proofOf(directory, disk, exchange.exchangeId, () => key.publicKey);
  assert.ok(proof !== null);
  const text = JSON.stringify(proof);
  const checked = checkProof(text, key.publicKey);
  assert.equal(checked.kind, 'proven');
  for (const other of [3, 5]) assert.ok(!text.includes(exchangeOf(other).exchangeId));
  assert.equal(await proofOf(directory, disk, exchangeOf(77).exchangeId, () => key.publicKey), null);

  const refuted = (change: object, publicKey = key.publicKey) =>
    checkProof(JSON.stringify({ ...proof, ...change }), publicKey).kind === 'refuted';
  assert.ok(refuted({ exchangeId: exchangeOf(5).exchangeId }));
  const frame = Buffer.from(proof.frame, 'base64');
  frame.writeUInt8(frame.readUInt8(frame.length - 1) ^ 1, frame.length - 1);
  assert.ok(refuted({ frame: frame.toString('base64') }));
  assert.ok(refuted({ path: proof.path.slice(1) }));
  assert.ok(refuted({ checkpoint: proof.checkpoint.replace('"frames":', '"frames": ') }));
  assert.ok(refuted({}, newSigningKey().publicKey));
});
