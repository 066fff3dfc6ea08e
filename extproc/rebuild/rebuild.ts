/** Makes an index anew from what is recorded, and puts it into the place of the one that was lost. */
import { basename } from 'node:path';
import { SkilltapeError } from '../errors.ts';
import type { FileSystem } from '../journal/fs.ts';
import type { FollowedJournal } from '../ship/shipper.ts';
import { Filling, type FillingParts } from './filling.ts';
import type { ArchiveChains } from './order.ts';
import { clear, keepStopped, putInPlace, rebuildDirectory, refuseTaken } from './places.ts';
import { begun, loadProgress, type Progress, type RebuildCounts, removeProgress, saveProgress } from './progress.ts';

/** The new index, open; must be closed before it is put in place. */
export type NewIndex = {
  parts: Omit<FillingParts, 'save' | 'onFailed'>;
  close(): Promise<void>;
};

export type RebuildOptions = {
  dataDirectory: string;
  workers: number;
  fileSystem: FileSystem;
  /** The file that is made in the directory of the rebuild, and where it goes: with Elasticsearch what shipping remembers. */
  file: { made: string; wanted: string };
  /** Null for an index that is in that file alone; else whether the one that is written to has documents. */
  hasDocuments: (() => Promise<boolean>) | null;
  /** Revision of the policies in force. */
  rules: string;
  /** Changes with each person who is erased. */
  erasures(): Promise<string>;
  archive: ArchiveChains;
  /** What the archive keeps of exchanges when the days of their content are over. */
  metadata: ArchiveChains;
  /** Of all journals, from the oldest record. */
  journals: readonly FollowedJournal[];
  open(directory: string): Promise<NewIndex>;
  onProgress: (counts: RebuildCounts) => void;
  onFailed: FillingParts['onFailed'];
};

/**
 * - `in_place`: searches find in it what was recorded.
 * - `prepared`: a gateway runs, so that it is not in place yet; the archive is in it so far.
 * - `waiting`: the index cannot take more now.
 */
export type RebuildResult = { counts: RebuildCounts } & (
  | { kind: 'in_place' }
  | { kind: 'prepared'; holder: string }
  | { kind: 'waiting'; reason: string }
);

/**
 * Goes on where an earlier one was ended. The new index is filled beside a gateway that runs, as far as it stands in a
 * file of its own; what came meanwhile and what is in the journals alone is added while none can start, and only then it
 * is put in place. Throws SkilltapeError `usage` where that must not be.
 */
export async function rebuildIndex(options: RebuildOptions): Promise<RebuildResult> {
  const { dataDirectory, workers, fileSystem, file } = options;
  const gateway = await keepStopped(dataDirectory, workers, fileSystem);
  try {
    if (gateway.kind === 'stopped') await refuseTaken(file.wanted, fileSystem);
    else if (options.hasDocuments !== null) throw running(gateway.holder);
    const progress = await progressOf(options);
    const waiting = (await filled(options, progress, gateway.kind === 'stopped')) ?? (await erasedMeanwhile(options));
    const { counts } = progress;
    if (waiting !== null) return { kind: 'waiting', reason: waiting, counts };
    if (gateway.kind === 'running') return { kind: 'prepared', holder: gateway.holder, counts };
    // Before the file goes: a place without what was made to there would leave it out.
    await removeProgress(rebuildDirectory(dataDirectory), fileSystem);
    await putInPlace(file.made, file.wanted, fileSystem);
    return { kind: 'in_place', counts };
  } finally {
    if (gateway.kind === 'stopped') await gateway.release();
  }
}

async function progressOf(options: RebuildOptions): Promise<Progress> {
  const { dataDirectory, fileSystem, file, rules, hasDocuments } = options;
  const directory = rebuildDirectory(dataDirectory);
  await fileSystem.makeDirectory(directory);
  const progress = await loadProgress(directory, fileSystem);
  if (progress === null && hasDocuments !== null && (await hasDocuments()))
    throw new SkilltapeError('usage', 'the index has documents already', {
      remedy: 'delete its indices, or name another `index.elasticsearch.prefix`, and repeat it',
    });
  if (progress !== null && progress.rules !== rules)
    throw new SkilltapeError('usage', 'the rebuild under way was begun with other policies than those of now', {
      remedy: `put those back, or remove ${directory}${hasDocuments === null ? '' : ' and empty the index'} to begin again`,
    });
  const isThere = (await fileSystem.list(directory)).includes(basename(file.made));
  const erasures = await options.erasures();
  // What is in a file of its own has the documents of whoever was erased since; from an index that is written to they went.
  const isUsable = hasDocuments !== null || progress?.erasures === erasures;
  if (progress !== null && isThere && isUsable) {
    progress.erasures = erasures;
    return progress;
  }
  await clear(directory, fileSystem);
  const first = begun(rules, erasures);
  await saveProgress(directory, first, fileSystem);
  return first;
}

async function filled(options: RebuildOptions, progress: Progress, withJournals: boolean): Promise<string | null> {
  const { dataDirectory, fileSystem, archive, metadata, journals, onProgress, onFailed } = options;
  const directory = rebuildDirectory(dataDirectory);
  const { parts, close } = await options.open(directory);
  try {
    const save = async (reached: Progress) => {
      await saveProgress(directory, reached, fileSystem);
      onProgress(reached.counts);
    };
    const filling = new Filling({ ...parts, save, onFailed }, progress);
    const waiting = await filling.fromArchive(archive, metadata);
    return waiting !== null || !withJournals ? waiting : await filling.fromJournals(journals, archive);
  } finally {
    await close();
  }
}

/** Null, or what to do about the documents of whoever was erased while it was filled. */
async function erasedMeanwhile({
  dataDirectory,
  fileSystem,
  erasures,
  hasDocuments,
}: RebuildOptions): Promise<string | null> {
  const progress = await loadProgress(rebuildDirectory(dataDirectory), fileSystem);
  if (progress === null || progress.erasures === (await erasures())) return null;
  const others = 'a person was erased meanwhile';
  return hasDocuments === null ? others : `${others}, and may be in it: repeat \`skilltape erase\` for them as well`;
}

function running(holder: string): SkilltapeError {
  return new SkilltapeError('usage', `a gateway runs (${holder}) and writes to this index`, {
    remedy: 'stop it, and repeat it; start it again when the index is rebuilt',
  });
}
