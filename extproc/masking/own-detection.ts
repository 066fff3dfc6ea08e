import type { Detector } from './detector.ts';
import { type DetectorList, knownTypesOf, ownTypesOf } from './detector-list.ts';
import type { FindingType } from './finding.ts';
import { nameListDetector } from './name-list.ts';
import { ownRulesDetector } from './own-rule.ts';
import { builtInScanner, Scanner } from './scan.ts';

/**
 * What an operator's detectors make of the engine: what scans, and their types, of which `plain` have no hash.
 * `detectors` are those beside the built-in ones.
 */
export type OwnDetection = {
  scanner: Scanner;
  detectors: readonly Detector[];
  types: readonly FindingType[];
  plain: ReadonlySet<FindingType>;
};

export const builtInDetection: OwnDetection = { scanner: builtInScanner, detectors: [], types: [], plain: new Set() };

/** `list` was checked (`own-faults.ts`). */
export function detectionOf(list: DetectorList): OwnDetection {
  const detectors = ownDetectors(list);
  if (detectors.length === 0) return builtInDetection;
  const types = ownTypesOf(list);
  const { hashed } = knownTypesOf(list);
  const plain = new Set(types.filter((type) => !hashed.includes(type)));
  return { scanner: new Scanner({ detectors, types }), detectors, types, plain };
}

/** With one more, which knows of a single exchange; it looks for no literals and gives built-in types. */
export function withDetector(detection: OwnDetection, detector: Detector): OwnDetection {
  const detectors = [...detection.detectors, detector];
  return { ...detection, detectors, scanner: new Scanner({ detectors, types: detection.types }) };
}

function ownDetectors({ rules, names }: DetectorList): Detector[] {
  const listed = nameListDetector(names);
  return [...(rules.length === 0 ? [] : [ownRulesDetector(rules)]), ...(listed === null ? [] : [listed])];
}

/** The detection by the list in force; made anew where an edit changed the list, which may take some 100 ms. */
export class DetectionInForce {
  #list = '';
  #current = builtInDetection;

  get current(): OwnDetection {
    return this.#current;
  }

  use(list: DetectorList): void {
    const text = JSON.stringify(list);
    if (text === this.#list) return;
    this.#current = detectionOf(list);
    this.#list = text;
  }
}
