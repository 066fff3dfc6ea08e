import type { Registry } from 'prom-client';
import { instrumentsOf } from './instruments.ts';

/** Only in a primary: one that is frozen or dead has no figures of its own. */
export function workerMetrics(registry: Registry, states: () => readonly { state: string; restarts: number }[]): void {
  const { gauge } = instrumentsOf(registry);
  gauge('skilltape_workers', 'Worker processes as configured.', () => states().length);
  gauge('skilltape_workers_recording', 'Worker processes that take streams and answer.', () => {
    return states().filter(({ state }) => state === 'recording').length;
  });
}
