import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nodeFileSystem } from '../../../extproc/journal/node-fs.ts';
import { dayMs, namesOf, RetentionRig } from './rig.ts';

const classes = {
  brief: { contentDays: 1, metadataDays: 10 },
  standard: { contentDays: 30, metadataDays: 365 },
  equal: { contentDays: 20, metadataDays: 20 },
};
const names = Object.keys(classes) as (keyof typeof classes)[];
const startMs = Date.UTC(2026, 0, 1);
const days = 370;

const dayOf = (number: number) => new Date(startMs + number * dayMs).toISOString().slice(0, 10);
/** Days of which something is there at the beginning of day `today`, when each is kept so long after its end. */
function expected(today: number, keptDays: number): string[] {
  const first = Math.max(0, today - keptDays);
  return Array.from({ length: Math.max(0, today - first) }, (_, at) => dayOf(first + at));
}

test('a year of three classes, swept daily: each day goes when it is due, in every store, with a receipt', async (t) => {
  const rig = await RetentionRig.open(t, { startMs, fileSystem: nodeFileSystem, classes });
  for (let today = 0; today < days; today += 1) {
    // Until midnight the day before is not over; asked now and then, since it takes as long as a sweep.
    rig.nowMs = startMs + today * dayMs - 1;
    if (today % 5 === 0) assert.deepEqual((await rig.plan()).steps, [], `${dayOf(today)} came early`);
    rig.nowMs += 1;
    await rig.archive.idle();
    const receipt = await rig.sweep();
    assert.deepEqual([receipt.toDo, receipt.kept, receipt.away], [[], [], {}], dayOf(today));
    assert.equal(receipt.number, 2 * (today + 1));
    const gone = names.filter((name) => today > classes[name].metadataDays);
    assert.equal(receipt.sums.metadata?.items ?? 0, gone.length, dayOf(today));
    const stored = await rig.parts.archive.families();
    const [families, metadata] = [namesOf(stored, false), namesOf(stored, true)];
    const indexed = await rig.indexDays();
    const revealed = rig.revealDays();
    for (const name of names) {
      const { contentDays, metadataDays } = classes[name];
      const of = (all: { retentionClass: string; day: string }[]) =>
        all.filter(({ retentionClass }) => retentionClass === name).map(({ day }) => day);
      const content = expected(today, contentDays);
      const at = `${name} at ${dayOf(today)}`;
      assert.deepEqual(
        families.filter((family) => family.startsWith(`${name} `)),
        content.map((day) => `${name} ${day}`),
        at,
      );
      assert.deepEqual(
        metadata.filter((family) => family.startsWith(`${name} `)),
        expected(today, metadataDays).map((day) => `${name} ${day}`),
        at,
      );
      assert.deepEqual(of(indexed), expected(today, metadataDays), at);
      assert.deepEqual(of(indexed.filter(({ withContent }) => withContent > 0)), content, at);
      assert.deepEqual(of(revealed), content, at);
    }
    for (const [at, retentionClass] of names.entries())
      await rig.record({ number: 3 * today + at, atMs: startMs + today * dayMs + dayMs / 2, retentionClass });
  }
  const { findings, notes } = await rig.verify();
  assert.deepEqual(findings, []);
  const expired = notes.filter(({ kind }) => kind === 'expired');
  const [ofMetadata, ofContent] = [true, false].map((is) =>
    expired.filter(({ file }) => file.includes('.metadata/') === is),
  );
  assert.ok((ofContent?.length ?? 0) > 2 * (days - 100));
  assert.ok((ofMetadata?.length ?? 0) > 2 * days - 100);
});
