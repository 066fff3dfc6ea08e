import type { Registry } from 'prom-client';
import { instrumentsOf } from './instruments.ts';

/** What the figures need of the receipts of sweeps: seconds since the last whole one, and what the last one left. */
export type SweepState = { ageSeconds(): number; toDo(): number };

/** Whether what is too old goes: of sweeps by the timer and by hand, from what they leave on disk. */
export function retentionMetrics(registry: Registry, state: SweepState): void {
  const { gauge } = instrumentsOf(registry);
  gauge(
    'skilltape_retention_sweep_age_seconds',
    'Since the last sweep that left nothing to do; before the first since the first start.',
    () => state.ageSeconds(),
  );
  gauge('skilltape_retention_to_do', 'Steps, stores and erasures that the last sweep could not do.', () =>
    state.toDo(),
  );
}
