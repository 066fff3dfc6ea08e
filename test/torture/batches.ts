import type { TortureOptions, TortureReport } from './torture.ts';

/** Does the rounds in batches, each with a seed of its own and whatever it sets up, and adds up what they report. */
export async function inBatches(
  { seed, rounds, progress }: TortureOptions,
  batchRounds: number,
  run: (batch: TortureOptions) => Promise<TortureReport>,
): Promise<TortureReport> {
  const counts: Record<string, number> = {};
  const violations: string[] = [];
  for (let done = 0; done < rounds; done += batchRounds) {
    const batch = { seed: seed + done, rounds: Math.min(batchRounds, rounds - done), progress };
    const report = await run(batch);
    violations.push(...report.violations.map((text) => `seed ${batch.seed}: ${text}`));
    for (const [name, count] of Object.entries(report.counts)) counts[name] = (counts[name] ?? 0) + count;
  }
  return { counts, violations };
}
