/** Layout of an excerpt: the frames of one segment that held records need, each with its way to the root. README.md draws it. */
import { crc32 } from 'node:zlib';
import { z } from 'zod';
import { chainPattern } from './chain-name.ts';
import { asBuffer, decodeFrame, type Frame, HASH_BYTES, headerMaxBytes, jsonOf } from './format.ts';
import type { FileWindow } from './scan.ts';

export const HELD_VERSION = 1;
const MAGIC = Buffer.from('SKTH', 'latin1');
const FRAME_MARKER = Buffer.from('SKHF', 'latin1');
const HEADER_FIXED_BYTES = 12;
/** Most of it is one signed line, which names every class that the writer ever had. */
const headerJsonMaxBytes = 1024 * 1024;
const ITEM_HEAD_BYTES = 12;
/** A tree of more leaves than a frame number can count has no path so long. */
export const pathMaxHashes = 64;

const hash = z.string().regex(/^[0-9a-f]{64}$/);

const heldHeader = z.strictObject({
  writer: z.string().regex(/^[0-9a-f]{16}$/),
  retentionClass: z.string().regex(chainPattern),
  day: z.string().regex(/^\d{4}-\d{2}-\d{2}$/),
  /** Of the segment. */
  sequence: z.int().positive(),
  id: z.string().regex(/^[0-9a-f]{32}$/),
  frames: z.int().nonnegative(),
  root: hash,
  generation: z.int().positive(),
  createdMs: z.int().nonnegative(),
  /** The signed line that says the root over all frames of the segment. */
  checkpoint: z.string(),
});
export type HeldHeader = z.output<typeof heldHeader>;

/** `origin`: the header of the segment, as it stood there. */
export type HeldHeaderDecoding =
  | { status: 'header'; header: HeldHeader; origin: Buffer; bytes: number }
  | { status: 'damaged'; reason: string };

/** "SKTH" | version u16 | 0 u16 | JSON length u32 | JSON | origin length u32 | origin | crc32 u32 of all before it. */
export function encodeHeldHeader(header: HeldHeader, origin: Uint8Array): Buffer {
  const json = Buffer.from(JSON.stringify(header));
  const bytes = Buffer.alloc(HEADER_FIXED_BYTES + json.length + 4 + origin.length + 4);
  bytes.set(MAGIC, 0);
  bytes.writeUInt16LE(HELD_VERSION, 4);
  bytes.writeUInt32LE(json.length, 8);
  bytes.set(json, HEADER_FIXED_BYTES);
  bytes.writeUInt32LE(origin.length, HEADER_FIXED_BYTES + json.length);
  bytes.set(origin, HEADER_FIXED_BYTES + json.length + 4);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, -4)), bytes.length - 4);
  return bytes;
}

export async function scanHeldHeader(window: FileWindow): Promise<HeldHeaderDecoding> {
  const fixed = await window.read(0, HEADER_FIXED_BYTES);
  if (fixed.length < HEADER_FIXED_BYTES || !fixed.subarray(0, 4).equals(MAGIC))
    return damaged('it is no file of held records');
  const version = fixed.readUInt16LE(4);
  if (version !== HELD_VERSION) return damaged(`its version is ${version}, which this program cannot read`);
  const jsonBytes = fixed.readUInt32LE(8);
  if (jsonBytes > headerJsonMaxBytes) return damaged('the length of its header is out of range');
  const originAt = HEADER_FIXED_BYTES + jsonBytes + 4;
  const begin = await window.read(0, originAt);
  if (begin.length < originAt) return damaged('its header is cut short');
  const originBytes = begin.readUInt32LE(originAt - 4);
  if (originBytes > headerMaxBytes) return damaged('the length of its header is out of range');
  const end = originAt + originBytes + 4;
  const bytes = await window.read(0, end);
  if (bytes.length < end) return damaged('its header is cut short');
  if (crc32(bytes.subarray(0, end - 4)) !== bytes.readUInt32LE(end - 4))
    return damaged('the checksum of its header is wrong');
  const parsed = heldHeader.safeParse(jsonOf(bytes.toString('utf8', HEADER_FIXED_BYTES, originAt - 4)));
  if (!parsed.success) return damaged('its header says what no header may say');
  return { status: 'header', header: parsed.data, origin: Buffer.from(bytes.subarray(originAt, end - 4)), bytes: end };
}

/** `isHeld`: an exchange that a hold covers; the other frames are what such exchanges refer to. */
export type HeldItem = { isHeld: boolean; path: readonly Buffer[] };

/** "SKHF" | held u16 | hashes u16 | frame length u32 | hashes, from the leaf up | frame, as it stood there. */
export function encodeHeldItem({ isHeld, path }: HeldItem, frame: readonly Uint8Array[]): Buffer[] {
  const head = Buffer.alloc(ITEM_HEAD_BYTES);
  head.set(FRAME_MARKER, 0);
  head.writeUInt16LE(isHeld ? 1 : 0, 4);
  head.writeUInt16LE(path.length, 6);
  head.writeUInt32LE(
    frame.reduce((sum, { length }) => sum + length, 0),
    8,
  );
  return [head, ...path, ...frame.map(asBuffer)];
}

/** `offset`: of the frame in the file. After a bad place nothing more is told. */
export type ScannedHeldItem =
  | (HeldItem & { kind: 'frame'; offset: number; frame: Frame })
  | { kind: 'bad'; offset: number; reason: string };

export async function* scanHeldItems(window: FileWindow, from: number): AsyncGenerator<ScannedHeldItem> {
  for (let at = from; at < window.sizeBytes; ) {
    const head = await window.read(at, ITEM_HEAD_BYTES);
    if (head.length < ITEM_HEAD_BYTES || !head.subarray(0, 4).equals(FRAME_MARKER) || head.readUInt16LE(4) > 1) {
      yield { kind: 'bad', offset: at, reason: 'no frame begins here' };
      return;
    }
    const [isHeld, hashes, length] = [head.readUInt16LE(4) === 1, head.readUInt16LE(6), head.readUInt32LE(8)];
    const pathAt = at + ITEM_HEAD_BYTES;
    const offset = pathAt + hashes * HASH_BYTES;
    const end = offset + length;
    if (hashes > pathMaxHashes || end > window.sizeBytes) {
      yield { kind: 'bad', offset: at, reason: 'the length of the frame is out of range' };
      return;
    }
    const bytes = Buffer.from(await window.read(pathAt, end - pathAt));
    const path = Array.from({ length: hashes }, (_, one) => bytes.subarray(one * HASH_BYTES, (one + 1) * HASH_BYTES));
    const frame = decodeFrame(bytes.subarray(offset - pathAt));
    if (frame.status !== 'frame' || frame.bytes !== length) {
      const reason = frame.status === 'damaged' ? frame.reason : 'the length of the frame is wrong';
      yield { kind: 'bad', offset, reason };
      return;
    }
    yield { kind: 'frame', isHeld, path, offset, frame };
    at = end;
  }
}

function damaged(reason: string): HeldHeaderDecoding {
  return { status: 'damaged', reason };
}
