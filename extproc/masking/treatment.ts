import { type FindingType, findingTypes } from './finding.ts';
import { builtInDetection, type OwnDetection } from './own-detection.ts';
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
export function usualTreatment(detection: OwnDetection = builtInDetection): Treatment {
  return { scan: detection.scanner.usual, finds: () => true, plain: detection.plain, scopes: new Map() };
}

/** As the usual one, looking for these types and no others. */
export function treatmentFor(
  types: ReadonlySet<FindingType>,
  { plain, scopes }: Pick<Treatment, 'plain' | 'scopes'>,
  detection: OwnDetection = builtInDetection,
): Treatment {
  const { scanner } = detection;
  const usual = usualTypesWith(detection);
  const isUsual = types.size === usual.size && [...types].every((type) => usual.has(type));
  return {
    scan: isUsual ? scanner.usual : scanner.for(types),
    finds: (type) => types.has(type),
    plain: detection.plain.size === 0 ? plain : new Set([...plain, ...detection.plain]),
    scopes,
  };
}

/** The types that are on by default, own ones among them. */
export function usualTypesWith({ types }: OwnDetection): ReadonlySet<FindingType> {
  return types.length === 0 ? usualTypes : new Set([...usualTypes, ...types]);
}
