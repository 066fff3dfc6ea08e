import type { Gateway } from './model.ts';
import type { Setting } from './setting.ts';

/** `critical`: something can pass unrecorded, unjudged or under a false name. `warning`: it stalls, is cut or cannot be proven. */
export type Severity = 'critical' | 'warning';

/** A fault at one place. `found` and `change` never hold a secret: names and settings only. */
export type Fault = { at: Setting; found: string; change: string };

/**
 * One trap.
 * @property id stable: it stands in reports and in docs/doctor.md
 * @property invariants numbers of what must always hold (SECURITY.md) that it breaks; none: an outage only
 * @property why what was observed, and whom it hurts
 */
export type Rule = {
  id: string;
  severity: Severity;
  invariants: readonly number[];
  title: string;
  why: string;
  find(gateway: Gateway): Fault[];
};
