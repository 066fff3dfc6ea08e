import fc from 'fast-check';
import { JournalRun, journalActions } from '../model/journal-model.ts';
import type { Torture } from './torture.ts';

/** `test/model/journal.test.ts` for longer, with longer lists. */
export const journalModel: Torture = {
  name: 'journal-model',
  description: 'lists of appends, syncs, faults, kills and power failures against a plain list; a round is one list',
  roundsDefault: 20_000,
  async run({ seed, rounds }) {
    let actions = 0;
    const property = fc.asyncProperty(fc.constantFrom(512, 4096), journalActions, async (segmentMaxBytes, list) => {
      const run = await JournalRun.begin(segmentMaxBytes);
      for (const action of list) await run.do(action);
      await run.do({ kind: 'read', share: 0 });
      actions += list.length;
    });
    const details = await fc.check(property, { seed, numRuns: rounds });
    const violations = details.failed ? [fc.defaultReportMessage(details) ?? 'failed'] : [];
    return { counts: { lists: details.numRuns, actions }, violations };
  },
};
