/** What a writer finds at its start: the end of each of its chains, brought into order, and what of the journals it has. */
import type { FileSystem } from '../journal/fs.ts';
import { SegmentChain } from './chain.ts';
import { isOfMetadata } from './chain-name.ts';
import { type ChainPoint, type Checkpoint, pointOf, type Tombstone } from './checkpoint.ts';
import type { SegmentHeader } from './format.ts';
import { JournalMarks } from './marks.ts';
import { appendAll, endFrame } from './open-segment.ts';
import { type SegmentPlace, segmentsIn } from './places.ts';
import { FileWindow, scanFrames, scanHeader } from './scan.ts';

/** What no crash leaves. The file is left as it is; the next segment names what a checkpoint says of it. */
export type ArchiveDamage = { path: string; offset: number; reason: string };

/** `cutBytes` of unfinished frames were cut off the ends of segments. */
export type ArchiveRecovery = { segments: number; closed: number; cutBytes: number; damage: ArchiveDamage[] };

/** Where a class goes on: behind the newest segment, which is ended. */
export type ChainEnd = ChainPoint;

/** A crash may have come between the syncs of an exchange and of its metadata: how far each came is known by itself. */
export type Marks = { exchanges: JournalMarks; metadata: JournalMarks };

export type Recovered = { ends: Map<string, ChainEnd>; marks: Marks; recovery: ArchiveRecovery };

type Signed = { checkpoints: readonly Checkpoint[]; tombstones: readonly Tombstone[] };
export type RecoverParts = {
  directory: string;
  fileSystem: FileSystem;
  signed: Signed;
  /**
   * Of files that a write or sync of this process failed on: what is on disk for certain. The rest may be in the memory
   * of the system alone and seem to be there.
   */
  certainBytes: ReadonlyMap<string, number>;
};

/** Only the newest segment of a class can be unfinished; older ones were ended and synced before it was made. */
export async function recoverArchive(parts: RecoverParts): Promise<Recovered> {
  const places = await segmentsIn(parts.directory, parts.fileSystem);
  const recovered: Recovered = {
    ends: new Map(),
    marks: { exchanges: new JournalMarks(), metadata: new JournalMarks() },
    recovery: { segments: places.length, closed: 0, cutBytes: 0, damage: [] },
  };
  for (const { value } of deletedEnds(parts.signed)) takeEnd(recovered, value);
  for (const segments of byClass(places).values()) {
    const newest = segments.pop();
    if (newest === undefined) continue;
    const wasRead = await takeNewest(parts, newest, recovered);
    // A file without a whole header is one that was being made: the one before it is the newest then.
    const before = wasRead === null ? segments.pop() : undefined;
    const read = before === undefined ? wasRead : await takeNewest(parts, before, recovered);
    await takeRecent(parts.fileSystem, segments, read?.header ?? null, recovered.marks);
  }
  return recovered;
}

function byClass(places: readonly SegmentPlace[]): Map<string, SegmentPlace[]> {
  const classes = new Map<string, SegmentPlace[]>();
  for (const place of places) classes.set(place.retentionClass, [...(classes.get(place.retentionClass) ?? []), place]);
  return classes;
}

/** What no mark covers in segments before the newest one: a batch that was never answered for may have ended several. */
async function takeRecent(
  fileSystem: FileSystem,
  older: readonly SegmentPlace[],
  newest: SegmentHeader | null,
  marks: Marks,
): Promise<void> {
  let from = newest === null ? undefined : uncoveredFrom(newest);
  for (const place of older.toReversed()) {
    if (from !== undefined && place.sequence < from) return;
    const read = await readSegment(fileSystem, place, marks);
    if (read !== null && 'header' in read) from ??= uncoveredFrom(read.header);
  }
}

/** Headers that do not say it yet are of a time when most often the segment before was enough. */
function uncoveredFrom({ uncoveredFrom: from, sequence }: SegmentHeader): number {
  return from ?? sequence - 1;
}

/** Of segments that are gone: what the tombstones and, for those that are missing, the checkpoints say of them. */
function deletedEnds({ checkpoints, tombstones }: Signed): { value: ChainEnd }[] {
  const last = checkpoints.at(-1)?.chains ?? [];
  return [
    ...last.map((value) => ({ value })),
    ...tombstones.map(({ retentionClass, day, segment, id, frames, hash, root }) => ({
      value: { retentionClass, day, segment, id, frames, hash, root, isEnded: true },
    })),
  ];
}

function takeEnd({ ends }: Recovered, end: ChainEnd): void {
  const known = ends.get(end.retentionClass);
  if (known === undefined || end.segment >= known.segment) ends.set(end.retentionClass, end);
}

type Read = {
  header: SegmentHeader;
  chain: SegmentChain;
  isEnded: boolean;
  goodBytes: number;
  damage: ArchiveDamage | null;
};

