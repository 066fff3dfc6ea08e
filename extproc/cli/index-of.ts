import { ticketsFile } from '../approvals/places.ts';
import { ticketStats } from '../approvals/stats.ts';
import { Tickets } from '../approvals/tickets.ts';
import type { Config } from '../config/config.ts';
import { openCoverageLook } from '../coverage/look.ts';
import { readerOptions, remaskOptions, retentionOptions, writerOptions } from '../index/elasticsearch/options.ts';
import type { IndexReplace, IndexSink } from '../index/port.ts';
import type { Rejects } from '../index/rejects.ts';
import type { IndexRetention } from '../index/retention.ts';
import { memoryFile, openRejectsForReading, SqliteMemory } from '../index/sqlite/memory.ts';
import { SqliteReplace } from '../index/sqlite/replace.ts';
import { SqliteRetention } from '../index/sqlite/retention.ts';
import { SqliteSearch } from '../index/sqlite/search.ts';
import { SqliteIndex } from '../index/sqlite/writer.ts';
import { stopsFile } from '../stops/places.ts';
import { Stops } from '../stops/stops.ts';
import type { ApprovalsDependencies } from './approvals.ts';
import type { CoverageDependencies } from './coverage.ts';
import type { OpenIndex } from './looking.ts';
import type { RejectsDependencies } from './rejects.ts';
import { revealOf } from './reveal-of.ts';
import type { StopDependencies } from './stop.ts';

/** The reading side of the index that the configuration names. */
export async function openIndexOf({ index, dataDirectory }: Config): Promise<OpenIndex> {
  if (index.kind === 'sqlite') return SqliteSearch.open(dataDirectory);
  const { openElasticsearchSearch } = await elasticsearch();
  return openElasticsearchSearch(readerOptions(index));
}

/** The side of the index that `remask` writes to. */
export async function openReplaceOf({ index, dataDirectory }: Config): Promise<IndexReplace> {
  if (index.kind === 'sqlite') return SqliteReplace.open(dataDirectory);
  const { openElasticsearchReplace } = await elasticsearch();
  return openElasticsearchReplace(remaskOptions(index));
}

/** The side of the index from which retention and erasures take documents away. */
export async function openRetentionOf({ index, dataDirectory }: Config): Promise<IndexRetention> {
  if (index.kind === 'sqlite') return SqliteRetention.open(dataDirectory);
  const { openElasticsearchRetention } = await elasticsearch();
  return openElasticsearchRetention(retentionOptions(index));
}

/** What shipping remembers on this node. */
export function openMemoryOf(config: Config, purpose: 'reading' | 'writing'): SqliteMemory {
  const file = memoryFileOf(config);
  if (purpose === 'reading') return SqliteMemory.openForReading(file);
  const { rememberedDays } = config.index;
  return SqliteMemory.open(file, undefined, { rememberedDays });
}

/** The refused documents of this node, and the way to deliver them again. */
export function rejectsOf(config: () => Config): RejectsDependencies {
  return {
    openRejects: () => openRejectsForReading(memoryFileOf(config())),
    async openDelivery() {
      const memory = SqliteMemory.open(memoryFileOf(config()));
      const sink = await openSink(config(), config().dataDirectory, memory.rejects);
      return {
        rejects: memory.rejects,
        sink,
        async close() {
          await sink.close();
          memory.close();
        },
      };
    },
  };
}

/** What is held, or was, on this node. */
export function approvalsOf(config: () => Config, environment: NodeJS.ProcessEnv): ApprovalsDependencies {
  const { groups, policy } = revealOf(config, environment);
  const file = () => ticketsFile(config().dataDirectory);
  const openTickets = () => new Tickets(file(), config().approvals);
  return { openTickets, stats: (range) => ticketStats(file(), range), groups, policy };
}

/** What operators stopped on this node. */
export function stopsOf(config: () => Config, environment: NodeJS.ProcessEnv): StopDependencies {
  const { groups, policy } = revealOf(config, environment);
  return { openStops: () => new Stops(stopsFile(config().dataDirectory)), groups, policy };
}

/** What the comparison with Envoy's log found on this node. */
export function coverageLookOf(config: () => Config): CoverageDependencies {
  return { openCoverage: () => openCoverageLook(config().dataDirectory) };
}

/** The side of the index that shipping writes to; the embedded one in this directory. */
export async function openSink({ index }: Config, dataDirectory: string, rejects: Rejects): Promise<IndexSink> {
  if (index.kind === 'sqlite') return SqliteIndex.open(dataDirectory);
  const { openElasticsearchIndex } = await elasticsearch();
  return openElasticsearchIndex(writerOptions(index), rejects);
}

/** Loaded only where it is needed: its client takes longer to load than most commands to run. */
function elasticsearch(): Promise<typeof import('../index/elasticsearch/open.ts')> {
  return import('../index/elasticsearch/open.ts');
}

function memoryFileOf({ index, dataDirectory }: Config): string {
  return memoryFile(dataDirectory, index.kind);
}
