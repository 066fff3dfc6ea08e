import { type FindingType, findingTypes } from '../masking/finding.ts';
import type { FindingTotals } from './protocol.ts';

/**
 * Adds up what stands masked in the index. Types are a closed set, the built-in ones and those of the operator's own
 * detectors: what is none is counted under no name (inv. 10).
 */
export class FindingCounter {
  readonly #totals: Map<string, number>;

  constructor(ownTypes: readonly FindingType[] = []) {
    this.#totals = new Map([...findingTypes, ...ownTypes].map((type) => [type, 0]));
  }

  add(type: string, count: number): void {
    const total = this.#totals.get(type);
    if (total !== undefined) this.#totals.set(type, total + count);
  }

  totals(): FindingTotals {
    return Object.fromEntries(this.#totals);
  }
}
