import type { Registry } from 'prom-client';
import { instrumentsOf, latencyBucketsSeconds } from './instruments.ts';

/** What the figures need of the journal (extproc/journal). */
export type JournalSpace = { usage(): { bytes: number; maxBytes: number }; admits(): boolean };

/** The disk under the journal, and the space that it has left. */
export function journalMetrics(registry: Registry) {
  const { counter, histogram, gauge } = instrumentsOf(registry);
  const failures = counter('skilltape_journal_failures_total', 'Writes and syncs of the journal that failed.', [
    'operation',
  ]);
  for (const operation of ['write', 'sync'] as const) failures.inc({ operation }, 0);
  return {
    failures,
    writeSeconds: histogram(
      'skilltape_journal_write_seconds',
      'One write of one or more records.',
      latencyBucketsSeconds,
    ),
    syncSeconds: histogram(
      'skilltape_journal_fdatasync_seconds',
      'One fdatasync of the journal.',
      latencyBucketsSeconds,
    ),
    watch(journal: JournalSpace): void {
      gauge('skilltape_journal_bytes', 'Disk space that the journal uses.', () => journal.usage().bytes);
      gauge('skilltape_journal_max_bytes', 'journal.journalMaxBytes.', () => journal.usage().maxBytes);
      gauge('skilltape_journal_admits', '1 while there is room for new requests, else 0.', () =>
        Number(journal.admits()),
      );
    },
    watchVolume(volume: { readonly usedShare: number; readonly isRefusing: boolean }): void {
      gauge('skilltape_volume_used_ratio', 'How full the volume is, of journal or archive, from 0 to 1.', () => {
        return volume.usedShare;
      });
      gauge(
        'skilltape_volume_refuses',
        '1 while new requests are refused for want of room on the volume, else 0.',
        () => Number(volume.isRefusing),
      );
    },
  };
}

export type JournalMetrics = ReturnType<typeof journalMetrics>;
