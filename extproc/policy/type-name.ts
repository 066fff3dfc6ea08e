/** Names of types in policy documents: the built-in ones, and those that an operator's own detectors give. */
import { z } from 'zod';
import { type DetectorList, knownTypesOf, noDetectors, ownTypeForm } from '../masking/detector-list.ts';
import type { FindingType } from '../masking/finding.ts';

/** Any of them, where nobody knows which there are. */
export const typeName = z.string().regex(ownTypeForm) as unknown as z.ZodType<FindingType>;

/** What a type is called in a document; `hashed` are those whose tokens can carry a hash. */
export type TypeNames = { all: readonly FindingType[]; hashed: readonly FindingType[] };

/** `DEEP` is a limit of the masker and no kind of value. */
export function typeNamesWith(detectors: DetectorList): TypeNames {
  const { all, hashed } = knownTypesOf(detectors);
  return { all: all.filter((type) => type !== 'DEEP'), hashed };
}

export const builtInTypeNames: TypeNames = typeNamesWith(noDetectors);
