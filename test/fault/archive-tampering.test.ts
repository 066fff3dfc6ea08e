import assert from 'node:assert/strict';
import { test } from 'node:test';
import { manipulations, tampered } from '../torture/archive-tampering.ts';
import { verified, writtenArchive } from '../torture/written-archive.ts';

const seed = Math.floor(Math.random() * 2 ** 31);
const changesOfEach = 5;

test('each change of an archive is found as what it is, where it is', async (t) => {
  t.diagnostic(`seed ${seed}`);
  const written = await writtenArchive(seed);
  for (const name of Object.keys(manipulations)) {
    for (let at = 0; at < changesOfEach; at += 1) assert.equal(await tampered(written, name, seed + at), null);
  }
});

test('nothing is found in an archive that was restarted, killed and lawfully shortened', async () => {
  const written = await writtenArchive(seed);
  for (const outside of [written.outside, '']) {
    const { findings, notes, counts } = await verified({ ...written, outside }, written.files);
    assert.deepEqual(findings, [], `seed ${seed}`);
    assert.deepEqual(new Set(notes.map(({ kind }) => kind)), new Set(['expired']));
    assert.ok(counts.exchanges > 5 && counts.segments > 2 && counts.metadata > 5);
  }
});

test('an archive is clean at every moment of its writing', async () => {
  const written = await writtenArchive(seed);
  for (const files of written.before) {
    const { findings } = await verified({ ...written, outside: '' }, files);
    assert.deepEqual(findings, [], `seed ${seed}`);
  }
});
