import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { v7 as uuid } from 'uuid';
import { openCountedForReading } from '../../../../extproc/index/sqlite/counted.ts';
import { SqliteMemory } from '../../../../extproc/index/sqlite/memory.ts';
import { temporaryDirectory } from '../../../builders/directory.ts';

const nowMs = Date.parse('2026-02-01T12:00:00Z');
const dayMs = 24 * 60 * 60 * 1_000;
const nothing = { requests: 0, inputTokens: 0, outputTokens: 0, spend: 0, unpricedRequests: 0 };

const use = (msecs: number, person = 'ada', session = 's', spend: number | null = 0.5) => ({
  ...{ exchangeId: uuid({ msecs }), person, session, inputTokens: 10, outputTokens: 2, spend },
});

test('what was used is added up by person and day, and by session, each exchange once', (t) => {
  const file = join(temporaryDirectory(t), 'memory.sqlite');
  const counted = openCountedForReading(file);
  t.after(() => counted.close());
  const end = uuid({ msecs: nowMs + 1 });
  assert.deepEqual(counted.ofPerson('ada', nowMs - dayMs, end), nothing, 'before there is a file');
  const memory = SqliteMemory.open(file, () => new Date(nowMs));
  t.after(() => memory.close());
  const shipped = [
    use(nowMs - dayMs - 1),
    use(nowMs - 2),
    use(nowMs - 1, 'ada', 't', null),
    use(nowMs - 1, 'bob', 'u'),
  ];
  memory.remember([], [], new Map(), shipped);
  memory.remember([], [], new Map(), shipped);
  assert.deepEqual(counted.ofPerson('ada', nowMs - dayMs, end), {
    ...{ requests: 2, inputTokens: 20, outputTokens: 4, spend: 0.5, unpricedRequests: 1 },
  });
  assert.deepEqual(counted.ofSession('s', end).requests, 2);
  assert.deepEqual(counted.ofPerson('ada', nowMs - dayMs, shipped[1]?.exchangeId ?? ''), nothing);
});

test('what was used a month ago is forgotten', (t) => {
  const file = join(temporaryDirectory(t), 'memory.sqlite');
  const memory = SqliteMemory.open(file, () => new Date(nowMs));
  t.after(() => memory.close());
  memory.remember([], [], new Map(), [use(nowMs - 32 * dayMs), use(nowMs - 30 * dayMs)]);
  memory.remember([], [], new Map(), [use(nowMs)]);
  const counted = openCountedForReading(file);
  t.after(() => counted.close());
  assert.equal(counted.ofSession('s', uuid({ msecs: nowMs + 1 })).requests, 2);
});
