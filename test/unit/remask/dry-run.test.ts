import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SqliteMemory } from '../../../extproc/index/sqlite/memory.ts';
import { indexFile } from '../../../extproc/index/sqlite/schema.ts';
import { dryRun } from '../../../extproc/remask/dry-run.ts';
import { masker } from '../transcript/example.ts';
import { always, Recorded } from './recorded.ts';

test('a dry run counts by type, rule and place, and says how the index differs, without a value', async (t) => {
  const recorded = await Recorded.open(t);
  await recorded.write('mail ada@example.org and bob@example.org, card 4111 1111 1111 1111');
  await recorded.write('mail eve@example.org');
  // An engine that knew no cards.
  await recorded.ship({
    masker: {
      json: (value, options) => {
        const { value: masked, findings, isCut } = masker.json(value, options);
        return { value: masked, findings: findings.filter(({ type }) => type !== 'CARD'), isCut };
      },
    },
  });
  const before = await recorded.indexed();
  const { masker: _masker, replace: _replace, memory: _memory, ...parts } = recorded.remasking(t);
  const memory = SqliteMemory.openForReading(indexFile(recorded.directory));
  t.after(() => memory.close());
  const result = await dryRun(always, { ...parts, memory, masker });
  assert.deepEqual(result, {
    ...{ exchanges: 2, notIndexed: 0, failed: {}, changed: 1 },
    byRule: [
      { type: 'EMAIL', rule: 'email', place: 'messages', would: 3 },
      { type: 'CARD', rule: 'card', place: 'messages', would: 1 },
    ],
    byPlace: [
      { type: 'EMAIL', place: 'messages', indexed: 3, would: 3 },
      { type: 'CARD', place: 'messages', indexed: 0, would: 1 },
    ],
  });
  assert.doesNotMatch(JSON.stringify(result), /@example|4111/);
  assert.deepEqual(await recorded.indexed(), before);
});

test('what could not be masked is counted by its reason, and what the index does not have is counted too', async (t) => {
  const recorded = await Recorded.open(t);
  await recorded.write('shipped');
  await recorded.ship();
  await recorded.write('not shipped, mail ada@example.org');
  await recorded.write('poison');
  const { masker: _masker, ...parts } = recorded.remasking(t);
  const failing: typeof masker.json = (value, options) => {
    if (JSON.stringify(value).includes('poison')) throw new RangeError('poison');
    return masker.json(value, options);
  };
  const result = await dryRun(always, { ...parts, masker: { json: failing } });
  assert.deepEqual(
    { ...result, byRule: result.byRule.length, byPlace: [] },
    { exchanges: 3, notIndexed: 2, failed: { RangeError: 1 }, changed: 0, byRule: 1, byPlace: [] },
  );
});
