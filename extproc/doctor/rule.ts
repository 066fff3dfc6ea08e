import type { Gateway } from './model.ts';
import type { Setting } from './setting.ts';

/**
 * `critical`: something can pass unrecorded, unjudged or under a false name, or nothing passes at all. `warning`: traffic
 * stalls, is cut or cannot be proven. `note`: a choice that one should know of; it is no trap.
 */
export type Severity = 'critical' | 'warning' | 'note';

/** A trap that was found, with its place in the file. */
export type Finding = {
  id: string;
  severity: Severity;
  invariants: readonly number[];
  title: string;
  file: string;
  line: number;
  /** Dotted, with positions in brackets; empty for the file as a whole. */
  path: string;
  found: string;
  why: string;
  change: string;
};

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
