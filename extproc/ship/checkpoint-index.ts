import type { CheckpointSink } from '../archive/checkpoint.ts';
import { type QueueEvents, queued } from '../archive/checkpoint-queue.ts';
import { lineHash } from '../archive/signing.ts';
import type { IndexCheckpoints } from '../index/checkpoints.ts';
import type { ElasticsearchOptions } from '../index/elasticsearch/options.ts';
import { SqliteCheckpoints } from '../index/sqlite/checkpoints.ts';

/** The index as a place for checkpoints, beside shipping: it may be away for days, and the archive goes on. */
export async function indexCheckpointSink(
  { elasticsearch, dataDirectory }: { elasticsearch: ElasticsearchOptions | null; dataDirectory: string },
  events: QueueEvents,
): Promise<CheckpointSink> {
  const place = await placeOf(elasticsearch, dataDirectory);
  return queued(
    {
      name: 'the index',
      deliver: (line, { writer, number, timeMs }) => place.add({ hash: lineHash(line), writer, number, timeMs, line }),
      close: () => place.close(),
    },
    events,
  );
}

async function placeOf(elasticsearch: ElasticsearchOptions | null, dataDirectory: string): Promise<IndexCheckpoints> {
  if (elasticsearch === null) return new SqliteCheckpoints(dataDirectory);
  const { openElasticsearchCheckpoints } = await import('../index/elasticsearch/open.ts');
  return openElasticsearchCheckpoints(elasticsearch);
}
