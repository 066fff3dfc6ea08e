import type { Registry } from 'prom-client';
import type { ShipReport } from '../ship/protocol.ts';
import { instrumentsOf } from './instruments.ts';
import type { ShippingState } from './shipping-state.ts';

/** What is counted of the reports of the shipping thread. */
function countersOf(registry: Registry) {
  const { counter } = instrumentsOf(registry);
  const shipped = counter('skilltape_shipped_exchanges_total', 'Exchanges that the index took.');
  const rejected = counter('skilltape_rejected_exchanges_total', 'Exchanges that the index will not have.');
  const erased = counter(
    'skilltape_erased_exchanges_total',
    'Exchanges that were in the journal when their person was erased, and went no further.',
  );
  const rejectsDropped = counter(
    'skilltape_rejects_dropped_total',
    'Refused documents that left the list of rejects because it was full.',
  );
  const deliveries = counter('skilltape_shipping_deliveries_total', 'Times that exchanges were given to the index.');
  const waits = counter('skilltape_shipping_waits_total', 'Times that the index took no exchanges for the moment.');
  const archiveWaits = counter('skilltape_archive_waits_total', 'Times that the archive could not be written.');
  const undelivered = counter(
    'skilltape_archive_checkpoints_undelivered_total',
    'Checkpoints that a place outside the archive did not take.',
  );
  const maskingFailures = counter(
    'skilltape_masking_failures_total',
    'Exchanges of which the index has metadata only.',
  );
  const unrevealable = counter(
    'skilltape_unrevealable_exchanges_total',
    'Exchanges of which no values could be kept for a reveal.',
  );
  const findings = counter(
    'skilltape_masking_findings_total',
    'Values that were found in what the index took, and are masked there.',
    ['type'],
  );
  const archive = { archiveWaits, undelivered };
  return {
    shipped,
    rejected,
    erased,
    rejectsDropped,
    deliveries,
    waits,
    maskingFailures,
    unrevealable,
    findings,
    ...archive,
  };
}

/** The way of ended exchanges into the index, as the shipping thread tells of it. */
export function shippingMetrics(registry: Registry) {
  const { counter, gauge } = instrumentsOf(registry);
  const counts = countersOf(registry);
  return {
    crashes: counter('skilltape_shipping_crashes_total', 'Deaths of the shipping thread, which is then started again.'),
    /** Returns what is to be told each report of the thread. */
    watch(state: ShippingState): (report: ShipReport) => void {
      showState(gauge, state);
      return (report) => {
        state.heed(report);
        switch (report.kind) {
          case 'progress':
            counts.shipped.inc(state.grown('shipped', report.shipped));
            counts.rejected.inc(state.grown('rejected', report.rejected));
            counts.erased.inc(state.grown('erased', report.erased));
            for (const [type, count] of Object.entries(report.findings))
              counts.findings.inc({ type }, state.grown(`findings ${type}`, count));
            return;
          case 'reading':
            counts.deliveries.inc();
            return;
          case 'waiting':
            if (report.waitsFor === 'archive') counts.archiveWaits.inc();
            else counts.waits.inc();
            return;
          case 'checkpoint_undelivered':
            counts.undelivered.inc();
            return;
          case 'masking_failed':
            counts.maskingFailures.inc();
            return;
          case 'rejects_dropped':
            counts.rejectsDropped.inc(report.count);
            return;
          case 'unrevealable':
            counts.unrevealable.inc(report.exchanges);
            return;
          case 'rejected':
          case 'archive_recovered':
          case 'coverage':
          case 'late_records':
          case 'stopped':
            return;
          default:
            report satisfies never;
        }
      };
    },
  };
}

function showState(gauge: ReturnType<typeof instrumentsOf>['gauge'], state: ShippingState): void {
  gauge('skilltape_index_lag_seconds', 'Age of the oldest ended exchange that is not in the index.', () =>
    state.lagSeconds(),
  );
  gauge(
    'skilltape_shipping_waiting_exchanges',
    'Ended exchanges that were read and wait for the index.',
    () => state.waitingExchanges,
  );
  gauge('skilltape_shipping_silence_seconds', 'Time since the shipping thread last said something.', () =>
    state.silenceSeconds(),
  );
}
