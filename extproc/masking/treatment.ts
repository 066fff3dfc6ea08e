import { type FindingType, findingTypes } from './finding.ts';
import { scan, scanFor } from './scan.ts';
import type { Scan } from './text-masking.ts';

/** How the texts of one call are masked, or those of a part of it. */
export type Treatment = {
  scan: Scan;
  /** Whether values of a type are looked for; the others stay as they are. */
  finds: (type: FindingType) => boolean;
  /** Types whose tokens carry no hash, beside those that never do. */
  plain: ReadonlySet<FindingType>;
  /** What equal values of a type may be linked within, where that is not the scope of the call. */
  scopes: ReadonlyMap<FindingType, string>;
};

/** Off where records are written unless policy asks for it: a transcript without URLs says little. */
const offByDefault: ReadonlySet<FindingType> = new Set(['URL']);

export const usualTypes: ReadonlySet<FindingType> = new Set(findingTypes.filter((type) => !offByDefault.has(type)));

/** All types but those that are off by default, linked within the scope of the call. */
export function usualTreatment(using: Scan = scan): Treatment {
  return { scan: using, finds: () => true, plain: new Set(), scopes: new Map() };
}

/** As the usual one, looking for these types and no others. */
export function treatmentFor(
  types: ReadonlySet<FindingType>,
  { plain, scopes }: Pick<Treatment, 'plain' | 'scopes'>,
): Treatment {
  const isUsual = types.size === usualTypes.size && [...types].every((type) => usualTypes.has(type));
  return { scan: isUsual ? scan : scanFor(types), finds: (type) => types.has(type), plain, scopes };
}
