import assert from 'node:assert/strict';
import { test } from 'node:test';
import { JournalMarks } from '../../../extproc/archive/marks.ts';

const at = (offset: number) => ({ journal: 1, segment: 1, offset });
const idAt = (offset: number) => `exchange-${offset}`;
const markAt = (offset: number) => ({ ...at(offset), exchangeId: idAt(offset) });
const findEnd = async ({ offset }: { offset: number }) => idAt(offset);

test('what a failed batch left on disk is marked once all before it is on disk, too', async () => {
  const marks = new JournalMarks();
  marks.addCandidate(markAt(10));
  marks.addRecent(idAt(12));
  assert.equal(await marks.has(at(11), idAt(11), findEnd), false);
  marks.written(markAt(11));
  assert.equal(await marks.has(at(12), idAt(12), findEnd), true);
  assert.deepEqual(marks.list(), [markAt(10)]);
  marks.synced();
  assert.deepEqual(marks.list(), [markAt(12)]);
});

test('what is found behind the last mark is marked at once, and what is found before it takes nothing back', async () => {
  const marks = new JournalMarks();
  marks.addCandidate(markAt(10));
  marks.addRecent(idAt(9));
  marks.addRecent(idAt(11));
  assert.equal(await marks.has(at(9), idAt(9), findEnd), true);
  assert.deepEqual(marks.list(), [markAt(10)]);
  assert.equal(await marks.has(at(11), idAt(11), findEnd), true);
  assert.deepEqual(marks.list(), [markAt(11)]);
});
