import type { Registry } from 'prom-client';
import { type Outcome, outcomes } from '../exchange/outcome.ts';
import type { Budget, ExchangeLimits, Observed } from '../exchange/ports.ts';
import { refusalReasons } from '../exchange/refusal.ts';
import type { StreamedHolds } from '../exchange/streamed-holds.ts';
import { instrumentsOf, latencyBucketsSeconds } from './instruments.ts';

/** Of a request with its upload: `decisionTimeoutMs` bounds each step of it, not the whole. */
const decisionBucketsSeconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

/** Rules that are told apart since the process started: policies are edited while it runs (inv. 10). */
const observedRulesMax = 200;

/** What callers and Envoy see of us: exchanges, their bytes, refusals and decisions. */
export function exchangeMetrics(registry: Registry, connections: readonly string[]) {
  const { counter, histogram, gauge } = instrumentsOf(registry);
  const metrics = {
    ended: counter('skilltape_exchanges_total', 'Exchanges whose end was recorded.', ['outcome', 'connection']),
    requestBytes: counter('skilltape_request_body_bytes_total', 'Bytes of request bodies.', ['connection']),
    answerBytes: counter('skilltape_answer_body_bytes_total', 'Bytes of answer bodies.', ['connection']),
    refused: counter('skilltape_refusals_total', 'Requests refused other than by policy.', ['reason']),
    unrecorded: counter('skilltape_unrecorded_refusals_total', 'Requests refused that left no record.'),
    countedRefusals: counter(
      'skilltape_counted_refusals_total',
      'Requests without a valid token that one record counts with others.',
    ),
    faults: counter('skilltape_faults_total', 'Requests refused because of a fault of the processor or its disk.'),
    streamErrors: counter('skilltape_stream_errors_total', 'Streams of Envoy that were ended with an error.'),
    observed: counter(
      'skilltape_observed_verdicts_total',
      'What rules would have decided that are only observed, each rule once an evaluation.',
      ['connection', 'rule', 'verdict'],
    ),
    policyFailures: counter('skilltape_policy_failures_total', 'Evaluations without a decision: taken for a denial.'),
    decisionSeconds: histogram(
      'skilltape_decision_seconds',
      'From the headers of a request to its release or refusal, with the upload of its body.',
      decisionBucketsSeconds,
    ),
    policySeconds: histogram('skilltape_policy_evaluation_seconds', 'One evaluation.', latencyBucketsSeconds, [
      'stage',
    ]),
  };
  for (const connection of connections) {
    for (const outcome of outcomes) metrics.ended.inc({ outcome, connection }, 0);
    metrics.requestBytes.inc({ connection }, 0);
    metrics.answerBytes.inc({ connection }, 0);
  }
  for (const reason of refusalReasons) metrics.refused.inc({ reason }, 0);
  const observedRules = new Set<string>();
  return {
    ...metrics,
    /** Of one evaluation. */
    onObserved(connection: string, { verdict, reasons }: Observed): void {
      for (const rule of new Set(reasons.map((reason) => reason.rule))) {
        if (observedRules.size < observedRulesMax) observedRules.add(rule);
        metrics.observed.inc({ connection, verdict, rule: observedRules.has(rule) ? rule : 'other' });
      }
    },
    /** For whoever records an end. */
    onFinished: (connection: string, outcome: Outcome) => metrics.ended.inc({ connection, outcome }),
    /** Gauges beside their limits: an alert needs both. */
    watch({ budget, limits, spool }: Held): void {
      gauge('skilltape_open_exchanges', 'Exchanges that are open now.', () => budget.openExchanges);
      gauge('skilltape_open_exchanges_max', 'limits.openExchangesMax.', () => limits.openExchangesMax);
      gauge('skilltape_held_body_bytes', 'Memory that holds bodies now.', () => budget.heldBodyBytes);
      gauge('skilltape_held_body_max_bytes', 'limits.heldBodyMaxBytes.', () => limits.heldBodyMaxBytes);
      gauge('skilltape_spooled_body_bytes', 'Bodies that the journal alone holds now.', () => spool.heldBytes);
      gauge('skilltape_spooled_body_max_bytes', 'limits.spooledBodyMaxBytes.', () => limits.spooledBodyMaxBytes);
    },
    /** Where no connection streams its holds there are none. */
    watchHolds(holds: StreamedHolds | undefined): void {
      const max = holds?.limits.holdsMax ?? 0;
      gauge('skilltape_streamed_holds_waiting', 'Held streams that wait for people.', () => holds?.waiting ?? 0);
      gauge('skilltape_streamed_holds_open', 'Those, and the ones that are being answered.', () => holds?.open ?? 0);
      gauge('skilltape_streamed_holds_max', 'approvals.streamed.holdsMax; 0 without a release socket.', () => max);
    },
  };
}

/** What the gauges look at; every exchange changes it. */
type Held = { budget: Budget; limits: ExchangeLimits; spool: { heldBytes: number } };

export type ExchangeMetrics = ReturnType<typeof exchangeMetrics>;
