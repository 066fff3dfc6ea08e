import assert from 'node:assert/strict';
import { test } from 'node:test';
import { reducedDocument } from '../../extproc/transcript/reduced-document.ts';
import { documentOf } from '../builders/document.ts';
import { deliverAll, type IndexKind, idsFor } from './index-under-test.ts';

const inClass = (retentionClass: string) => ({ skilltape: { retention_class: retentionClass } });
const first = { retentionClass: 'standard', day: '2026-01-15' };
const issuer = 'https://login.example.org';
const later = new Date('2026-02-01');

/** How what is too old, or of a person who is erased, leaves an index. */
export function testRetention(kind: IndexKind): void {
  const { name } = kind;

  test(`${name}: days are told by class, with what of them has content`, async (t) => {
    const index = await kind.open(t);
    await deliverAll(index, [
      documentOf({ id: 'one', time: '2026-01-15T00:00:00.000Z' }),
      documentOf({ id: 'two', time: '2026-01-15T23:59:59.999Z', skilltape: { keep: 'metadata' } }),
      documentOf({ id: 'three', time: '2026-01-16T00:00:00.000Z' }),
      documentOf({ id: 'four', ...inClass('long-term') }),
    ]);
    const days = await index.retention.days();
    assert.deepEqual(
      days
        .map(({ retentionClass, day, documents, withContent }) => [retentionClass, day, documents, withContent])
        .sort(),
      [
        ['long-term', '2026-01-15', 1, 1],
        ['standard', '2026-01-15', 2, 1],
        ['standard', '2026-01-16', 1, 1],
      ],
    );
  });

  test(`${name}: a reduced day has its metadata and no text, in no search; its neighbours are as they were`, async (t) => {
    const index = await kind.open(t);
    const ids = Array.from({ length: 230 }, (_, at) => `one-${at}`);
    const own = ids.map((id) => documentOf({ id, input: 'zebra in stripes' }));
    const others = [
      documentOf({ id: 'next-day', input: 'zebra', time: '2026-01-16T10:00:00.000Z' }),
      documentOf({ id: 'other-class', input: 'zebra', ...inClass('long') }),
    ];
    await deliverAll(index, [...own, ...others]);
    const sums = await index.reader.usage({ by: ['user'] });
    assert.equal(await index.retention.reduce(first), 230);
    assert.equal(await index.retention.reduce(first), 0, 'what is done is found done');
    await index.settle();
    assert.deepEqual((await idsFor(index, { text: 'zebra' })).toSorted(), ['next-day', 'other-class']);
    for (const document of own.slice(0, 3))
      assert.deepEqual(await index.reader.get(document.event.id), reducedDocument(document));
    for (const document of others) assert.deepEqual(await index.reader.get(document.event.id), document);
    assert.deepEqual(await index.reader.usage({ by: ['user'] }), sums, 'what was used is counted as before');
    const days = await index.retention.days();
    assert.deepEqual(days.map(({ withContent }) => withContent).toSorted(), [0, 1, 1]);
  });

  test(`${name}: a deleted day is gone, and nothing else`, async (t) => {
    const index = await kind.open(t);
    await deliverAll(index, [
      documentOf({ id: 'one', input: 'zebra' }),
      documentOf({ id: 'next-day', input: 'zebra', time: '2026-01-16T10:00:00.000Z' }),
      documentOf({ id: 'other-class', input: 'zebra', ...inClass('long') }),
    ]);
    assert.equal(await index.retention.remove(first), 1);
    assert.equal(await index.retention.remove(first), 0);
    await index.settle();
    assert.equal(await index.reader.get('one'), null);
    assert.deepEqual((await idsFor(index, { text: 'zebra' })).toSorted(), ['next-day', 'other-class']);
    assert.deepEqual(
      (await index.retention.days()).map(({ retentionClass, day }) => `${retentionClass} ${day}`).sort(),
      ['long 2026-01-15', 'standard 2026-01-16'],
    );
  });

  test(`${name}: the documents of a person go under each of their names, and nobody else's`, async (t) => {
    const index = await kind.open(t);
    const many = Array.from({ length: 130 }, (_, at) =>
      documentOf({ id: `own-${at}`, user: { id: 'u-ada', domain: issuer } }),
    );
    await deliverAll(index, [
      ...many,
      documentOf({ id: 'pseudonym', user: { id: 'p-1', domain: issuer, name: '', email: '' } }),
      documentOf({ id: 'capitals', user: { id: 'U-ADA', domain: issuer } }),
      documentOf({ id: 'other-issuer', user: { id: 'u-ada', domain: 'https://other.example' } }),
      documentOf({ id: 'nobody', user: null }),
      documentOf({ id: 'later', user: { id: 'u-ada', domain: issuer }, time: '2026-02-01T00:00:00.000Z' }),
    ]);
    assert.equal(await index.retention.removePerson({ issuer, ids: ['u-ada', 'p-1'] }, later), 131);
    assert.equal(await index.retention.removePerson({ issuer, ids: ['u-ada', 'p-1'] }, later), 0);
    await index.settle();
    assert.deepEqual((await idsFor(index, {})).toSorted(), ['capitals', 'later', 'nobody', 'other-issuer']);
  });

  test(`${name}: what a hold names is found by class and day, all of it together`, async (t) => {
    const index = await kind.open(t);
    await deliverAll(index, [
      documentOf({ id: 'one', session: 's-1', connection: 'claude', user: { id: 'u-ada', domain: issuer } }),
      documentOf({ id: 'two', session: 's-2', connection: 'claude', time: '2026-01-16T10:00:00.000Z', user: null }),
      documentOf({ id: 'three', session: 's-1', connection: 'sandbox', ...inClass('long') }),
    ]);
    const found = async (matching: Parameters<typeof index.retention.daysWith>[0]) =>
      (await index.retention.daysWith(matching)).map(({ retentionClass, day }) => `${retentionClass} ${day}`).sort();
    assert.deepEqual(await found({ session: 's-1' }), ['long 2026-01-15', 'standard 2026-01-15']);
    assert.deepEqual(await found({ session: 's-1', connection: 'claude' }), ['standard 2026-01-15']);
    assert.deepEqual(await found({ person: { issuer, ids: ['u-ada', 'p-1'] } }), ['standard 2026-01-15']);
    assert.deepEqual(await found({ from: new Date('2026-01-16T10:00:00Z') }), ['standard 2026-01-16']);
    assert.deepEqual(await found({ connection: 'claude', to: new Date('2026-01-16T10:00:00Z') }), [
      'standard 2026-01-15',
    ]);
    assert.deepEqual(await found({ connection: 'nowhere' }), []);
  });

  test(`${name}: what a hold covers stays as it is when its day is reduced, and when it is deleted`, async (t) => {
    const index = await kind.open(t);
    const held = [
      documentOf({ id: 'person', input: 'zebra', session: 's-2', user: { id: 'u-ada', domain: issuer } }),
      documentOf({ id: 'session', input: 'zebra', session: 's-1', user: null }),
    ];
    const others = Array.from({ length: 120 }, (_, at) =>
      documentOf({
        id: `other-${at}`,
        input: 'zebra',
        session: 's-2',
        user: at % 2 === 0 ? null : { id: 'u-eve', domain: issuer },
      }),
    );
    await deliverAll(index, [...held, ...others]);
    const any = [{ person: { issuer, ids: ['u-ada', 'p-1'] } }, { session: 's-1' }];
    const counted = async () =>
      (await index.retention.matchingDays(any)).map(({ day, documents, withContent }) => [day, documents, withContent]);
    assert.deepEqual(await counted(), [['2026-01-15', 2, 2]]);
    assert.deepEqual(await index.retention.matchingDays([]), []);
    const ids = ['person', 'session', 'other-0', 'other-119', 'nobody-knows'];
    assert.deepEqual([...(await index.retention.unmatched(ids, any))].sort(), ['other-0', 'other-119']);
    const began = { from: new Date('2026-01-15'), to: new Date('2026-01-16') };
    const free = async (sessions: string[], matching: Parameters<typeof index.retention.unmatchedSessions>[1]) =>
      [...(await index.retention.unmatchedSessions(sessions, matching, began))].sort();
    assert.deepEqual(await free(['s-1', 's-2', 's-3'], [{ session: 's-1' }]), ['s-2']);
    assert.deepEqual(await free(['s-1', 's-2'], any), []);
    assert.deepEqual(await free(['s-1', 's-2'], [{ person: { issuer, ids: ['u-ada'] } }]), ['s-1']);
    const next = { from: began.to, to: later };
    assert.deepEqual([...(await index.retention.unmatchedSessions(['s-1'], [], next))], []);
    assert.deepEqual([...(await index.retention.unmatched(ids, []))].sort(), [
      'other-0',
      'other-119',
      'person',
      'session',
    ]);
    assert.equal(await index.retention.reduce(first, any), 120);
    await index.settle();
    assert.deepEqual((await idsFor(index, { text: 'zebra' })).toSorted(), ['person', 'session']);
    assert.deepEqual(await index.reader.get('person'), held[0]);
    assert.equal(await index.retention.remove(first, any), 120);
    assert.equal(await index.retention.remove(first, any), 0);
    await index.settle();
    assert.deepEqual((await idsFor(index, {})).toSorted(), ['person', 'session']);
    assert.equal(await index.retention.remove(first, [{ session: 's-9' }]), 2);
  });
}
