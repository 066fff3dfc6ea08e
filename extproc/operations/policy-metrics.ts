import { Counter, type Registry } from 'prom-client';
import { instrumentsOf } from './instruments.ts';

/** What came of a change of the policy files. */
export const editResults = ['in_force', 'unchanged', 'refused'] as const;
export type EditResult = (typeof editResults)[number];

export type PolicyMetrics = { count(result: EditResult): void; inForceSince(ms: number): void };

/** Only in the process that follows the policy files. */
export function policyMetrics(registry: Registry): PolicyMetrics {
  const edits = new Counter({
    name: 'skilltape_policy_edits_total',
    help: 'Changes of the policy files by what came of them.',
    labelNames: ['result'],
    registers: [registry],
  });
  for (const result of editResults) edits.inc({ result }, 0);
  let sinceSeconds = Number.NaN;
  instrumentsOf(registry).gauge(
    'skilltape_policy_in_force_since_seconds',
    'When the policy came in force here, in seconds since the epoch.',
    () => sinceSeconds,
  );
  return {
    count: (result) => edits.inc({ result }),
    inForceSince(ms) {
      sinceSeconds = ms / 1_000;
    },
  };
}
