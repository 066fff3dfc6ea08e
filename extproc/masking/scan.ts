import { assignmentDetector } from './assignment.ts';
import { base64RunMin, base64Runs, decodedText } from './base64.ts';
import { birthDateDetector } from './birth-date.ts';
import { type Detector, newScanBudget, type ScanBudget, type ScanInput } from './detector.ts';
import { emailDetector } from './email.ts';
import { type Candidate, type Finding, type FindingType, findingTypes } from './finding.ts';
import { givenSecretDetector } from './given-secret.ts';
import { ipv6Detector } from './ip.ts';
import { jwtDetector } from './jwt.ts';
import { letteredIdDetector } from './lettered-id.ts';
import type { Place } from './literals.ts';
import { macDetector } from './mac.ts';
import { normalisedParts, originOf } from './normalise.ts';
import { numbersDetector } from './numbers.ts';
import { resolveOverlaps } from './overlap.ts';
import { pemDetector } from './pem.ts';
import { secretDetector } from './secret.ts';
import { secretColumnDetector } from './secret-column.ts';
import { tokensOf } from './token.ts';
import { TriggerFinder, type Triggers } from './trigger.ts';
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
  givenSecretDetector,
  secretColumnDetector,
  emailDetector,
  numbersDetector,
  ipv6Detector,
  letteredIdDetector,
  birthDateDetector,
  macDetector,
  walletDetector,
];

/** Those that only who asks for them wants: a transcript without URLs says little. */
const others: readonly Detector[] = [urlDetector];

/** `1.1.1.1` and `a@b.co`: no built-in detector finds anything shorter. */
const textMin = 6;

const triggerFinder = new TriggerFinder([...detectors, ...others].flatMap(({ literals }) => literals ?? []));
const nowhere: readonly Place[] = [];

/** The detectors with every field, as one shape of object: they are gone through for each of many short texts. */
function asUsed(given: readonly Detector[]) {
  return given.map(({ needs = 0, literals = null, detect }) => ({ needs, literals, detect }));
}

/**
 * `types`: what is of another type is left out before overlaps are joined, so that it does not give its name to what was
 * found beside it; null takes all. `tokens` finds the tokens of `added` detectors, in which nothing is to be found.
 */
type Used = {
  detectors: ReturnType<typeof asUsed>;
  types: ReadonlySet<FindingType> | null;
  textMin: number;
  tokens: RegExp | null;
  /** Short texts in which nothing was found, at most `cleanMax`: every document has the same names of fields. */
  clean: Set<string>;
};

const cleanTextMaxChars = 40;
const cleanMax = 1_024;

function detectWith(used: Used, { text, keyName, budget }: Text): { found: Candidate[]; triggers: Triggers } {
  const triggers = triggerFinder.find(text);
  const { kinds, places } = triggers;
  const input = { text, keyName, budget, triggers };
  const found: Candidate[] = [];
  for (const { needs, literals, detect } of used.detectors) {
    if (needs !== 0 && (kinds & needs) === 0) continue;
    const own = literals === null ? nowhere : (places.get(literals) ?? nowhere);
    // what looks for literals alone has nothing to do without them
    if (literals === null || needs !== 0 || own.length > 0) detect(input, found, own);
  }
  const { types, tokens } = used;
  const wanted = types === null ? found : found.filter(({ type }) => types.has(type));
  return { found: tokens === null ? wanted : outsideTokens(text, wanted, tokens), triggers };
}

/** An operator's pattern may fit the digits of a token, and masking what is masked must change nothing. */
function outsideTokens(text: string, found: Candidate[], tokens: RegExp): Candidate[] {
  if (found.length === 0) return found;
  const places = Array.from(text.matchAll(tokens), ({ index, 0: token }) => ({
    start: index,
    end: index + token.length,
  }));
  if (places.length === 0) return found;
  found.sort((a, b) => a.start - b.start);
  let next = 0;
  return found.filter(({ start, end }) => {
    for (let place = places[next]; place !== undefined && place.end <= start; place = places[next]) next++;
    const place = places[next];
    return place === undefined || start < place.start || end > place.end;
  });
}

