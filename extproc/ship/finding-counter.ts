import { detectorLimits } from '../masking/detector-list.ts';
import { type FindingType, findingTypes } from '../masking/finding.ts';
import type { FindingTotals } from './protocol.ts';

/** Labels of one figure, over all edits of the list. */
const typesMax = findingTypes.length + 8 * detectorLimits.ownTypesMax;

/**
 * Adds up what stands masked in the index. Types are a closed set, the built-in ones and those of the operator's own
 * detectors: what is none is counted under no name (inv. 10).
 */
export class FindingCounter {
  readonly #totals = new Map<string, number>(findingTypes.map((type) => [type, 0]));

  /** Types of the detectors in force from now on. Those of earlier ones stay, as long as there is room. */
  know(ownTypes: readonly FindingType[]): void {
    for (const type of ownTypes) if (!this.#totals.has(type) && this.#totals.size < typesMax) this.#totals.set(type, 0);
  }

  add(type: string, count: number): void {
    const total = this.#totals.get(type);
    if (total !== undefined) this.#totals.set(type, total + count);
  }

  totals(): FindingTotals {
    return Object.fromEntries(this.#totals);
  }
}
