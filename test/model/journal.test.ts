import { test } from 'node:test';
import fc from 'fast-check';
import { JournalRun, journalActions } from './journal-model.ts';

test('any list of actions leaves the journal with what a plain list would hold', async () => {
  const seed = Number(process.env.FC_SEED ?? Date.now() % 2 ** 31);
  console.log(`fast-check seed ${seed} (set FC_SEED to repeat)`);
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(512, 4096), journalActions, async (segmentMaxBytes, list) => {
      const run = await JournalRun.begin(segmentMaxBytes);
      for (const action of list) await run.do(action);
      await run.do({ kind: 'read', share: 0 });
    }),
    { seed, numRuns: Number(process.env.FC_RUNS ?? 150) },
  );
});
