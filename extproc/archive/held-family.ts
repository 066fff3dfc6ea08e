/**
 * Thins a family out to the records that are held: excerpts of its segments, which prove what is in them by themselves,
 * are on disk before the tombstones that name them, and those before anything goes. A step that broke off is done again.
 */
import { createHash } from 'node:crypto';
import { dirname, join } from 'node:path';
import { SkilltapeError } from '../errors.ts';
import type { FileSystem } from '../journal/fs.ts';
import type { Tombstone } from './checkpoint.ts';
import { type Deleted, type DeletionParts, deleteFamily, type Family, remove } from './deletion.ts';
import { encodeHeldHeader, encodeHeldItem } from './held-format.ts';
import { type HeldPlace, heldDirectory, heldIn, heldPath } from './held-places.ts';
import { excerptSource, type HeldSource, type SourceParts, segmentSource } from './held-source.ts';
import { appendAll } from './open-segment.ts';
import { checkpointsFile, namesIn, segmentsOf } from './places.ts';
import { readLog } from './signed-log.ts';
import type { SigningKey } from './signing.ts';

/** `heldOf` says which of these exchanges a hold covers. `stones`: all of the writer, in the order of their numbers. */
export type ThinParts = DeletionParts &
  SourceParts & {
    key: SigningKey;
    stones: readonly Tombstone[];
    heldOf: (exchangeIds: readonly string[]) => Promise<ReadonlySet<string>>;
  };

/** `held`: exchanges that stay, and what they take. */
export type Thinned = Deleted & { held: { exchanges: number; bytes: number } };

type Excerpt = { path: string; held: NonNullable<Tombstone['held']> };

/**
 * Exchanges refer to what the same person said before in the family, so all frames of that person up to the last held one
 * come along. @throws SkilltapeError `archive_corrupt` for what is damaged: nothing goes then
 */
export async function thinFamily(parts: ThinParts, family: Family, reason: string): Promise<Thinned> {
  const sources = await sourcesOf(parts, family);
  // What an earlier sweep did not come to name must not stay behind a tombstone that says less.
  await removeOthers(parts, family, new Set(sources.map(({ place }) => place.path)));
  const candidates = sources.flatMap(({ list }) => list.filter(({ wasHeld }) => wasHeld));
  const held = await parts.heldOf(candidates.map(({ exchangeId }) => exchangeId));
  const limits = lastOf(sources, held);
  const excerpts = new Map<number, Excerpt>();
  for (const source of sources) {
    const wanted = wantedOf(source, limits);
    if (wanted.size === 0) continue;
    const before = asItIs(parts, source, wanted, held);
    excerpts.set(source.place.sequence, before ?? (await writeExcerpt(parts, source, wanted, held)));
  }
  const facts = new Map([...excerpts].map(([sequence, excerpt]) => [sequence, excerpt.held]));
  const reduced = await reduceExcerpts(parts, sources, facts, reason);
  const { segments, exchanges, bytes } = await deleteFamily(parts, family, reason, facts);
  await removeOthers(parts, family, new Set([...excerpts.values()].map(({ path }) => path)));
  const kept = { exchanges: held.size, bytes: 0 };
  for (const { held: one } of excerpts.values()) kept.bytes += one.bytes;
  return { segments, exchanges: exchanges + reduced.exchanges, bytes: bytes + reduced.bytes, held: kept };
}

/** The newest first, as segments go: what is listed still refers to nothing that is gone. Each is named before the one it replaces goes. */
async function reduceExcerpts(
  { log, stones, nowMs, fileSystem }: ThinParts,
  sources: readonly HeldSource[],
  facts: ReadonlyMap<number, Excerpt['held']>,
  reason: string,
): Promise<{ exchanges: number; bytes: number }> {
  const gone = { exchanges: 0, bytes: 0 };
  for (const { generation, place } of sources.toReversed()) {
    const stone = generation === 0 ? undefined : stoneOf(stones, place);
    const [before, after] = [stone?.held, facts.get(place.sequence) ?? null];
    if (stone === undefined || before == null || before.hash === after?.hash) continue;
    const { number: _number, previous: _previous, ...rest } = stone;
    await log.append({ ...rest, version: 2, timeMs: nowMs(), reason, held: after });
    await remove(fileSystem, place.path);
    gone.exchanges += before.exchanges - (after?.exchanges ?? 0);
    gone.bytes += before.bytes - (after?.bytes ?? 0);
  }
  return gone;
}

/** What of the family is there: excerpts count where their segment is gone, and then the one that its tombstone names. */
async function sourcesOf(parts: ThinParts, { retentionClass, day }: Family): Promise<HeldSource[]> {
  const { directory, fileSystem, key, stones } = parts;
  const isOf = (one: Family) => one.retentionClass === retentionClass && one.day === day;
  const segments = await segmentsOf(directory, { retentionClass, day }, fileSystem);
  const checkpoints = segments.length === 0 ? '' : await readLog(join(directory, checkpointsFile), fileSystem);
  const sources: HeldSource[] = [];
  for (const place of segments) sources.push(await segmentSource(parts, place, checkpoints, key.publicKey));
  const gone = (await heldIn(directory, fileSystem)).filter(
    (place) => isOf(place) && !segments.some(({ sequence }) => sequence === place.sequence),
  );
  for (const sequence of new Set(gone.map((place) => place.sequence))) {
    const own = gone.filter((place) => place.sequence === sequence);
    const stone = stoneOf(stones, { retentionClass, sequence });
    // A segment goes behind its tombstone alone: one that cannot be read says nothing, also not that this may go.
    if (stone === undefined) throw lacking(own[0]?.path ?? '');
    if (stone.held == null) continue;
    const named = await namedBy(fileSystem, own, stone.held.hash);
    if (named === undefined) throw lacking(own[0]?.path ?? '');
    sources.push(await excerptSource(parts, named, stone));
  }
  return sources.sort((a, b) => a.place.sequence - b.place.sequence);
}

