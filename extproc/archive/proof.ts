/** Proves that one exchange stands in the archive as it was recorded, without a byte of its neighbours. */
import type { KeyObject } from 'node:crypto';
import { join } from 'node:path';
import { z } from 'zod';
import { SkilltapeError } from '../errors.ts';
import type { FileSystem } from '../journal/fs.ts';
import { classOfChain, isOfMetadata } from './chain-name.ts';
import { type Checkpoint, checkpointsOf, type SignedEntry } from './checkpoint.ts';
import { decodeFrame, type Frame, jsonOf } from './format.ts';
import { scanHeldHeader, scanHeldItems } from './held-format.ts';
import { heldIn } from './held-places.ts';
import { leafHash, MerkleTree, rootOfPath } from './merkle.ts';
import { checkpointsFile, segmentsIn, writersIn } from './places.ts';
import { beganMsOf } from './reader.ts';
import { FileWindow, scanFrames, scanHeader } from './scan.ts';
import { readLog } from './signed-log.ts';
import { writerOf } from './signing.ts';

const hash = z.string().regex(/^[0-9a-f]{64}$/);

/** JSON. `frame`: the sealed frame as it stands on disk, base64. `checkpoint`: the signed line that covers it. */
const proofSchema = z.strictObject({
  version: z.literal(1),
  exchangeId: z.string().max(36),
  writer: z.string().max(16),
  /** The id of the segment, as the checkpoint names it. */
  segmentId: z.string().max(32),
  frameNumber: z.int().nonnegative(),
  frame: z.base64(),
  path: z.array(hash).max(64),
  checkpoint: z.string(),
});
export type Proof = z.output<typeof proofSchema>;

export type ProofCheck =
  | {
      kind: 'proven';
      exchangeId: string;
      /** `metadata`: what was left of it when the days of its content were over. */
      of: 'exchange' | 'metadata';
      retentionClass: string;
      day: string;
      signedMs: number;
      checkpoint: number;
    }
  | { kind: 'refuted'; reason: string };

/** Of its metadata where nothing else is left. Null when the archive has no such exchange. @throws SkilltapeError `not_found` when nothing signed covers it yet */
export async function proofOf(
  directory: string,
  fileSystem: FileSystem,
  exchangeId: string,
  publicKey: (writer: string) => KeyObject,
): Promise<Proof | null> {
  const firstDay = new Date(Math.max(0, beganMsOf(exchangeId) - 86_400_000)).toISOString().slice(0, 10);
  for (const writer of await writersIn(directory, fileSystem)) {
    const base = join(directory, writer);
    const segments = (await segmentsIn(base, fileSystem)).filter(({ day }) => day >= firstDay);
    const held = await heldIn(base, fileSystem);
    for (const isWanted of [ofExchanges, ofMetadata]) {
      for (const { path } of segments.filter(isWanted)) {
        const found = await foundIn(fileSystem, path, exchangeId);
        if (found === null) continue;
        const { entries } = checkpointsOf(await readLog(join(base, checkpointsFile), fileSystem), publicKey(writer));
        return proven(found, exchangeId, writer, entries);
      }
      for (const { path } of held.filter(isWanted)) {
        const found = await heldProofIn(fileSystem, path, exchangeId);
        if (found !== null) return found;
      }
    }
  }
  return null;
}

const ofMetadata = (place: { retentionClass: string }) => isOfMetadata(place.retentionClass);
const ofExchanges = (place: { retentionClass: string }) => !ofMetadata(place);

