/** One segment opened for reading, or what holds kept of it: its frames by number, and their plain content for whoever has the key. */
import type { KeyObject } from 'node:crypto';
import { zstdDecompressSync } from 'node:zlib';
import { SkilltapeError } from '../errors.ts';
import type { FileSystem, ReadFile } from '../journal/fs.ts';
import { frameKey, type OpenedKey, type Opener, openContent } from './cipher.ts';
import { dictionaryOf, SlotDictionary } from './dictionary.ts';
import {
  decodeFrame,
  decodeSegmentHeader,
  type Frame,
  type FrameHead,
  frameContentMaxBytes,
  type JournalPlace,
  type SegmentHeader,
} from './format.ts';
import { scanHeldHeader, scanHeldItems } from './held-format.ts';
import { heldSuffix } from './held-places.ts';
import { FileWindow, scanFrames, scanHeader } from './scan.ts';

export type ExchangeEntry = { exchangeId: string; frame: number; place: JournalPlace };

/** Why what is there cannot be read. */
export type Unopened = Exclude<OpenedKey, { kind: 'opened' }>;

type Slot = { key: KeyObject | Unopened; frames: number[]; dictionary: SlotDictionary; dictionaryFrames: number };
type Place = { offset: number; bytes: number; head: Pick<FrameHead, 'kind' | 'slot'> };

/** Plain content of frames that are kept, since exchanges refer to the same ones again and again. */
const keptPlainMaxBytes = 16 * 1024 * 1024;

export class SegmentReader {
  readonly path: string;
  readonly header: SegmentHeader;
  readonly #hash: Buffer;
  readonly #file: ReadFile;
  readonly #opener: Opener;
  /** By frame number, in their order. */
  readonly #places = new Map<number, Place>();
  readonly exchanges: ExchangeEntry[] = [];
  readonly #slots = new Map<number, Slot>();
  readonly #plain = new Map<number, Buffer>();
  #plainBytes = 0;

  private constructor(path: string, header: SegmentHeader, hash: Buffer, file: ReadFile, opener: Opener) {
    this.path = path;
    this.header = header;
    this.#hash = hash;
    this.#file = file;
    this.#opener = opener;
  }

  static async open(fileSystem: FileSystem, path: string, opener: Opener): Promise<SegmentReader> {
    const file = await fileSystem.openRead(path);
    try {
      const window = new FileWindow(file, await file.size());
      return await (path.endsWith(heldSuffix) ? heldReader : segmentReader)(window, path, (header, hash) => {
        return new SegmentReader(path, header, hash, file, opener);
      });
    } catch (thrown) {
      await file.close();
      throw thrown;
    }
  }

  /** The frame as it stands on disk. */
  async frame(number: number): Promise<Frame> {
    const place = this.#places.get(number);
    if (place === undefined) throw corrupt(this.path, 0, `it has no whole frame ${number}`);
    const bytes = await this.#file.read(place.offset, place.bytes);
    const decoded = decodeFrame(bytes);
    if (decoded.status !== 'frame') throw corrupt(this.path, place.offset, 'the frame is damaged');
    return decoded;
  }

  /** @param isListed whether its exchange is one of `exchanges` */
  note(offset: number, { head, bytes }: Frame, isListed: boolean): void {
    const { frameNumber: frame, kind, slot, exchangeId, place } = head;
    this.#places.set(frame, { offset, bytes, head: { kind, slot } });
    if (kind === 'exchange' && isListed) this.exchanges.push({ exchangeId, frame, place });
  }

  get nextFrame(): number {
    return this.#places.size;
  }

  /** Or why the key that it was sealed with is not there. @throws SkilltapeError `archive_corrupt` */
  async plain(number: number): Promise<Buffer | Unopened> {
    const kept = this.#plain.get(number);
    if (kept !== undefined) return kept;
    const slotNumber = this.#places.get(number)?.head.slot;
    const slot = slotNumber === undefined ? undefined : await this.#slot(slotNumber);
    if (slot === undefined) throw corrupt(this.path, 0, `it has no whole frame ${number}`);
    if ('kind' in slot.key) return slot.key;
    const plain = await this.#decoded(slot, slot.key, number);
    this.#keep(number, plain);
    return plain;
  }

