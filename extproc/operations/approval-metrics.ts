import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import { instrumentsOf } from './instruments.ts';

/** A ticket's rules are those of policies, which live edits may change for ever: more than these are one (inv. 10). */
const rulesMax = 200;
const otherRules = 'other';

const decisionBucketsSeconds = [5, 15, 30, 60, 120, 240, 480, 900, 1_800, 3_600, 7_200, 21_600, 86_400];

type Ended = { rules: readonly string[]; how: string; afterMs: number };

export type ApprovalMetrics = {
  opened(rules: readonly string[]): void;
  ended(ended: Ended): void;
  /** How it is now. */
  live(
    byRule: readonly { rule: string; state: string; tickets: number }[],
    oldestPendingMs: number | null,
    waiting: number,
  ): void;
  attempted(target: string, result: string): void;
};

/** Only in the process that follows the tickets of a data directory. */
export function approvalMetrics(registry: Registry, nowMs: () => number): ApprovalMetrics {
  const { gauge } = instrumentsOf(registry);
  const registers = [registry];
  const opened = new Counter({
    ...{ name: 'skilltape_approvals_opened_total', labelNames: ['rule'], registers },
    help: 'Tickets that were opened, by each rule that held their request.',
  });
  const ended = new Counter({
    ...{ name: 'skilltape_approvals_ended_total', labelNames: ['rule', 'how'], registers },
    help: 'Tickets that were approved or denied, or expired undecided.',
  });
  const seconds = new Histogram({
    ...{ name: 'skilltape_approval_decision_seconds', labelNames: ['rule'], registers },
    help: 'From the opening of a ticket to its decision by people.',
    buckets: decisionBucketsSeconds,
  });
  const live = new Gauge({
    ...{ name: 'skilltape_approvals_live', labelNames: ['rule', 'state'], registers },
    help: 'Tickets that wait for a decision, or whose approval can still be used.',
  });
  const attempts = new Counter({
    ...{ name: 'skilltape_notification_attempts_total', labelNames: ['target', 'result'], registers },
    help: 'Attempts to tell a target of a ticket, and messages that were given up.',
  });
  const now = { oldestPendingMs: null as number | null, waiting: 0 };
  gauge('skilltape_approval_oldest_pending_seconds', 'Age of the oldest ticket that waits for a decision.', () =>
    now.oldestPendingMs === null ? 0 : Math.max(0, nowMs() - now.oldestPendingMs) / 1_000,
  );
  gauge('skilltape_notifications_waiting', 'Messages that were not delivered yet.', () => now.waiting);
  const labelOf = boundedRules();
  return {
    opened(rules) {
      for (const rule of rules) opened.inc({ rule: labelOf(rule) });
    },
    ended({ rules, how, afterMs }) {
      for (const rule of rules.map(labelOf)) {
        ended.inc({ rule, how });
        if (how !== 'expired') seconds.observe({ rule }, afterMs / 1_000);
      }
    },
    live(byRule, oldestPendingMs, waiting) {
      Object.assign(now, { oldestPendingMs, waiting });
      live.reset();
      for (const { rule, state, tickets } of byRule) live.inc({ rule: labelOf(rule), state }, tickets);
    },
    attempted: (target, result) => attempts.inc({ target, result }),
  };
}

function boundedRules(): (rule: string) => string {
  const known = new Set<string>();
  return (rule) => {
    if (known.has(rule)) return rule;
    if (known.size >= rulesMax) return otherRules;
    known.add(rule);
    return rule;
  };
}
