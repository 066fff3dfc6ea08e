import { assignmentDetector } from './assignment.ts';
import { base64Runs, decodedText } from './base64.ts';
import { birthDateDetector } from './birth-date.ts';
import { type Detector, newScanBudget, type ScanBudget, type ScanInput } from './detector.ts';
import { emailDetector } from './email.ts';
import type { Candidate, Finding, FindingType } from './finding.ts';
import { ipv6Detector } from './ip.ts';
import { jwtDetector } from './jwt.ts';
import { letteredIdDetector } from './lettered-id.ts';
import { macDetector } from './mac.ts';
import { normalisedParts } from './normalise.ts';
import { numbersDetector } from './numbers.ts';
import { resolveOverlaps } from './overlap.ts';
import { pemDetector } from './pem.ts';
import { secretDetector } from './secret.ts';
import { urlDetector } from './url.ts';
import { urlPasswordDetector } from './url-password.ts';
import { vendorValueDetector } from './vendor-value.ts';
import { walletDetector } from './wallet.ts';

/** To add a kind of finding: write a detector, add it here; to add a vendor token: a line in a rule table is enough. */
export const detectors: readonly Detector[] = [
  secretDetector,
  vendorValueDetector,
  jwtDetector,
  pemDetector,
  urlPasswordDetector,
  assignmentDetector,
  emailDetector,
  numbersDetector,
  ipv6Detector,
  letteredIdDetector,
  birthDateDetector,
  macDetector,
  walletDetector,
];

/** Those that records are masked with, and those that only who asks for them wants: a transcript without URLs says little. */
const allDetectors: readonly Detector[] = [...detectors, urlDetector];

/** `1.1.1.1` and `a@b.co`: nothing shorter can be found. */
const textMin = 6;

function detectWith(used: readonly Detector[], input: ScanInput): Candidate[] {
  const found: Candidate[] = [];
  for (const detector of used) detector.detect(input, found);
  return found;
}

function detectDisguised(used: readonly Detector[], input: ScanInput, found: Candidate[]): void {
  for (const part of normalisedParts(input.text)) {
    for (const candidate of detectWith(used, { ...input, text: part.text })) {
      const start = part.from[candidate.start];
      const end = part.to[candidate.end - 1];
      if (start !== undefined && end !== undefined) found.push({ ...candidate, start, end });
    }
  }
}

function detectBase64(used: readonly Detector[], input: ScanInput, found: Candidate[]): void {
  for (const run of base64Runs(input.text)) {
    const text = decodedText(input.text, run);
    if (text === undefined) continue;
    const [inside] = detectWith(used, { ...input, text }).sort((a, b) => b.score - a.score);
    if (inside !== undefined) found.push({ ...inside, ...run, rule: `base64/${inside.rule}`, rank: 'validated' });
  }
}

function scanWith(used: readonly Detector[], text: string, keyName: string, budget: ScanBudget): Finding[] {
  if (text.length < textMin) return [];
  const input: ScanInput = { text, keyName, budget };
  const found = detectWith(used, input);
  detectDisguised(used, input, found);
  detectBase64(used, input, found);
  return resolveOverlaps(found);
}

/**
 * Finds what must not be readable: in the text as it is, with disguises undone, and inside base64. Sorted, without
 * overlaps. Time is linear in the text (inv. 11). `keyName` is the JSON key the text stands under, if any.
 */
export function scan(text: string, keyName = '', budget = newScanBudget()): Finding[] {
  return scanWith(detectors, text, keyName, budget);
}

/** As `scan`, with the detectors that are off by default as well. */
export function scanEverything(text: string, keyName = '', budget = newScanBudget()): Finding[] {
  return scanWith(allDetectors, text, keyName, budget);
}

/**
 * As `scan`, for some types. What is of another type is left out before overlaps are joined: it must not give its name
 * to what an asked-for type found beside it.
 */
export function scanFor(
  types: ReadonlySet<FindingType>,
): (text: string, keyName: string, budget: ScanBudget) => Finding[] {
  const asked = types.has('URL') ? [...detectors, urlDetector] : detectors;
  const used = asked.map((detector) => onlyOf(types, detector));
  return (text, keyName, budget) => scanWith(used, text, keyName, budget);
}

function onlyOf(types: ReadonlySet<FindingType>, detector: Detector): Detector {
  return {
    ...detector,
    detect(...given) {
      const [, out] = given;
      let kept = out.length;
      const before = kept;
      detector.detect(...given);
      for (const candidate of out.slice(before)) if (types.has(candidate.type)) out[kept++] = candidate;
      out.length = kept;
    },
  };
}
