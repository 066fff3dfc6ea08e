import { type Coverage, type CoverageParts, startCoverage } from '../coverage/coverage.ts';
import { type RecordedExchange, recordedInIndex } from '../coverage/recorded.ts';
import { SkilltapeError } from '../errors.ts';
import type { ElasticsearchOptions } from '../index/elasticsearch/options.ts';
import type { IndexSearch } from '../index/port.ts';
import { SqliteSearch } from '../index/sqlite/search.ts';
import { keyedHashWith } from '../keyed-hash.ts';
import type { ShipOptions } from './protocol.ts';
import type { TranscriptSink } from './shipper.ts';

/**
 * The comparison with Envoy's log, run in the shipping thread: what was shipped is known here first. Null where no log
 * is configured, and where it cannot begin: shipping goes on without it.
 */
export function coverageOf(
  { coverage: options, dataDirectory, hashKey }: ShipOptions,
  parts: Pick<CoverageParts, 'isOpen' | 'write' | 'report'>,
): Coverage | null {
  if (options === null) return null;
  try {
    return startCoverage({
      ...{ dataDirectory, options, keyedHash: keyedHashWith(hashKey), nowMs: Date.now },
      find: (exchangeId) => findInIndex(options.reader, dataDirectory, exchangeId),
      ...parts,
    });
  } catch (thrown) {
    parts.report({ kind: 'fault', error: SkilltapeError.from(thrown) });
    return null;
  }
}

/** Tells coverage of what was delivered; what the index refuses for good is in the record too. */
export function noted(sink: TranscriptSink, coverage: Pick<Coverage, 'note'>): TranscriptSink {
  return {
    async deliver(transcripts, recorded) {
      const deliveries = await sink.deliver(transcripts, recorded);
      coverage.note(transcripts.filter((_, at) => deliveries[at]?.kind !== 'retry'));
      return deliveries;
    },
  };
}

async function openIndex(
  reader: ElasticsearchOptions | null,
  dataDirectory: string,
): Promise<IndexSearch & { close(): Promise<void> }> {
  if (reader === null) return SqliteSearch.open(dataDirectory);
  const { openElasticsearchSearch } = await import('../index/elasticsearch/open.ts');
  return openElasticsearchSearch(reader);
}

/** Asked only for exchanges that were shipped before coverage began, and before it says that one is missing. */
async function findInIndex(
  reader: ElasticsearchOptions | null,
  dataDirectory: string,
  exchangeId: string,
): Promise<RecordedExchange | null> {
  const index = await openIndex(reader, dataDirectory);
  try {
    const document = await index.get(exchangeId);
    return document === null ? null : recordedInIndex(document);
  } finally {
    await index.close();
  }
}