/** Against the writer's public key alone; the archive is not looked at. */
export function checkProof(text: string, publicKey: KeyObject): ProofCheck {
  const parsed = proofSchema.safeParse(jsonOf(text));
  if (!parsed.success) return refuted('it is not a proof of version 1');
  const proof = parsed.data;
  const [entry] = checkpointsOf(`${proof.checkpoint}\n`, publicKey).entries;
  if (entry === undefined || proof.writer !== writerOf(publicKey))
    return refuted('its checkpoint is not signed with this key');
  const frameBytes = Buffer.from(proof.frame, 'base64');
  const frame = decodeFrame(frameBytes);
  const isWhole = frame.status === 'frame' && frame.bytes === frameBytes.length;
  if (!isWhole || frame.head.kind !== 'exchange') return refuted('its frame is not one of an exchange');
  if (frame.head.exchangeId !== proof.exchangeId) return refuted('its frame is that of another exchange');
  const point = entry.value.chains.find(({ id }) => id === proof.segmentId);
  if (point === undefined) return refuted('its checkpoint does not name the segment');
  const path = proof.path.map((one) => Buffer.from(one, 'hex'));
  const root = rootOfPath(leafHash([frameBytes]), frame.head.frameNumber, point.frames, path);
  if (root?.toString('hex') !== point.root) return refuted('the frame is not in the tree that the checkpoint signed');
  const { number, timeMs } = entry.value;
  return {
    kind: 'proven',
    exchangeId: proof.exchangeId,
    of: isOfMetadata(point.retentionClass) ? 'metadata' : 'exchange',
    retentionClass: classOfChain(point.retentionClass),
    day: point.day,
    signedMs: timeMs,
    checkpoint: number,
  };
}

type Found = { segmentId: string; leaves: Buffer[]; frame: Frame };

async function foundIn(fileSystem: FileSystem, path: string, exchangeId: string): Promise<Found | null> {
  const file = await fileSystem.openRead(path);
  try {
    const window = new FileWindow(file, await file.size());
    const decoded = await scanHeader(window);
    if (decoded.status !== 'header') return null;
    const leaves: Buffer[] = [];
    let own: Frame | undefined;
    for await (const item of scanFrames(window, decoded.bytes)) {
      if (item.kind === 'bad' || item.frame.head.kind === 'end') break;
      const { head, headBytes, content } = item.frame;
      leaves.push(leafHash([headBytes, content]));
      if (head.kind === 'exchange' && head.exchangeId === exchangeId)
        own = { ...item.frame, headBytes: Buffer.from(headBytes), content: Buffer.from(content) };
    }
    return own === undefined ? null : { segmentId: decoded.header.id, leaves, frame: own };
  } finally {
    await file.close();
  }
}

/** What an excerpt has of it is a proof already. */
async function heldProofIn(fileSystem: FileSystem, path: string, exchangeId: string): Promise<Proof | null> {
  const file = await fileSystem.openRead(path);
  try {
    const window = new FileWindow(file, await file.size());
    const decoded = await scanHeldHeader(window);
    if (decoded.status !== 'header') return null;
    const { writer, id: segmentId, checkpoint } = decoded.header;
    for await (const item of scanHeldItems(window, decoded.bytes)) {
      if (item.kind === 'bad') return null;
      const { head, headBytes, content } = item.frame;
      if (!item.isHeld || head.exchangeId !== exchangeId) continue;
      const hashes = item.path.map((one) => one.toString('hex'));
      const frame = Buffer.concat([headBytes, content]).toString('base64');
      const { frameNumber } = head;
      return { version: 1, exchangeId, writer, segmentId, frameNumber, frame, path: hashes, checkpoint };
    }
    return null;
  } finally {
    await file.close();
  }
}

function proven(
  { segmentId, leaves, frame }: Found,
  exchangeId: string,
  writer: string,
  entries: readonly SignedEntry<Checkpoint>[],
): Proof {
  const { frameNumber } = frame.head;
  for (const { line, value } of entries) {
    const point = value.chains.find(
      ({ id, frames }) => id === segmentId && frames > frameNumber && frames <= leaves.length,
    );
    if (point === undefined) continue;
    const path = new MerkleTree(leaves.slice(0, point.frames)).path(frameNumber).map((one) => one.toString('hex'));
    const bytes = Buffer.concat([frame.headBytes, frame.content]).toString('base64');
    return { version: 1, exchangeId, writer, segmentId, frameNumber, frame: bytes, path, checkpoint: line };
  }
  throw new SkilltapeError('not_found', `no checkpoint covers the exchange ${exchangeId} yet`, {
    remedy: 'Ask again after `archive.checkpointIntervalMs`.',
  });
}

function refuted(reason: string): ProofCheck {
  return { kind: 'refuted', reason };
}
