import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type SourceMinute, SourceMinutes } from '../../../extproc/coverage/source-minutes.ts';

const minute = 60_000;

class MapStore {
  readonly rows = new Map<string, SourceMinute>();

  sourceMinute(source: string, minuteMs: number): SourceMinute | null {
    return this.rows.get(`${minuteMs} ${source}`) ?? null;
  }

  sourcesIn(minuteMs: number): number {
    return [...this.rows.values()].filter((row) => row.minuteMs === minuteMs).length;
  }

  put(rows: readonly SourceMinute[]): void {
    for (const row of rows) this.rows.set(`${row.minuteMs} ${row.source}`, row);
  }
}

function take(store: MapStore, timesMs: number[], source = 'a', reason = 'bad path', keep = true): boolean[] {
  const minutes = new SourceMinutes(store, { recordsPerMinute: 2, sourcesMax: 3 });
  const taken = timesMs.map((timeMs) => minutes.take({ source, timeMs, reason }));
  if (keep) store.put(minutes.changed());
  return taken;
}

test('the first ones of a source in a minute have records of their own, the rest is counted with first and last', () => {
  const store = new MapStore();
  assert.deepEqual(take(store, [1, 2, 30, 10, 40]), [true, true, false, false, false]);
  assert.deepEqual(take(store, [50]), [false]);
  assert.deepEqual(take(store, [minute]), [true], 'the next minute begins anew');
  const [row] = store.rows.values();
  assert.deepEqual([row?.more, row?.firstMs, row?.lastMs, { ...row?.reasons }], [4, 10, 50, { 'bad path': 4 }]);
});

test('a plan that is not carried out leaves nothing', () => {
  const store = new MapStore();
  take(store, [1, 2, 3], 'a', 'bad path', false);
  assert.equal(store.rows.size, 0);
  take(store, [1, 2, 3]);
  const before = JSON.stringify([...store.rows]);
  take(store, [4, 5], 'a', 'bad path', false);
  assert.equal(JSON.stringify([...store.rows]), before);
});

test('sources beyond the bound share one count and have no records of their own', () => {
  const store = new MapStore();
  for (const source of ['a', 'b', 'c']) assert.deepEqual(take(store, [1], source), [true]);
  for (const source of ['d', 'e']) assert.deepEqual(take(store, [1], source), [false]);
  assert.equal(store.sourceMinute('', 0)?.more, 2);
  assert.equal(store.rows.size, 4);
});

test('reasons are told apart up to a bound, whatever they are called', () => {
  const store = new MapStore();
  const names = ['__proto__', 'constructor', ...Array.from({ length: 20 }, (_, at) => `reason ${at}`)];
  take(store, [1, 2]);
  for (const name of names) take(store, [3], 'a', name);
  const reasons = store.sourceMinute('a', 0)?.reasons ?? {};
  assert.ok(Object.keys(reasons).length <= 9);
  assert.equal(
    Object.values(reasons).reduce((sum, count) => sum + count, 0),
    names.length,
  );
});
