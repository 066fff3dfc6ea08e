import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ExchangeDocument, JsonValue } from '../../extproc/transcript/document.ts';
import { documentOf } from '../builders/document.ts';
import { sampleDocument } from '../builders/sample.ts';
import { deliverAll, type IndexKind } from './index-under-test.ts';

/** What every index does with what is delivered to it. */
export function testDelivery(kind: IndexKind): void {
  const { name } = kind;

  test(`${name}: a delivered document comes back as it was, every field of it`, async (t) => {
    const index = await kind.open(t);
    const hostile = JSON.parse(
      '{"__proto__": {"a": 1}, "constructor": 2, "nul": "a\\u0000b", "lone": "\\ud800", "": {"a..b": [[[1.5, null]]]}}',
    ) as JsonValue;
    const documents = [
      sampleDocument({ id: 'sample' }),
      documentOf({ id: 'nobody', user: null, skilltape: { new_messages: [hostile], answer: hostile } }),
    ];
    await deliverAll(index, documents);
    for (const document of documents)
      assert.equal(JSON.stringify(await index.reader.get(document.event.id)), JSON.stringify(document));
    assert.equal(await index.reader.get('somebody'), null);
  });

  test(`${name}: a second delivery of the same id is a duplicate and changes nothing`, async (t) => {
    const index = await kind.open(t);
    await deliverAll(index, [documentOf({ input: 'first' })]);
    const again = await index.sink.deliver([documentOf({ input: 'second' })]);
    assert.deepEqual(again, [{ kind: 'duplicate' }]);
    await index.settle();
    assert.equal((await index.reader.get('exchange-1'))?.gen_ai.input.text, 'first');
    assert.equal((await index.reader.search({ text: 'second' })).hits.length, 0);
    assert.equal((await index.reader.search({})).hits.length, 1);
  });

  test(`${name}: each document of one delivery has its own outcome, in their order`, async (t) => {
    const index = await kind.open(t);
    await deliverAll(index, [documentOf({ id: 'known' })]);
    const deliveries = await index.sink.deliver([
      documentOf({ id: 'a' }),
      documentOf({ id: 'b', time: 'yesterday' }),
      documentOf({ id: 'known' }),
      documentOf({ id: '' }),
      documentOf({ id: 'a' }),
      documentOf({ id: 'x'.repeat(600) }),
      documentOf({ id: 'c' }),
    ]);
    assert.deepEqual(
      deliveries.map((delivery) => delivery.kind),
      ['accepted', 'rejected', 'duplicate', 'rejected', 'duplicate', 'rejected', 'accepted'],
    );
    await index.settle();
    assert.equal((await index.reader.search({})).hits.length, 3);
    assert.deepEqual(await index.sink.deliver([]), []);
  });

  test(`${name}: a document whose parts have the wrong kinds is rejected and stops no other`, async (t) => {
    const index = await kind.open(t);
    const broken = [
      { event: { ...documentOf().event, id: 7 } },
      { '@timestamp': null },
      { user: 'ada' },
      { gen_ai: { ...documentOf().gen_ai, input: { text: null } } },
    ].map((part) => ({ ...documentOf({ id: 'broken' }), ...part }) as unknown as ReturnType<typeof documentOf>);
    const deliveries = await index.sink.deliver([...broken, documentOf({ id: 'whole' })]);
    assert.deepEqual(
      deliveries.map((delivery) => delivery.kind),
      ['rejected', 'rejected', 'rejected', 'rejected', 'accepted'],
    );
  });

  test(`${name}: what was refused is kept up to a limit; the oldest go first, and it is told`, async (t) => {
    let dropped = 0;
    const maxBytes = 100_000;
    const index = await kind.open(t, { maxBytes, onDropped: (count) => (dropped += count) });
    const refused = (id: string, chars: number) => documentOf({ id, time: 'yesterday', input: 'x'.repeat(chars) });
    const ids = Array.from({ length: 40 }, (_, at) => `refused ${at}`);
    for (let at = 0; at < ids.length; at += 4) {
      const documents = ids.slice(at, at + 4).map((id) => refused(id, 8_000));
      for (const { kind } of await index.sink.deliver(documents)) assert.equal(kind, 'rejected');
    }
    const listed = [...index.rejects.each()];
    assert.deepEqual(
      listed.map(({ id }) => id),
      ids.slice(-listed.length),
      'in their order, and the newest of them',
    );
    const bytes = Buffer.byteLength(listed.map(({ document }) => JSON.stringify(document)).join(''));
    assert.ok(bytes <= maxBytes && bytes > maxBytes / 2, `${bytes} bytes`);
    assert.equal(dropped, ids.length - listed.length);
    await index.sink.deliver([refused('larger than the limit', 2 * maxBytes)]);
    assert.deepEqual(
      [...index.rejects.each()].map(({ id }) => id),
      ['larger than the limit'],
    );
    assert.equal(dropped, ids.length);
  });

  test(`${name}: what a caller or an upstream wrote into metadata keeps no document out`, async (t) => {
    const index = await kind.open(t);
    const odd: ExchangeDocument = {
      ...documentOf({ id: 'odd', model: 'm'.repeat(40_000), session: 's'.repeat(40_000) }),
      source: { ip: 'not an address' },
      user_agent: { original: 'u'.repeat(40_000) },
      url: { path: '/\ud800\0' },
    };
    await deliverAll(index, [odd as ReturnType<typeof documentOf>]);
    assert.equal((await index.reader.search({ text: 'tape' })).hits[0]?.id, 'odd');
  });

  test(`${name}: an index into which nothing was written is empty`, async (t) => {
    const { reader } = await kind.open(t);
    assert.deepEqual(await reader.search({ text: 'tape' }), { hits: [], next: null, noiseHidden: 0 });
    assert.deepEqual(await reader.session('s'), { documents: [], isWhole: true });
    assert.deepEqual(await reader.usage({ by: ['user'] }), []);
    assert.equal(await reader.get('exchange-1'), null);
  });
}
