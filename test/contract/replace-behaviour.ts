import assert from 'node:assert/strict';
import { test } from 'node:test';
import { documentOf } from '../builders/document.ts';
import { sampleDocument } from '../builders/sample.ts';
import { deliverAll, type IndexKind, idsFor } from './index-under-test.ts';

const failed = { status: 'failed' as const, reason: 'why', findings: [], readable: [], whole: [], dropped: [] };
const found = { ...failed, status: 'masked' as const, reason: '' };
const findings = (type: string) => ({ ...found, findings: [{ type, place: 'messages', count: 1 }] });

/** How newly masked documents come into the place of those that an index has. */
export function testReplace(kind: IndexKind): void {
  const { name } = kind;

  test(`${name}: a replaced document is found by what it says now, and by nothing that it said before`, async (t) => {
    const index = await kind.open(t);
    const before = documentOf({
      id: 'one',
      input: 'oldword',
      skilltape: { masking: findings('EMAIL'), skill: [{ name: 'old', version: '', source: 'x' }] },
    });
    const other = documentOf({ id: 'two', input: 'oldword' });
    await deliverAll(index, [before, other]);
    const after = documentOf({
      id: 'one',
      input: 'newword',
      skilltape: { masking: findings('SECRET'), skill: [{ name: 'new', version: '', source: 'x' }] },
      usage: { output_tokens: 40 },
    });
    assert.deepEqual(await index.replacer.replace([after]), { kind: 'replaced' });
    await index.settle();
    assert.equal(JSON.stringify(await index.reader.get('one')), JSON.stringify(after));
    assert.equal(JSON.stringify(await index.reader.get('two')), JSON.stringify(other));
    assert.deepEqual(await idsFor(index, { text: 'oldword' }), ['two']);
    assert.deepEqual(await idsFor(index, { text: 'newword' }), ['one']);
    assert.deepEqual(
      [await idsFor(index, { masked: 'EMAIL' }), await idsFor(index, { masked: 'SECRET' })],
      [[], ['one']],
    );
    assert.deepEqual([await idsFor(index, { skill: 'old' }), await idsFor(index, { skill: 'new' })], [[], ['one']]);
    const usage = await index.reader.usage({ by: ['connection'] });
    assert.deepEqual([usage.length, usage[0]?.exchanges], [1, 2], 'it is counted once');
  });

  test(`${name}: what failed to be masked is found by that until it is replaced`, async (t) => {
    const index = await kind.open(t);
    await deliverAll(index, [documentOf({ id: 'one', skilltape: { masking: failed } })]);
    assert.deepEqual(await idsFor(index, { maskingFailed: true }), ['one']);
    await index.replacer.replace([documentOf({ id: 'one' })]);
    await index.settle();
    assert.deepEqual(await idsFor(index, { maskingFailed: true }), []);
    assert.deepEqual(await idsFor(index, {}), ['one']);
  });

  test(`${name}: the same documents again change nothing and say so`, async (t) => {
    const index = await kind.open(t);
    const documents = [sampleDocument({ id: 'one' }), documentOf({ id: 'one.1' }), documentOf({ id: 'one.2' })];
    await deliverAll(index, documents);
    assert.deepEqual(await index.replacer.replace(documents), { kind: 'unchanged' });
    assert.deepEqual(await index.replacer.replace(documents), { kind: 'unchanged' });
  });

  test(`${name}: an exchange that is not in the index, or was deleted, stays out of it`, async (t) => {
    const index = await kind.open(t);
    await deliverAll(index, [documentOf({ id: 'one' }), documentOf({ id: 'two.1' })]);
    assert.deepEqual(
      await index.replacer.replace([documentOf({ id: 'two' }), documentOf({ id: 'two.1', input: 'x' })]),
      {
        kind: 'absent',
      },
    );
    await index.settle();
    assert.equal(await index.reader.get('two'), null);
    assert.equal((await index.reader.get('two.1'))?.gen_ai.input.text, 'What is a tape?');
  });

  test(`${name}: the documents of a batch come and go with their exchange, those of a neighbour stay`, async (t) => {
    const index = await kind.open(t);
    const ids = ['one', 'one.1', 'one.2', 'one.10', 'one-1', 'oneself'];
    await deliverAll(
      index,
      ids.map((id) => documentOf({ id })),
    );
    const wanted = ['one', 'one.1', 'one.3'].map((id) => documentOf({ id, input: `new ${id}` }));
    assert.deepEqual(await index.replacer.replace(wanted), { kind: 'replaced' });
    await index.settle();
    assert.deepEqual((await idsFor(index, {})).toSorted(), ['one', 'one-1', 'one.1', 'one.3', 'oneself']);
    for (const document of wanted)
      assert.equal((await index.reader.get(document.event.id))?.gen_ai.input.text, document.gen_ai.input.text);
    assert.equal((await index.reader.get('one-1'))?.gen_ai.input.text, 'What is a tape?');
  });

  test(`${name}: all that is stored of an exchange is given back, its own first, and nothing of a neighbour`, async (t) => {
    const index = await kind.open(t);
    const documents = ['one.10', 'one.2', 'one', 'one-1', 'oneself', 'two.1'].map((id) => documentOf({ id }));
    await deliverAll(index, documents);
    const stored = await index.replacer.stored('one');
    assert.deepEqual([stored[0]?.event.id, stored.length], ['one', 3]);
    for (const one of stored)
      assert.equal(JSON.stringify(one), JSON.stringify(documents.find(({ event }) => event.id === one.event.id)));
    assert.deepEqual([await index.replacer.stored('two'), await index.replacer.stored('three')], [[], []]);
    assert.deepEqual(await index.replacer.replace(stored), { kind: 'unchanged' });
  });

  test(`${name}: a batch of hundreds is replaced as a whole`, async (t) => {
    const index = await kind.open(t);
    const batch = (input: string) => [
      documentOf({ id: 'one', input }),
      ...Array.from({ length: 250 }, (_, at) => documentOf({ id: `one.${at + 1}`, input })),
    ];
    await deliverAll(index, batch('before'));
    assert.deepEqual(await index.replacer.replace(batch('after')), { kind: 'replaced' });
    await index.settle();
    assert.deepEqual(await idsFor(index, { text: 'before' }), []);
    assert.equal((await idsFor(index, { text: 'after', limit: 1_000 })).length, 251);
  });

  test(`${name}: documents that can never be stored leave what is there as it is`, async (t) => {
    const index = await kind.open(t);
    const stored = [documentOf({ id: 'one' }), documentOf({ id: 'one.1' })];
    await deliverAll(index, stored);
    const { kind: outcome } = await index.replacer.replace([
      documentOf({ id: 'one', input: 'new' }),
      documentOf({ id: 'one.1', time: 'yesterday' }),
    ]);
    assert.equal(outcome, 'rejected');
    await index.settle();
    for (const document of stored)
      assert.equal(JSON.stringify(await index.reader.get(document.event.id)), JSON.stringify(document));
  });

  test(`${name}: what was delivered again after a replacement changes nothing`, async (t) => {
    const index = await kind.open(t);
    await deliverAll(index, [documentOf({ id: 'one', input: 'old' })]);
    await index.replacer.replace([documentOf({ id: 'one', input: 'new' })]);
    assert.deepEqual(await index.sink.deliver([documentOf({ id: 'one', input: 'old' })]), [{ kind: 'duplicate' }]);
    await index.settle();
    assert.equal((await index.reader.get('one'))?.gen_ai.input.text, 'new');
  });
}
