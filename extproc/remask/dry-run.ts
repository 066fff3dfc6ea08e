import type { IndexSearch } from '../index/port.ts';
import { type FindingPlace, type FindingType, findingPlaces, inOrder as inTypeOrder } from '../masking/finding.ts';
import type { Masker } from '../masking/masker.ts';
import type { DocumentMasker } from '../transcript/masked-document.ts';
import { type MaskAgainParts, maskAgain } from './mask-again.ts';
import type { RecordedExchanges, TimeRange } from './recorded-exchanges.ts';

export type DryRunParts = Omit<MaskAgainParts, 'masker'> & {
  masker: Pick<Masker, 'json'>;
  recorded: Pick<RecordedExchanges, 'read'>;
  index: Pick<IndexSearch, 'get'>;
};

/** `would`: found now. By rule, and beside what the index says of the same exchanges, which knows no rules. */
export type RuleCount = { type: FindingType; rule: string; place: FindingPlace; would: number };
export type PlaceCount = { type: string; place: string; indexed: number; would: number };

/**
 * `notIndexed`: of these the index has nothing to compare with. `failed`: by the reason that they could not be masked
 * for, which holds no content. `changed`: exchanges whose findings differ from what the index says.
 */
export type DryRun = {
  exchanges: number;
  notIndexed: number;
  failed: Record<string, number>;
  changed: number;
  byRule: RuleCount[];
  byPlace: PlaceCount[];
};

/** Kinds of reasons that are told apart; names of rules are a closed set, these may not be (inv. 10). */
const reasonsMax = 100;

/** What masking would find in what is recorded, by the rules and policies that are given. Changes nothing, and keeps no value. */
export async function dryRun(range: TimeRange, parts: DryRunParts): Promise<DryRun> {
  const tally = new Tally();
  const result: DryRun = { exchanges: 0, notIndexed: 0, failed: {}, changed: 0, byRule: [], byPlace: [] };
  const masker: DocumentMasker = {
    json: (value, options) => parts.masker.json(value, { ...options, onFound: (found) => tally.found(found) }),
  };
  for await (const { exchangeId, transcript } of parts.recorded.read(range, () => true)) {
    result.exchanges += 1;
    if (transcript === null) {
      countReason(result.failed, 'its records are not whole');
      continue;
    }
    const stored = await parts.index.get(exchangeId);
    if (stored === null) result.notIndexed += 1;
    tally.begin();
    const masked = await maskAgain(transcript, stored, { ...parts, masker });
    if (masked.kind === 'failed') {
      tally.takeBack();
      countReason(result.failed, masked.reason);
      continue;
    }
    for (const { event } of stored === null ? [] : masked.documents) {
      const one = event.id === exchangeId ? stored : await parts.index.get(event.id);
      for (const finding of one?.skilltape.masking.findings ?? []) tally.indexed(finding);
    }
    if (tally.end() && stored !== null) result.changed += 1;
  }
  return { ...result, ...tally.sums() };
}

function countReason(failed: Record<string, number>, reason: string): void {
  const name = Object.keys(failed).length < reasonsMax || Object.hasOwn(failed, reason) ? reason : 'other reasons';
  failed[name] = (failed[name] ?? 0) + 1;
}

type Found = { type: FindingType; rule: string; place?: FindingPlace | undefined };

/** Adds up by rule and by place; those of one exchange are kept apart until it is known whether they count. */
class Tally {
  readonly #byRule = new Map<string, number>();
  readonly #byPlace = new Map<string, { indexed: number; would: number }>();
  #now: { rules: Map<string, number>; places: Map<string, { indexed: number; would: number }> } = noCounts();

  begin(): void {
    this.#now = noCounts();
  }

  takeBack(): void {
    this.#now = noCounts();
  }

  found({ type, rule, place = 'other' }: Found): void {
    const key = `${type} ${place} ${rule}`;
    this.#now.rules.set(key, (this.#now.rules.get(key) ?? 0) + 1);
    placeOf(this.#now.places, type, place).would += 1;
  }

  indexed({ type, place, count }: { type: string; place: string; count: number }): void {
    placeOf(this.#now.places, type, place).indexed += count;
  }

  /** Whether the exchange's findings differ from what the index says of it. */
  end(): boolean {
    for (const [key, count] of this.#now.rules) this.#byRule.set(key, (this.#byRule.get(key) ?? 0) + count);
    let differs = false;
    for (const [key, { indexed, would }] of this.#now.places) {
      const [type = '', place = ''] = key.split(' ');
      const sum = placeOf(this.#byPlace, type, place);
      sum.indexed += indexed;
      sum.would += would;
      differs ||= indexed !== would;
    }
    this.#now = noCounts();
    return differs;
  }

  sums(): Pick<DryRun, 'byRule' | 'byPlace'> {
    const byRule = [...this.#byRule].map(([key, would]) => {
      const [type = '', place = '', ...rule] = key.split(' ');
      return { type: type as FindingType, rule: rule.join(' '), place: place as FindingPlace, would };
    });
    const byPlace = [...this.#byPlace].map(([key, counts]) => {
      const [type = '', place = ''] = key.split(' ');
      return { type, place, ...counts };
    });
    return { byRule: byRule.sort(inOrder), byPlace: byPlace.sort(inOrder) };
  }
}

function noCounts() {
  return { rules: new Map<string, number>(), places: new Map<string, { indexed: number; would: number }>() };
}

function placeOf(places: Map<string, { indexed: number; would: number }>, type: string, place: string) {
  const key = `${type} ${place}`;
  const known = places.get(key) ?? { indexed: 0, would: 0 };
  places.set(key, known);
  return known;
}

type Ordered = { type: string; place: string; rule?: string };

const places: readonly string[] = findingPlaces;

function inOrder(a: Ordered, b: Ordered): number {
  const byType = inTypeOrder(a.type as FindingType, b.type as FindingType);
  const byPlace = places.indexOf(a.place) - places.indexOf(b.place);
  return byType || byPlace || ((a.rule ?? '') < (b.rule ?? '') ? -1 : 1);
}
