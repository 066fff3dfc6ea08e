/** Compares the verdicts that were given with those that another policy gives. */
import type { Identity } from '../exchange/identity.ts';
import type { PolicyEngine } from '../policy/engine.ts';
import type { TimeRange } from '../remask/recorded-exchanges.ts';
import { type JudgedAgain, judgedAgain } from './judge-again.ts';
import type { JudgedRequest, JudgedRequests } from './judged-requests.ts';

type Given = 'allow' | 'deny' | 'hold';
export type Now = Given | 'unknown';
export type Step = { from: Given; to: Now };

/** `gained` and `lost`: rules that fire now and did not, and the other way round. */
export type Change = Step & { exchangeId: string; person: string; gained: string[]; lost: string[] };

/**
 * - `judged`: of these the verdict is compared; `changed` of them would have another, and `otherRules` the same one for
 *   other rules.
 * - `undecided`: refused before a policy was asked. `unopened`: of persons who were erased.
 * - `withoutFindings`, `withoutTotals`, `withoutExcerpt`: judged without what the new policy looks at and the old one did not, so that it
 *   was not recorded: rules that look at it refuse these, whatever was in them.
 * - `changes`: the first `changesMax` of them.
 */
export type WhatIf = {
  judged: number;
  changed: number;
  otherRules: number;
  undecided: number;
  unopened: number;
  withoutFindings: number;
  withoutTotals: number;
  withoutExcerpt: number;
  byVerdict: (Step & { count: number })[];
  byRule: (Step & { rule: string; gained: number; lost: number })[];
  byPerson: (Step & { person: string; count: number })[];
  changes: Change[];
};

export type WhatIfParts = {
  requests: JudgedRequests;
  policy: Pick<
    PolicyEngine,
    'access' | 'request' | 'timeZones' | 'looksAtFindings' | 'looksAtTotals' | 'looksAtExcerpt'
  >;
  /** As whoever asks may see them. */
  shown: (identity: Identity) => string;
  /** Told after each so many. */
  onProgress: (judged: number) => void;
};

export const changesMax = 1_000;
/** Persons and rules that are told apart (inv. 10). */
const rowsMax = 10_000;
const progressEvery = 1_000;
const noIdentity = 'nobody';

export async function whatIf(range: TimeRange, parts: WhatIfParts): Promise<WhatIf> {
  const { policy, requests, onProgress } = parts;
  const tally = new Tally();
  const sums = { judged: 0, undecided: 0, unopened: 0, withoutFindings: 0, withoutTotals: 0, withoutExcerpt: 0 };
  for await (const found of requests.read(range)) {
    if (found.kind !== 'judged') {
      sums[found.kind] += 1;
      continue;
    }
    const { judged } = found;
    const { input, started, decided } = judged;
    const isWhole = decided.stage === 'request';
    sums.judged += 1;
    if (isWhole && policy.looksAtFindings && !input.findings_complete) sums.withoutFindings += 1;
    // No excerpt is recorded.
    if (isWhole && policy.looksAtExcerpt) sums.withoutExcerpt += 1;
    if (isWhole && policy.looksAtTotals && !input.totals.counted) sums.withoutTotals += 1;
    const person = started.identity === null ? noIdentity : parts.shown(started.identity);
    tally.add(judged, judgedAgain(judged, policy), person);
    if (sums.judged % progressEvery === 0) onProgress(sums.judged);
  }
  return { ...sums, ...tally.result() };
}

class Tally {
  readonly #byVerdict = new Map<string, Step & { count: number }>();
  readonly #byRule = new Map<string, Step & { rule: string; gained: number; lost: number }>();
  readonly #byPerson = new Map<string, Step & { person: string; count: number }>();
  readonly #changes: Change[] = [];
  #changed = 0;
  #otherRules = 0;

  add({ exchangeId, decided }: JudgedRequest, again: JudgedAgain, person: string): void {
    const [before, now] = [rulesIn(decided.reasons), rulesIn(again === 'unknown' ? [] : again.reasons)];
    const gained = [...now].filter((rule) => !before.has(rule)).sort();
    const lost = [...before].filter((rule) => !now.has(rule)).sort();
    const step: Step = { from: decided.verdict, to: again === 'unknown' ? 'unknown' : again.verdict };
    if (step.from === step.to) {
      if (gained.length + lost.length > 0) this.#otherRules += 1;
      return;
    }
    this.#changed += 1;
    if (this.#changes.length < changesMax) this.#changes.push({ exchangeId, person, ...step, gained, lost });
    rowOf(this.#byVerdict, '', step, { count: 0 }).count += 1;
    rowOf(this.#byPerson, person, step, { person, count: 0 }, { person: others, count: 0 }).count += 1;
    for (const rule of gained) this.#rule(rule, step).gained += 1;
    for (const rule of lost) this.#rule(rule, step).lost += 1;
  }

  result(): Pick<WhatIf, 'changed' | 'otherRules' | 'byVerdict' | 'byRule' | 'byPerson' | 'changes'> {
    return {
      ...{ changed: this.#changed, otherRules: this.#otherRules },
      byVerdict: sorted(this.#byVerdict, ({ count }) => count),
      byRule: sorted(this.#byRule, ({ gained, lost }) => gained + lost),
      byPerson: sorted(this.#byPerson, ({ count }) => count),
      changes: this.#changes,
    };
  }

  #rule(rule: string, step: Step) {
    const none = { gained: 0, lost: 0 };
    return rowOf(this.#byRule, rule, step, { rule, ...none }, { rule: others, ...none });
  }
}

const others = '(others)';

function rowOf<T extends object>(
  rows: Map<string, Step & T>,
  name: string,
  { from, to }: Step,
  fresh: T,
  beyond: T = fresh,
): Step & T {
  const isFull = rows.size >= rowsMax && !rows.has(`${from} ${to} ${name}`);
  const key = `${from} ${to} ${isFull ? others : name}`;
  const row = rows.get(key) ?? { from, to, ...(isFull ? beyond : fresh) };
  rows.set(key, row);
  return row;
}

/** The most first, and else as they came. */
function sorted<T>(rows: ReadonlyMap<string, T>, sizeOf: (row: T) => number): T[] {
  return [...rows.values()].sort((a, b) => sizeOf(b) - sizeOf(a));
}

function rulesIn(reasons: readonly { rule: string }[]): Set<string> {
  return new Set(reasons.map(({ rule }) => rule));
}
