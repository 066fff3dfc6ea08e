import type { Candidate } from './finding.ts';

/** What is left of the costly checks; one budget serves a whole `Masker` call, so many small strings cannot multiply it. */
export type ScanBudget = { phoneChecks: number };

export function newScanBudget(): ScanBudget {
  return { phoneChecks: 1024 };
}

/** `keyName` is the JSON key the text stands under, or empty; it is context for the text. */
export type ScanInput = { text: string; keyName: string; budget: ScanBudget };

/** One kind of finding. Must take time linear in the text, whatever the text holds (inv. 11). */
export type Detector = { id: string; detect: (input: ScanInput, out: Candidate[]) => void };
