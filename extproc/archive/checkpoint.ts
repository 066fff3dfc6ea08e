/** What a writer signs: the state of its chains now and then, and the segments that it deleted. */
import type { KeyObject } from 'node:crypto';
import { z } from 'zod';
import type { ChainState } from './chain.ts';
import { chainPattern } from './chain-name.ts';
import type { SegmentHeader } from './format.ts';
import { lineHash, type SignedKind, verifiedLine } from './signing.ts';

const hash = z.string().regex(/^[0-9a-f]{64}$/);
const count = z.int().nonnegative();
/** The name of a chain. */
const retentionClass = z.string().regex(chainPattern);
const day = z.string().regex(/^\d{4}-\d{2}-\d{2}$/);

/** The newest segment of a class as it was: its first `frames` frames. `isEnded`: with its end frame, in `hash` alone. */
const chainPoint = z.strictObject({
  retentionClass,
  day,
  segment: z.int().positive(),
  id: z.string(),
  frames: count,
  hash,
  root: hash,
  isEnded: z.boolean(),
});
export type ChainPoint = z.output<typeof chainPoint>;

/** What is signed of a segment in this state. */
export function pointOf(
  { retentionClass, day, sequence, id }: Pick<SegmentHeader, 'retentionClass' | 'day' | 'sequence' | 'id'>,
  { frames, hash: chain, root }: ChainState,
  isEnded: boolean,
): ChainPoint {
  const hashes = { hash: chain.toString('hex'), root: root.toString('hex') };
  return { retentionClass, day, segment: sequence, id, frames, ...hashes, isEnded };
}

const checkpoint = z.strictObject({
  version: z.literal(1),
  writer: z.string(),
  /** From 1, without a gap. */
  number: z.int().positive(),
  timeMs: count,
  /** SHA-256 of the line before; null for the first one. */
  previous: hash.nullable(),
  /** One for each class that the writer ever had, and one more for a segment that ended since the last checkpoint. */
  chains: z.array(chainPoint),
  /** Tombstones so far, and the hash of the last line of them. */
  tombstones: z.strictObject({ count, last: hash.nullable() }),
});
export type Checkpoint = z.output<typeof checkpoint>;

const tombstone = z.strictObject({
  version: z.literal([1, 2]),
  writer: z.string(),
  number: z.int().positive(),
  timeMs: count,
  previous: hash.nullable(),
  retentionClass,
  day,
  segment: z.int().positive(),
  id: z.string(),
  frames: count,
  hash,
  root: hash,
  /** The chain at the end of the segment before it, as its header named it. */
  before: hash.nullable(),
  exchanges: count,
  bytes: count,
  /** In the words of whoever deleted: `retention`. */
  reason: z.string().max(200),
  /**
   * Version 2: what of the segment stays in an excerpt because it is held, and the SHA-256 of that file. The last one of a
   * segment counts; null: nothing any more.
   */
  held: z
    .strictObject({ generation: z.int().positive(), exchanges: count, frames: count, bytes: count, hash })
    .nullable()
    .optional(),
});
export type Tombstone = z.output<typeof tombstone>;

/** Takes each checkpoint, a signed line, to a place that whoever can change the archive cannot change. */
export type CheckpointSink = {
  name: string;
  deliver(line: string, checkpoint: Checkpoint): Promise<void>;
  /** When the archive was closed. */
  close?(): Promise<void>;
};

export type SignedEntry<T> = { line: string; hash: string; value: T };
/** A line that is no signed line of this writer: place in the file, from 1. */
export type BadLine = { line: number; reason: string };
export type SignedFile<T> = { entries: SignedEntry<T>[]; bad: BadLine[]; places: number[]; tornBytes: number };

export function checkpointsOf(text: string, publicKey: KeyObject): SignedFile<Checkpoint> {
  return signedEntriesOf('checkpoint', text, publicKey, checkpoint);
}

export function tombstonesOf(text: string, publicKey: KeyObject): SignedFile<Tombstone> {
  return signedEntriesOf('tombstone', text, publicKey, tombstone);
}

/** What of a file of signed lines is as it was signed. */
export function signedEntriesOf<T>(
  kind: SignedKind,
  text: string,
  publicKey: KeyObject,
  schema: z.ZodType<T>,
): SignedFile<T> {
  const lines = text.split('\n');
  // What stands behind the last line end is what a crash left of a line.
  const tornBytes = Buffer.byteLength(lines.pop() ?? '');
  const file: SignedFile<T> = { entries: [], bad: [], places: [], tornBytes };
  for (const [at, line] of lines.entries()) {
    const parsed = schema.safeParse(verifiedLine(kind, line, publicKey));
    if (!parsed.success) {
      file.bad.push({ line: at + 1, reason: 'it is not signed by this writer, or was changed' });
      continue;
    }
    file.entries.push({ line, hash: lineHash(line), value: parsed.data });
    file.places.push(at + 1);
  }
  return file;
}
