import assert from 'node:assert/strict';
import { test } from 'node:test';
import { JournalMarks } from '../../../extproc/archive/marks.ts';

const at = (offset: number) => ({ journal: 1, segment: 1, offset });
const idAt = (offset: number) => `exchange-${offset}`;
const markAt = (offset: number) => ({ ...at(offset), exchangeId: idAt(offset) });
const findEnd = async ({ offset }: { offset: number }) => idAt(offset);
const segment = (sequence: number) => ({ retentionClass: 'standard', sequence });

test('what a failed batch left on disk is marked once all before it is on disk, too', async () => {
  const marks = new JournalMarks();
  marks.addCandidate(markAt(10));
  marks.addRecent(markAt(12), segment(3));
  assert.equal(await marks.has(at(11), idAt(11), findEnd), false);
  marks.written(markAt(11), segment(5));
  assert.equal(await marks.has(at(12), idAt(12), findEnd), true);
  assert.deepEqual(marks.forHeader(segment(6)), { journals: [markAt(10)], uncoveredFrom: 3 });
  marks.synced();
  assert.deepEqual(marks.forHeader(segment(7)), { journals: [markAt(12)], uncoveredFrom: 7 });
});

test('what is found behind the last mark is marked at once, and what is found before it takes nothing back', async () => {
  const marks = new JournalMarks();
  marks.addCandidate(markAt(10));
  marks.addRecent(markAt(9), segment(3));
  marks.addRecent(markAt(11), segment(4));
  assert.equal(await marks.has(at(9), idAt(9), findEnd), true);
  assert.deepEqual(marks.forHeader(segment(5)), { journals: [markAt(10)], uncoveredFrom: 4 });
  assert.equal(await marks.has(at(11), idAt(11), findEnd), true);
  assert.deepEqual(marks.forHeader(segment(5)), { journals: [markAt(11)], uncoveredFrom: 5 });
});

test('a journal into which nothing comes any more does not have ever more segments read at a start', () => {
  const marks = new JournalMarks();
  marks.addRecent(markAt(9), segment(3));
  assert.equal(marks.forHeader(segment(10)).uncoveredFrom, 3);
  assert.equal(marks.forHeader(segment(1_000)).uncoveredFrom, 984);
});
