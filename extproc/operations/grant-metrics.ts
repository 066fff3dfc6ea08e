import type { Registry } from 'prom-client';
import { instrumentsOf } from './instruments.ts';
import type { Readiness } from './readiness.ts';

export type LiftedKind = 'access' | 'break_glass';

export type GrantMetrics = {
  /** An exchange was let through by a grant of this kind. */
  letThrough(kind: LiftedKind): void;
};

/** @param inForce how many grants of a kind are in force now */
export function grantMetrics(registry: Registry, inForce: (kind: LiftedKind) => number): GrantMetrics {
  const { counter, gauge } = instrumentsOf(registry);
  const lifted = counter(
    'skilltape_lifted_exchanges_total',
    'Exchanges that a rule would have stopped without a grant, by its kind.',
    ['kind'],
  );
  for (const kind of ['access', 'break_glass'] as const) lifted.inc({ kind }, 0);
  gauge('skilltape_access_grants_in_force', 'Grants of access that are in force now.', () => inForce('access'));
  gauge('skilltape_break_glass_in_force', 'Break-glass that is in force now.', () => inForce('break_glass'));
  return { letThrough: (kind) => lifted.inc({ kind }) };
}

/** Loud, and no reason to take traffic away. */
export function watchBreakGlass(readiness: Readiness, inForce: () => readonly { id: string; untilMs: number }[]): void {
  readiness.watch('break_glass', () => {
    const now = inForce();
    if (now.length === 0) return null;
    const names = now.map(({ id, untilMs }) => `${id} until ${new Date(untilMs).toISOString()}`);
    return { state: 'degraded', reason: `break-glass is in force: ${names.slice(0, 5).join(', ')}` };
  });
}
