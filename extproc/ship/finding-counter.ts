import { type FindingType, findingTypes } from '../masking/finding.ts';
import type { FindingTotals } from './protocol.ts';

/** Adds up what stands masked in the index. Types are a closed set: what is none is counted under no name (inv. 10). */
export class FindingCounter {
  readonly #totals = Object.fromEntries(findingTypes.map((type) => [type, 0])) as Record<FindingType, number>;

  add(type: string, count: number): void {
    const known = findingTypes.find((name) => name === type);
    if (known !== undefined) this.#totals[known] += count;
  }

  totals(): FindingTotals {
    return { ...this.#totals };
  }
}
