import type { Judge, Verdict } from '../exchange/ports.ts';
import type { ExchangeMetrics } from './exchange-metrics.ts';
import { secondsSince } from './instruments.ts';

/** The same judge, with the time that each evaluation takes, and what is only observed counted. */
export function meteredJudge(judge: Judge, { policySeconds, onObserved }: ExchangeMetrics): Judge {
  const access = policySeconds.labels('access');
  const request = policySeconds.labels('request');
  const timed = (
    histogram: { observe(seconds: number): void },
    evaluate: () => Verdict,
    input: { connection: { name: string } },
  ): Verdict => {
    const startMs = performance.now();
    const verdict = evaluate();
    histogram.observe(secondsSince(startMs));
    if (verdict.observed !== undefined) onObserved(input.connection.name, verdict.observed);
    return verdict;
  };
  return {
    get revision() {
      return judge.revision;
    },
    get timeZones() {
      return judge.timeZones;
    },
    get looksAtTotals() {
      return judge.looksAtTotals;
    },
    get looksAtExcerpt() {
      return judge.looksAtExcerpt;
    },
    get looksAtFindings() {
      return judge.looksAtFindings;
    },
    access: (input) => timed(access, () => judge.access(input), input),
    request: (input) => timed(request, () => judge.request(input), input),
  };
}
