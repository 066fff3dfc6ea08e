import { mkdirSync } from 'node:fs';
import type { Config } from '../config/config.ts';
import { memoryFile, SqliteMemory } from '../index/sqlite/memory.ts';
import { SqliteSearch } from '../index/sqlite/search.ts';
import { nodeFileSystem } from '../journal/node-fs.ts';
import { nodeKeyFiles } from '../keys/files.ts';
import { keyPlaces } from '../keys/places.ts';
import { tombstonesOf } from '../keys/tombstones.ts';
import type { Masker } from '../masking/masker.ts';
import { rebuildDirectory } from '../rebuild/places.ts';
import { type NewIndex, type RebuildOptions, type RebuildResult, rebuildIndex } from '../rebuild/rebuild.ts';
import { ErasedPersons } from '../retention/erasures.ts';
import { leftOfDay } from '../retention/left.ts';
import type { Transcript } from '../transcript/transcript.ts';
import { pricesOf } from '../usage/price-table.ts';
import { spendOf } from '../usage/spend.ts';
import { archiveOf } from './archive-of.ts';
import { openIndexOf, openSink } from './index-of.ts';
import { documentPartsOf, journalsOf } from './recorded-of.ts';
import { retentionOf } from './retention-of.ts';

export type RebuildDependencies = {
  rebuild(told: Pick<RebuildOptions, 'onProgress' | 'onFailed'>): Promise<RebuildResult>;
};

/** Out of the archive and the journals of this node. */
export function rebuildOf(config: () => Config, masker: () => Masker): RebuildDependencies {
  return {
    async rebuild(told) {
      const settings = config();
      const { dataDirectory, index, workers } = settings;
      await using opened = new AsyncDisposableStack();
      const { parts, rules } = await documentPartsOf(settings, masker);
      const leftOf = await retentionOf(config)(async ({ rules: days, holds, receipts }) =>
        leftOfDay({ nowMs: Date.now(), rules: days, holds: holds.inForce(), receipts: receipts.list() }),
      );
      const tombstones = tombstonesOf({ places: keyPlaces(dataDirectory), files: nodeKeyFiles });
      const archive = archiveOf(settings);
      opened.defer(() => archive.close());
      const metadata = archiveOf(settings, 'metadata');
      opened.defer(() => metadata.close());
      const journals = (await journalsOf(settings)).map(({ source, number }) => ({ source, number, from: null }));
      for (const { source } of journals) opened.defer(() => source.close());
      const prices = pricesOf(settings);
      const erased = new ErasedPersons(dataDirectory);
      await erased.refresh();
      const isErased = ({ started, startedMs }: Transcript) => erased.has(started.identity, startedMs);
      return await rebuildIndex({
        ...{ dataDirectory, workers, rules, archive, metadata, journals, fileSystem: nodeFileSystem, ...told },
        erasures: async () => (await tombstones()).head,
        file: {
          made: memoryFile(rebuildDirectory(dataDirectory), index.kind),
          wanted: memoryFile(dataDirectory, index.kind),
        },
        hasDocuments: index.kind === 'sqlite' ? null : () => hasDocuments(settings),
        open: (directory) =>
          openNew(settings, directory, { ...parts, leftOf, isErased, spendOf: (billed) => spendOf(billed, prices) }),
      });
    },
  };
}

async function hasDocuments(config: Config): Promise<boolean> {
  const index = await openIndexOf(config);
  try {
    return (await index.search({ noise: true, limit: 1 })).hits.length > 0;
  } finally {
    await index.close();
  }
}

async function openNew(
  config: Config,
  directory: string,
  parts: Omit<NewIndex['parts'], 'memory' | 'index' | 'search' | 'onReached'>,
): Promise<NewIndex> {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  await using opened = new AsyncDisposableStack();
  let reachedMs = 0;
  const bounds = { rememberedDays: config.index.rememberedDays };
  const file = memoryFile(directory, config.index.kind);
  const memory = SqliteMemory.open(file, () => new Date(reachedMs), bounds);
  opened.defer(() => memory.close());
  const index = await openSink(config, directory, memory.rejects);
  opened.defer(() => index.close());
  const search = config.index.kind === 'sqlite' ? SqliteSearch.open(directory) : await openIndexOf(config);
  opened.defer(() => search.close());
  const onReached = (endedMs: number) => {
    reachedMs = Math.max(reachedMs, endedMs);
  };
  const all = opened.move();
  return { parts: { ...parts, memory, index, search, onReached }, close: () => all.disposeAsync() };
}
