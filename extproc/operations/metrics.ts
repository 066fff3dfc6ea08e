import { Registry } from 'prom-client';
import { exchangeMetrics } from './exchange-metrics.ts';
import { journalMetrics } from './journal-metrics.ts';
import { processMetrics } from './process-metrics.ts';
import { shippingMetrics } from './shipping-metrics.ts';

/**
 * Everything that one process counts, under one registry. Labels have values of closed sets only (an outcome, a reason,
 * a connection's configured name), never what a caller sent: who can choose a label's value can fill the memory (inv. 10).
 */
export type Metrics = ReturnType<typeof createMetrics>;

/** @param connections their configured names: counters begin at 0, so that the first event is seen as one */
export function createMetrics(connections: readonly string[]) {
  const registry = new Registry();
  processMetrics(registry);
  return {
    registry,
    exchange: exchangeMetrics(registry, connections),
    journal: journalMetrics(registry),
    shipping: shippingMetrics(registry),
  };
}
