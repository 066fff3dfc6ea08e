import { Archive } from '../archive/archive.ts';
import type { CheckpointSink } from '../archive/checkpoint.ts';
import { checkpointFileSink } from '../archive/checkpoint-file.ts';
import type { Sealer } from '../archive/cipher.ts';
import type { FindEnd } from '../archive/marks.ts';
import { loadOrCreateSigningKey } from '../archive/signing.ts';
import { nodeFileSystem } from '../journal/node-fs.ts';
import { openSealer } from '../keys/sealer.ts';
import { indexCheckpointSink } from './checkpoint-index.ts';
import { type ErasedParts, withoutErased } from './erased.ts';
import { createArchiveOnly, type PipelineParts } from './pipeline.ts';
import type { ArchivePlaces, ShipOptions, ShipReport } from './protocol.ts';
import { reasonOf } from './reason.ts';
import { type FollowedJournal, Shipper, type ShipperEvents } from './shipper.ts';

type Report = (report: ShipReport) => void;

/** The archive as the shipping thread has it. */
export async function openArchive(options: ShipOptions, findEnd: FindEnd, report: Report): Promise<Archive | null> {
  const { dataDirectory, archive: places } = options;
  if (places === null) return null;
  const sealer: Sealer = await openSealer({ dataDirectory });
  const { directory, segmentMaxBytes, checkpointIntervalMs } = places;
  const onSinkFailed = (place: string, thrown: unknown) =>
    report({ kind: 'checkpoint_undelivered', place, reason: reasonOf(thrown) });
  return new Archive({
    ...{ directory, segmentMaxBytes, checkpointIntervalMs, sealer, findEnd },
    fileSystem: nodeFileSystem,
    key: await loadOrCreateSigningKey(places.signingKeyFile, nodeFileSystem),
    nowMs: Date.now,
    sinks: await sinksOf(options, places, onSinkFailed),
    onRecovered: (recovery) => report({ kind: 'archive_recovered', recovery }),
    onSinkFailed,
  });
}

async function sinksOf(
  options: ShipOptions,
  { checkpointFile, areCheckpointsIndexed }: ArchivePlaces,
  onFailed: (place: string, thrown: unknown) => void,
): Promise<CheckpointSink[]> {
  const sinks = checkpointFile === null ? [] : [checkpointFileSink(checkpointFile, nodeFileSystem)];
  return areCheckpointsIndexed ? [...sinks, await indexCheckpointSink(options, { onFailed })] : sinks;
}

/** How long archiving goes on alone before the index is asked again. */
const stepMs = 1_000;

type Journals = readonly (FollowedJournal & { close(): Promise<void> })[];
type ArchivingParts = PipelineParts & {
  archive: NonNullable<PipelineParts['archive']>;
  erased: ErasedParts;
};
type Run = NonNullable<ConstructorParameters<typeof Shipper>[3]>;

/**
 * While the index is away, exchanges go on into the archive: an outage of the index must not keep the record out of the
 * archive. Reads the journals a second time, from where the index stands; their space stays in use until the index has
 * them too, since nothing else can give it what it lacks.
 */
export class AheadOfIndex {
  readonly #open: () => Journals;
  readonly #parts: ArchivingParts;
  readonly #run: Run;
  #going: { shipper: Shipper; journals: Journals } | undefined;

  constructor(open: () => Journals, parts: ArchivingParts, run: Run) {
    this.#open = open;
    this.#parts = parts;
    this.#run = run;
  }

  /** For about a second. Null, or why the archive waits. */
  async advance(): Promise<{ reason: string; waitsFor: 'archive' } | null> {
    this.#going ??= this.#begin();
    const until = performance.now() + stepMs;
    const result = await this.#going.shipper.advance(() => performance.now() >= until);
    const waits = result.kind === 'retry' && result.waitsFor === 'archive';
    return waits ? { reason: result.reason, waitsFor: 'archive' } : null;
  }

  /** The index takes exchanges again, and is given those that are in the archive already. */
  async stop(): Promise<void> {
    const going = this.#going;
    this.#going = undefined;
    if (going === undefined) return;
    await going.shipper.close();
    for (const journal of going.journals) await journal.close();
  }

  #begin(): { shipper: Shipper; journals: Journals } {
    const journals = this.#open();
    const sink = withoutErased(createArchiveOnly(this.#parts), this.#parts.erased);
    const events: ShipperEvents = { onDelivering: () => {}, onRejected: () => {} };
    return { shipper: new Shipper(journals, sink, events, this.#run), journals };
  }
}
