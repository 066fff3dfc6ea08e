/** What of one segment is there when a family is thinned out to what is held: the segment, or an excerpt that was made of it before. */
import type { KeyObject } from 'node:crypto';
import { SkilltapeError } from '../errors.ts';
import type { FileSystem } from '../journal/fs.ts';
import { type ChainPoint, type Checkpoint, checkpointsOf, type Tombstone } from './checkpoint.ts';
import { decodeSegmentHeader, type Frame, type FrameKind } from './format.ts';
import { type HeldItem, scanHeldHeader, scanHeldItems } from './held-format.ts';
import type { HeldPlace } from './held-places.ts';
import { leafHash, MerkleTree } from './merkle.ts';
import type { SegmentPlace } from './places.ts';
import { FileWindow, scanFrames, scanHeader } from './scan.ts';

/** `wasHeld`: an exchange that may be held still; in a segment each may. `owner`: as `ownerOf` says, of its key. */
export type SourceFrame = { number: number; kind: FrameKind; owner: string; exchangeId: string; wasHeld: boolean };

export type HeldSource = {
  place: SegmentPlace;
  /** Of the excerpt that it is; 0 for a segment. */
  generation: number;
  id: string;
  origin: Buffer;
  /** Of the whole segment. */
  frames: number;
  root: string;
  checkpoint: string;
  list: readonly SourceFrame[];
  /** Those that are wanted, in their order, with their ways to the root. */
  read(isWanted: (number: number) => boolean): AsyncGenerator<{ path: readonly Buffer[]; frame: Frame }>;
};

export type SourceParts = {
  fileSystem: FileSystem;
  /** Whose key it is, as far as can be told without opening it: the same text for the same person. */
  ownerOf: (sealed: Uint8Array) => string;
};

/** @param checkpoints the text of the writer's file. @throws SkilltapeError `archive_corrupt` */
export async function segmentSource(
  parts: SourceParts,
  place: SegmentPlace,
  checkpoints: string,
  publicKey: KeyObject,
): Promise<HeldSource> {
  const leaves: Buffer[] = [];
  const list: SourceFrame[] = [];
  const owners = new Map<number, string>();
  const scan = async function* () {
    yield* scanned(parts.fileSystem, place.path);
  };
  let origin: Buffer = Buffer.alloc(0);
  for await (const item of scan()) {
    if ('origin' in item) origin = item.origin;
    else {
      const { head, headBytes, content } = item;
      if (head.kind === 'key') owners.set(head.frameNumber, parts.ownerOf(content));
      leaves.push(leafHash([headBytes, content]));
      const { frameNumber: number, kind, exchangeId } = head;
      list.push({ number, kind, owner: owners.get(head.slot) ?? '', exchangeId, wasHeld: kind === 'exchange' });
    }
  }
  const decoded = decodeSegmentHeader(origin);
  if (decoded.status !== 'header') throw unusable(place.path, 'its header cannot be read');
  const tree = new MerkleTree(leaves);
  const [id, root] = [decoded.header.id, tree.root.toString('hex')];
  return {
    ...{ place, generation: 0, id, origin, frames: leaves.length, root, list },
    checkpoint: signedEnd(checkpoints, publicKey, { id, frames: leaves.length, root }, place.path),
    async *read(isWanted) {
      for await (const item of scan()) {
        if ('origin' in item || !isWanted(item.head.frameNumber)) continue;
        yield { path: tree.path(item.head.frameNumber), frame: item };
      }
    },
  };
}

/** @param stone says what the excerpt must be. @throws SkilltapeError `archive_corrupt` when it is another one */
export async function excerptSource(parts: SourceParts, place: HeldPlace, stone: Tombstone): Promise<HeldSource> {
  const [list, owners]: [SourceFrame[], Map<number, string>] = [[], new Map()];
  const { header, origin, items } = await excerptOf(parts.fileSystem, place.path);
  for await (const { frame, isHeld } of items()) {
    const { frameNumber: number, kind, exchangeId, slot } = frame.head;
    if (kind === 'key') owners.set(number, parts.ownerOf(frame.content));
    list.push({ number, kind, owner: owners.get(slot) ?? '', exchangeId, wasHeld: isHeld });
  }
  if (header.id !== stone.id || list.length !== stone.held?.frames)
    throw unusable(place.path, 'it is not what its tombstone says');
  const { id, frames, root, checkpoint } = header;
  return {
    ...{ place, generation: place.generation, id, origin, frames, root, checkpoint, list },
    async *read(isWanted) {
      for await (const { frame, path } of items()) if (isWanted(frame.head.frameNumber)) yield { path, frame };
    },
  };
}

async function* scanned(fileSystem: FileSystem, path: string): AsyncGenerator<Frame | { origin: Buffer }> {
  const file = await fileSystem.openRead(path);
  try {
    const window = new FileWindow(file, await file.size());
    const decoded = await scanHeader(window);
    if (decoded.status !== 'header') throw unusable(path, 'its header cannot be read');
    yield { origin: Buffer.from(await window.read(0, decoded.bytes)) };
    for await (const item of scanFrames(window, decoded.bytes)) {
      if (item.kind === 'bad') throw unusable(path, item.reason);
      if (item.frame.head.kind === 'end') return;
      yield item.frame;
    }
  } finally {
    await file.close();
  }
}

async function excerptOf(fileSystem: FileSystem, path: string) {
  const items = async function* (): AsyncGenerator<HeldItem & { frame: Frame }> {
    const file = await fileSystem.openRead(path);
    try {
      const window = new FileWindow(file, await file.size());
      const decoded = await scanHeldHeader(window);
      if (decoded.status !== 'header') throw unusable(path, decoded.reason);
      for await (const item of scanHeldItems(window, decoded.bytes)) {
        if (item.kind === 'bad') throw unusable(path, item.reason);
        yield item;
      }
    } finally {
      await file.close();
    }
  };
  const file = await fileSystem.openRead(path);
  try {
    const decoded = await scanHeldHeader(new FileWindow(file, await file.size()));
    if (decoded.status !== 'header') throw unusable(path, decoded.reason);
    return { header: decoded.header, origin: decoded.origin, items };
  } finally {
    await file.close();
  }
}

/** The first signed line that says the end of the segment. Only lines that name it are looked at. */
function signedEnd(
  checkpoints: string,
  publicKey: KeyObject,
  segment: Pick<ChainPoint, 'id' | 'frames' | 'root'>,
  path: string,
): string {
  for (let at = checkpoints.indexOf(segment.id); at >= 0; ) {
    const end = checkpoints.indexOf('\n', at);
    if (end < 0) break;
    const line = checkpoints.slice(checkpoints.lastIndexOf('\n', at) + 1, end);
    const [entry] = checkpointsOf(`${line}\n`, publicKey).entries;
    if (entry !== undefined && endIn(entry.value, segment) !== undefined) return line;
    at = checkpoints.indexOf(segment.id, end);
  }
  throw unusable(path, 'no checkpoint says its end', 'A start of the gateway signs it; then sweep again.');
}

/** The end of a segment as a checkpoint says it. */
export function endIn(
  { chains }: Checkpoint,
  { id, frames, root }: Pick<ChainPoint, 'id' | 'frames' | 'root'>,
): ChainPoint | undefined {
  const point = chains.find((one) => one.id === id);
  return point?.isEnded && point.frames === frames && point.root === root ? point : undefined;
}

function unusable(path: string, why: string, remedy = 'See `skilltape verify`.'): SkilltapeError {
  return new SkilltapeError('archive_corrupt', `held records of ${path} cannot be moved: ${why}`, { remedy });
}