/** Null when the file was only being made and is gone now. */
async function takeNewest(
  parts: RecoverParts,
  place: SegmentPlace,
  recovered: Recovered,
): Promise<Pick<Read, 'header'> | { header: null } | null> {
  const { fileSystem, signed } = parts;
  const certain = parts.certainBytes.get(place.path);
  if (certain !== undefined && (await fileSystem.size(place.path)) > certain) {
    recovered.recovery.cutBytes += (await fileSystem.size(place.path)) - certain;
    await fileSystem.truncate(place.path, certain);
  }
  const read = await readSegment(fileSystem, place, recovered.marks);
  if (read === null) {
    await fileSystem.remove(place.path);
    return null;
  }
  if ('reason' in read) {
    recovered.recovery.damage.push(read);
    takeEnd(recovered, unreadableEnd(place, recovered.ends.get(place.retentionClass)));
    return { header: null };
  }
  const promised = signed.checkpoints.at(-1)?.chains.find(({ id }) => id === read.header.id);
  const damage = read.damage ?? againstCheckpoint(place, read, promised);
  if (damage !== null) {
    recovered.recovery.damage.push(damage);
    takeEnd(recovered, promised ?? pointOf(read.header, read.chain.state(), read.isEnded));
    return read;
  }
  await close(parts, place, read, recovered.recovery);
  takeEnd(recovered, pointOf(read.header, read.chain.state(), true));
  return read;
}

/** Null: it has no whole header and nothing behind one, so no frame was ever written to it. */
async function readSegment(
  fileSystem: FileSystem,
  { path, retentionClass }: SegmentPlace,
  ofBoth: Marks,
): Promise<Read | ArchiveDamage | null> {
  const marks = ofBoth[isOfMetadata(retentionClass) ? 'metadata' : 'exchanges'];
  const file = await fileSystem.openRead(path);
  try {
    const window = new FileWindow(file, await file.size());
    const decoded = await scanHeader(window);
    if (decoded.status === 'incomplete') return null;
    if (decoded.status === 'damaged') return { path, offset: 0, reason: decoded.reason };
    const { header } = decoded;
    for (const mark of header.journals) marks.addCandidate(mark);
    const read: Read = {
      header,
      chain: new SegmentChain(decoded.hash),
      isEnded: false,
      goodBytes: decoded.bytes,
      damage: null,
    };
    let bad: ArchiveDamage | null = null;
    for await (const item of scanFrames(window, decoded.bytes)) {
      if (item.kind === 'bad') {
        bad ??= { path, offset: item.offset, reason: item.reason };
        continue;
      }
      const { head, headBytes, content } = item.frame;
      if (bad !== null) {
        // A lost sector before whole frames is a crash, unless one of them was made when what is lost was on disk.
        if (head.syncedFrames > read.chain.frames || read.isEnded) read.damage = bad;
        continue;
      }
      const isNext = !read.isEnded && head.frameNumber === read.chain.frames && read.chain.hash.equals(head.chain);
      if (!isNext) return { ...read, damage: { path, offset: item.offset, reason: 'the frame does not belong here' } };
      read.goodBytes = item.offset + item.frame.bytes;
      if (head.kind === 'end') {
        read.chain.close([headBytes, content]);
        read.isEnded = true;
        continue;
      }
      read.chain.add([headBytes, content]);
      if (head.kind === 'exchange') marks.addRecent({ ...head.place, exchangeId: head.exchangeId }, header);
    }
    // Behind an end frame nothing was ever written.
    if (bad !== null && read.isEnded) read.damage = bad;
    return read;
  } finally {
    await file.close();
  }
}

/** A restart must not begin anew from a file that was cut: what was signed was synced before. */
function againstCheckpoint(
  { path }: SegmentPlace,
  { chain, goodBytes }: Read,
  promised: ChainPoint | undefined,
): ArchiveDamage | null {
  if (promised === undefined) return null;
  const { frames, hash } = chain.state();
  const isLess =
    frames < promised.frames ||
    (frames === promised.frames && hash.toString('hex') !== promised.hash && promised.isEnded);
  return isLess
    ? { path, offset: goodBytes, reason: `it has ${frames} frames, and a checkpoint signed ${promised.frames}` }
    : null;
}

async function close(
  { fileSystem }: RecoverParts,
  place: SegmentPlace,
  { chain, goodBytes, isEnded }: Read,
  recovery: ArchiveRecovery,
): Promise<void> {
  const bytes = await fileSystem.size(place.path);
  if (bytes > goodBytes) {
    recovery.cutBytes += bytes - goodBytes;
    await fileSystem.truncate(place.path, goodBytes);
  }
  const file = await fileSystem.openAppend(place.path);
  try {
    if (!isEnded) await appendAll(file, [Buffer.concat(endFrame(chain, 'recovered'))]);
    // An end frame that is there may not be on disk: the process may have died before its sync.
    await file.datasync();
  } finally {
    await file.close();
  }
  if (!isEnded) recovery.closed += 1;
}

/** Its number is taken, whatever it holds. */
function unreadableEnd({ retentionClass, day, sequence }: SegmentPlace, known: ChainEnd | undefined): ChainEnd {
  if (known?.segment === sequence) return known;
  const nothing = '0'.repeat(64);
  return { retentionClass, day, segment: sequence, id: '', frames: 0, hash: nothing, root: nothing, isEnded: false };
}