async function namedBy(
  fileSystem: FileSystem,
  places: readonly HeldPlace[],
  hash: string,
): Promise<HeldPlace | undefined> {
  for (const place of places) if ((await fileHash(fileSystem, place.path)) === hash) return place;
  return undefined;
}

const pieceBytes = 1024 * 1024;

export async function fileHash(fileSystem: FileSystem, path: string): Promise<string> {
  const file = await fileSystem.openRead(path);
  try {
    const [hash, size] = [createHash('sha256'), await file.size()];
    for (let at = 0; at < size; ) {
      const bytes = await file.read(at, Math.min(pieceBytes, size - at));
      if (bytes.length === 0) break;
      hash.update(bytes);
      at += bytes.length;
    }
    return hash.digest('hex');
  } finally {
    await file.close();
  }
}

export function stoneOf(
  stones: readonly Tombstone[],
  { retentionClass, sequence }: { retentionClass: string; sequence: number },
): Tombstone | undefined {
  return stones.findLast((stone) => stone.retentionClass === retentionClass && stone.segment === sequence);
}

type Last = { sequence: number; number: number };

/** Of each person the last exchange that is held: nothing refers forward. */
function lastOf(sources: readonly HeldSource[], held: ReadonlySet<string>): Map<string, Last> {
  const last = new Map<string, Last>();
  for (const { place, list } of sources) {
    for (const { owner, number, exchangeId, wasHeld } of list)
      if (wasHeld && held.has(exchangeId)) last.set(owner, { sequence: place.sequence, number });
  }
  return last;
}

/** The first frame comes along too: it names the header of the segment, which nothing else proves. */
function wantedOf({ place, list }: HeldSource, limits: ReadonlyMap<string, Last>): Set<number> {
  const wanted = list.filter(({ owner, number }) => {
    const last = limits.get(owner);
    if (last === undefined) return false;
    return place.sequence < last.sequence || (place.sequence === last.sequence && number <= last.number);
  });
  return new Set(wanted.length === 0 ? [] : [0, ...wanted.map(({ number }) => number)]);
}

/** Null when the excerpt has to be made, or made anew. */
function asItIs(
  { stones }: ThinParts,
  { generation, place, list }: HeldSource,
  wanted: ReadonlySet<number>,
  held: ReadonlySet<string>,
): Excerpt | null {
  const isSame = list.every(
    ({ number, wasHeld, exchangeId }) => wanted.has(number) && (!wasHeld || held.has(exchangeId)),
  );
  const before = generation > 0 && isSame ? stoneOf(stones, place)?.held : null;
  return before == null ? null : { path: place.path, held: before };
}

/** Whole and on disk under its name on return, or not there. */
async function writeExcerpt(
  { directory, fileSystem, writer, nowMs }: ThinParts,
  source: HeldSource,
  wanted: ReadonlySet<number>,
  held: ReadonlySet<string>,
): Promise<Excerpt> {
  const { place, id, frames, root, checkpoint, origin, list } = source;
  const { retentionClass, day, sequence } = place;
  const generation = source.generation + 1;
  const path = heldPath(directory, { retentionClass, day, sequence, generation });
  const unfinished = `${path}.tmp`;
  await remove(fileSystem, unfinished);
  await fileSystem.makeDirectory(dirname(path));
  const file = await fileSystem.createAppend(unfinished);
  const hash = createHash('sha256');
  const counts = { exchanges: 0, frames: 0, bytes: 0 };
  const append = async (parts: readonly Buffer[]) => {
    const bytes = Buffer.concat(parts);
    hash.update(bytes);
    counts.bytes += bytes.length;
    await appendAll(file, [bytes]);
  };
  const heldNumbers = new Set(
    list.filter(({ wasHeld, exchangeId }) => wasHeld && held.has(exchangeId)).map(({ number }) => number),
  );
  try {
    const facts = {
      writer,
      retentionClass,
      day,
      sequence,
      id,
      frames,
      root,
      generation,
      createdMs: nowMs(),
      checkpoint,
    };
    await append([encodeHeldHeader(facts, origin)]);
    for await (const { path: hashes, frame } of source.read((number) => wanted.has(number))) {
      const isHeld = heldNumbers.has(frame.head.frameNumber);
      await append(encodeHeldItem({ isHeld, path: hashes }, [frame.headBytes, frame.content]));
      counts.frames += 1;
      if (isHeld) counts.exchanges += 1;
    }
    await file.datasync();
  } finally {
    await file.close();
  }
  await fileSystem.rename(unfinished, path);
  await fileSystem.syncDirectory(dirname(path));
  return { path, held: { generation, ...counts, hash: hash.digest('hex') } };
}

/** Earlier excerpts, and what a crash left of one. */
async function removeOthers(
  { fileSystem, directory }: ThinParts,
  family: Family,
  kept: ReadonlySet<string>,
): Promise<void> {
  const folder = heldDirectory(directory, family);
  for (const name of await namesIn(folder, fileSystem))
    if (!kept.has(join(folder, name))) await remove(fileSystem, join(folder, name));
}

function lacking(path: string): SkilltapeError {
  return new SkilltapeError('archive_corrupt', `${path} is not what its tombstone says, and is left as it is`, {
    remedy: 'See `skilltape verify`.',
  });
}