  async close(): Promise<void> {
    await this.#file.close();
  }

  async #slot(number: number): Promise<Slot | undefined> {
    const known = this.#slots.get(number);
    if (known !== undefined) return known;
    if (this.#places.get(number)?.head.kind !== 'key') return undefined;
    const { content } = await this.frame(number);
    const opened = await this.#opener.open(content, this.#hash);
    const key = opened.kind === 'opened' ? frameKey(opened.key) : opened;
    const frames = [...this.#places].flatMap(([at, { head }]) =>
      head.slot === number && head.kind !== 'key' ? [at] : [],
    );
    const slot = { key, frames, dictionary: new SlotDictionary(), dictionaryFrames: 0 };
    this.#slots.set(number, slot);
    return slot;
  }

  async #decoded(slot: Slot, key: KeyObject, number: number): Promise<Buffer> {
    const { head, headBytes, content } = await this.frame(number);
    const opened = openContent(key, this.#hash, headBytes, head.frameNumber, content);
    const offset = this.#places.get(number)?.offset ?? 0;
    if (opened === undefined || opened.length < 4)
      throw corrupt(this.path, offset, 'the frame is not authentic: forged, or moved');
    const wanted = opened.readUInt32LE(0);
    // Only frames before this one are in it, so this ends.
    while (slot.dictionary.bytes.length < wanted) {
      const next = slot.frames[slot.dictionaryFrames];
      if (next === undefined || next >= number)
        throw corrupt(this.path, offset, 'the frame needs bytes that no frame before it has');
      slot.dictionaryFrames += 1;
      const before = this.#plain.get(next) ?? (await this.#decoded(slot, key, next));
      this.#keep(next, before);
      slot.dictionary.grow(before);
    }
    const dictionary = dictionaryOf(slot.dictionary.bytes.subarray(0, wanted));
    const options = { maxOutputLength: frameContentMaxBytes, ...(dictionary !== undefined && { dictionary }) };
    return zstdDecompressSync(opened.subarray(4), options);
  }

  #keep(number: number, plain: Buffer): void {
    if (this.#plain.has(number)) return;
    this.#plain.set(number, plain);
    this.#plainBytes += plain.length;
    for (const [oldest, bytes] of this.#plain) {
      if (this.#plainBytes <= keptPlainMaxBytes || this.#plain.size === 1) return;
      this.#plain.delete(oldest);
      this.#plainBytes -= bytes.length;
    }
  }
}

type Make = (header: SegmentHeader, hash: Buffer) => SegmentReader;

/** Frames to the first bad one: an unfinished tail is no fault here, `verify` tells of damage. */
async function segmentReader(window: FileWindow, path: string, make: Make): Promise<SegmentReader> {
  const decoded = await scanHeader(window);
  if (decoded.status !== 'header') {
    const reason = decoded.status === 'damaged' ? decoded.reason : 'its header is cut short';
    throw corrupt(path, 0, reason);
  }
  const reader = make(decoded.header, decoded.hash);
  for await (const item of scanFrames(window, decoded.bytes)) {
    if (item.kind === 'bad' || item.frame.head.frameNumber !== reader.nextFrame) break;
    if (item.frame.head.kind === 'end') break;
    reader.note(item.offset, item.frame, true);
  }
  return reader;
}

/** Frames that are there only because held ones refer to them are read, and not listed. */
async function heldReader(window: FileWindow, path: string, make: Make): Promise<SegmentReader> {
  const decoded = await scanHeldHeader(window);
  if (decoded.status !== 'header') throw corrupt(path, 0, decoded.reason);
  const origin = decodeSegmentHeader(decoded.origin);
  if (origin.status !== 'header') throw corrupt(path, 0, 'the header of its segment cannot be read');
  const reader = make(origin.header, origin.hash);
  for await (const item of scanHeldItems(window, decoded.bytes)) {
    if (item.kind === 'bad') break;
    reader.note(item.offset, item.frame, item.isHeld);
  }
  return reader;
}

export function corrupt(path: string, offset: number, reason: string): SkilltapeError {
  return new SkilltapeError('archive_corrupt', `${path} is damaged at byte ${offset}: ${reason}`, {
    remedy: 'Keep a copy of the archive as it is; `skilltape verify` tells how far the damage goes.',
  });
}
