import type { Judge } from '../exchange/ports.ts';
import type { ExchangeMetrics } from './exchange-metrics.ts';
import { secondsSince } from './instruments.ts';

/** The same judge, with the time that each evaluation takes. */
export function meteredJudge(judge: Judge, { policySeconds }: ExchangeMetrics): Judge {
  const access = policySeconds.labels('access');
  const request = policySeconds.labels('request');
  const timed = <T>(histogram: { observe(seconds: number): void }, evaluate: () => T): T => {
    const startMs = performance.now();
    const verdict = evaluate();
    histogram.observe(secondsSince(startMs));
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
    access: (input) => timed(access, () => judge.access(input)),
    request: (input) => timed(request, () => judge.request(input)),
  };
}
