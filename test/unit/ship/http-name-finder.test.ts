import assert from 'node:assert/strict';
import { test } from 'node:test';
import { httpNameFinder, questionsOf } from '../../../extproc/ship/http-name-finder.ts';
import { type NameFinderFault, startFakeNameFinder } from '../../fakes/name-finder.ts';

const options = { timeoutMs: 30_000, requestMaxChars: 2_000 };

test('names come back with their types, of long texts by questions of bounded size', async (t) => {
  const fake = await startFakeNameFinder({ NAME: ['Ada Lovelace'], PROJECT: ['Falcon'] });
  t.after(() => fake.close());
  const finder = httpNameFinder({ ...options, url: fake.url });
  const long = `${'x y '.repeat(498)} Ada Lovelace ${'z '.repeat(1_000)}Falcon`;
  const found = await finder.find(['short', long, 'short too']);
  assert.deepEqual(
    new Set(found.map(({ value, type }) => `${type} ${value}`)),
    new Set(['NAME Ada Lovelace', 'PROJECT Falcon']),
  );
  assert.ok(fake.asked.length > 2);
  for (const texts of fake.asked) assert.ok(texts.join('').length <= 2_000);
  assert.deepEqual(await finder.find([]), []);
});

test('no character is left out of the questions, and what stands at a cut is whole in one of them', () => {
  const text = Array.from({ length: 5_000 }, (_, at) => String.fromCodePoint(0x4e00 + at)).join('');
  const asked = [...questionsOf([text, 'end'], 1_000)].flat();
  for (let at = 0; at + 200 <= text.length; at += 50) {
    const part = text.slice(at, at + 200);
    assert.ok(
      asked.some((piece) => piece.includes(part)),
      String(at),
    );
  }
  assert.ok(asked.includes('end'));
});

const faults: readonly [NameFinderFault, RegExp][] = [
  ['status', /it answered with status 503/],
  ['closed', /it could not be reached/],
  ['no_json', /its answer is not/],
  ['other_shape', /its answer is not/],
  ['made_up', /named something that was not asked about/],
  ['endless', /larger than 1048576 bytes/],
  ['moved', /could not be reached/],
];

for (const [fault, why] of faults) {
  test(`a finder that fails with "${fault}" says nothing that could be taken for an answer, nor of the texts`, async (t) => {
    const fake = await startFakeNameFinder({ NAME: ['Ada'] });
    t.after(() => fake.close());
    fake.fault = fault;
    const refused = await httpNameFinder({ ...options, url: fake.url })
      .find(['Ada wrote hunter2'])
      .then(
        () => assert.fail('it answered'),
        (thrown: unknown) => thrown,
      );
    assert.ok(refused instanceof Error && 'code' in refused && refused.code === 'masking_failed');
    assert.match(refused.message, why);
    assert.doesNotMatch(refused.message, /Ada|hunter2/);
  });
}

test('a finder that says nothing is given up after its time', async (t) => {
  const fake = await startFakeNameFinder({});
  t.after(() => fake.close());
  fake.fault = 'silent';
  const finder = httpNameFinder({ ...options, timeoutMs: 50, url: fake.url });
  await assert.rejects(finder.find(['text']), {
    code: 'masking_failed',
    message: /took too long \(masking\.names\.timeoutMs\)/,
  });
});