type Text = Omit<ScanInput, 'triggers'>;

function detectDisguised(used: Used, input: Text, places: readonly number[], found: Candidate[]): void {
  for (const part of normalisedParts(input.text, places)) {
    for (const candidate of detectWith(used, { ...input, text: part.text }).found) {
      found.push({ ...candidate, ...originOf(part, candidate.start, candidate.end) });
    }
  }
}

function detectBase64(used: Used, input: Text, found: Candidate[]): void {
  for (const run of base64Runs(input.text)) {
    const text = decodedText(input.text, run);
    if (text === undefined) continue;
    const [inside] = detectWith(used, { ...input, text }).found.sort((a, b) => b.score - a.score);
    if (inside !== undefined) found.push({ ...inside, ...run, rule: `base64/${inside.rule}`, rank: 'validated' });
  }
}

function scanWith(used: Used, text: string, keyName: string, budget: ScanBudget): Finding[] {
  if (text.length < used.textMin) return [];
  const isRemembered = keyName === '' && text.length <= cleanTextMaxChars;
  if (isRemembered && used.clean.has(text)) return [];
  const { phoneChecks } = budget;
  const input = { text, keyName, budget };
  const { found, triggers } = detectWith(used, input);
  if (triggers.disguises.length > 0) detectDisguised(used, input, triggers.disguises, found);
  if (text.length >= base64RunMin) detectBase64(used, input, found);
  if (found.length > 0) return resolveOverlaps(found);
  // What took of the budget may be found when it is used up.
  if (isRemembered && budget.phoneChecks === phoneChecks) rememberClean(used.clean, text);
  return [];
}

function rememberClean(clean: Set<string>, text: string): void {
  if (clean.size >= cleanMax) clean.clear();
  clean.add(text);
}

type FullScan = (text: string, keyName?: string, budget?: ScanBudget) => Finding[];

/** Detectors beside the built-in ones, none of which looks for literals, and the own types that they give. */
export type AddedDetectors = { detectors: readonly Detector[]; types: readonly FindingType[] };

/**
 * Finds what must not be readable: in the text as it is, with disguises undone, and inside base64. Sorted, without
 * overlaps. Time is linear in the text (inv. 11). `keyName` is the JSON key the text stands under, if any.
 */
export class Scanner {
  readonly #usual: Used;
  readonly #all: Used;

  constructor(added: AddedDetectors = { detectors: [], types: [] }) {
    const isAdded = added.detectors.length > 0;
    const rest = {
      types: null,
      textMin: isAdded ? 1 : textMin,
      tokens: isAdded ? tokensOf([...findingTypes, ...added.types]) : null,
    };
    this.#usual = { detectors: asUsed([...detectors, ...added.detectors]), ...rest, clean: new Set() };
    this.#all = { detectors: asUsed([...detectors, ...others, ...added.detectors]), ...rest, clean: new Set() };
  }

  /** With the detectors that are on by default. */
  readonly usual: FullScan = (text, keyName = '', budget = newScanBudget()) =>
    scanWith(this.#usual, text, keyName, budget);

  /** With the others as well. */
  readonly everything: FullScan = (text, keyName = '', budget = newScanBudget()) =>
    scanWith(this.#all, text, keyName, budget);

  /** For some types alone. */
  for(types: ReadonlySet<FindingType>): (text: string, keyName: string, budget: ScanBudget) => Finding[] {
    const chosen: Used = { ...(types.has('URL') ? this.#all : this.#usual), types, clean: new Set() };
    return (text, keyName, budget) => scanWith(chosen, text, keyName, budget);
  }
}

/** The detectors of this folder alone. */
export const builtInScanner = new Scanner();
export const scan = builtInScanner.usual;
export const scanEverything = builtInScanner.everything;
