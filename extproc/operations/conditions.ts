import type { JournalSpace } from './journal-metrics.ts';
import type { Readiness } from './readiness.ts';
import type { ShippingState } from './shipping-state.ts';

/** More than the longest pause between two deliveries when a body is slow to mask. */
const silenceMaxSeconds = 180;

/** From here on the journal's room decides whether new requests are taken, as the exchanges themselves ask it. */
export function watchJournalSpace(readiness: Readiness, journal: JournalSpace): void {
  readiness.watch('journal_space', () =>
    journal.admits() ? null : { state: 'failed', reason: 'the journal is full: new requests are refused' },
  );
}

export type VolumeSpace = { readonly usedShare: number; readonly isRefusing: boolean };

/** The same of the volume, which others may fill too. */
export function watchVolume(readiness: Readiness, volume: VolumeSpace): void {
  readiness.watch('volume', () => {
    const reason = `the volume is ${Math.floor(volume.usedShare * 100)} % full: new requests are refused`;
    return volume.isRefusing ? { state: 'failed', reason } : null;
  });
}

/** None takes traffic away: what is recorded waits in the journal. */
export function watchShipping(readiness: Readiness, state: ShippingState): void {
  readiness.watch('shipping', () =>
    state.silenceSeconds() <= silenceMaxSeconds
      ? null
      : { state: 'degraded', reason: 'nothing is shipped to the index: the shipping thread is silent' },
  );
  readiness.watch('archive', () =>
    state.isArchiveAway ? { state: 'degraded', reason: 'the archive cannot be written: the log says why' } : null,
  );
  readiness.watch('index', () =>
    state.isIndexAway ? { state: 'degraded', reason: 'the index takes no exchanges: the log says why' } : null,
  );
}
