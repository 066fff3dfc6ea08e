import type { Candidate } from './finding.ts';
import type { Literals, Place } from './literals.ts';
import { Tables } from './table.ts';
import type { Triggers } from './trigger.ts';

/** What is left of the costly checks; one budget serves a whole `Masker` call, so many small strings cannot multiply it. */
export type ScanBudget = { phoneChecks: number };

export function newScanBudget(): ScanBudget {
  return { phoneChecks: 1024 };
}

/** `keyName` is the JSON key the text stands under, or empty; it is context for the text. */
export type ScanInput = {
  text: string;
  keyName: string;
  budget: ScanBudget;
  triggers: Triggers;
  /** Read when a number asks for it. */
  tables?: Tables;
};

export function tablesOf(input: ScanInput): Tables {
  input.tables ??= new Tables(input.text);
  return input.tables;
}

/** The name of the column that holds the character at `at`, where that is in a table. */
export function columnAt(input: ScanInput, at: number): string {
  return tablesOf(input).nameAt(at);
}

/**
 * One kind of finding. Must take time linear in the text, whatever the text holds (inv. 11). A detector that `needs` kinds
 * of characters (`charKind`) is not asked about a text that has none of them; one that looks for `literals` is given their
 * places, in order.
 */
export type Detector = {
  id: string;
  needs?: number;
  literals?: Literals;
  detect: (input: ScanInput, out: Candidate[], places: readonly Place[]) => void;
};
