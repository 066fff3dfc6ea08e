/** Reads a segment file frame by frame, in bounded memory. */
import type { ReadFile } from '../journal/fs.ts';
import {
  decodeFrame,
  decodeFrameHead,
  decodeSegmentHeader,
  FRAME_HEAD_BYTES,
  type Frame,
  type FrameHead,
  frameContentMaxBytes,
  type HeaderDecoding,
  headerMaxBytes,
  nextMarker,
} from './format.ts';

const windowBytes = 1024 * 1024;

/** One piece of a file is held and read from. */
export class FileWindow {
  readonly #file: ReadFile;
  readonly sizeBytes: number;
  #start = 0;
  #bytes: Buffer = Buffer.alloc(0);

  constructor(file: ReadFile, sizeBytes: number) {
    this.#file = file;
    this.sizeBytes = sizeBytes;
  }

  /** Fewer bytes only at the end of the file. Views of a buffer that is not changed. */
  async read(offset: number, length: number): Promise<Buffer> {
    const end = Math.min(this.sizeBytes, offset + length);
    if (offset >= end) return Buffer.alloc(0);
    if (offset < this.#start || end > this.#start + this.#bytes.length) {
      const bytes = await this.#file.read(offset, Math.max(windowBytes, end - offset));
      this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      this.#start = offset;
    }
    return this.#bytes.subarray(offset - this.#start, end - this.#start);
  }
}

/** `bad` ends with the next frame that is whole, or with the file; `isCut`: the file ends within a frame. */
export type ScannedItem =
  | { kind: 'frame'; offset: number; frame: Frame }
  | { kind: 'bad'; offset: number; bytes: number; reason: string; isCut: boolean; head: FrameHead | undefined };

export async function scanHeader(window: FileWindow): Promise<HeaderDecoding> {
  return decodeSegmentHeader(await window.read(0, headerMaxBytes));
}

/** Everything behind the header. Looks for the next whole frame behind a bad one, in time linear in the file. */
export async function* scanFrames(window: FileWindow, from: number): AsyncGenerator<ScannedItem> {
  let at = from;
  while (at < window.sizeBytes) {
    const item = await frameAt(window, at);
    if (item.kind === 'frame') {
      yield item;
      at += item.frame.bytes;
      continue;
    }
    const end = await nextWhole(window, at, item.head);
    yield { ...item, bytes: end - at };
    at = end;
  }
}

async function frameAt(window: FileWindow, offset: number): Promise<ScannedItem> {
  const head = decodeFrameHead(await window.read(offset, FRAME_HEAD_BYTES));
  const decoded = decodeFrame(await window.read(offset, FRAME_HEAD_BYTES + (head?.contentBytes ?? 0)));
  if (decoded.status === 'frame') return { kind: 'frame', offset, frame: decoded };
  const isCut = decoded.status === 'incomplete' && !(await isWholeWithItsLength(window, offset, head));
  const reason =
    decoded.status === 'damaged'
      ? decoded.reason
      : isCut
        ? 'the file ends within a frame'
        : 'the length of the frame is wrong';
  return { kind: 'bad', offset, bytes: 0, reason, isCut, head };
}

/** The file ends where the frame does, and only its length says otherwise: it was changed, not cut. */
async function isWholeWithItsLength(window: FileWindow, offset: number, head: FrameHead | undefined): Promise<boolean> {
  const contentBytes = window.sizeBytes - offset - FRAME_HEAD_BYTES;
  if (head === undefined || contentBytes < 0 || contentBytes > frameContentMaxBytes) return false;
  const bytes = Buffer.from(await window.read(offset, FRAME_HEAD_BYTES + contentBytes));
  bytes.writeUInt32LE(contentBytes, 4);
  return decodeFrame(bytes).status === 'frame';
}

/** Frames that are tried behind one bad place, and bytes that their checksums may cost (inv. 11). */
const checkedMaxFactor = 4;

async function nextWhole(window: FileWindow, bad: number, head: FrameHead | undefined): Promise<number> {
  // Most often the head is right and the content is not.
  const behind = bad + FRAME_HEAD_BYTES + (head?.contentBytes ?? 0);
  if (
    head !== undefined &&
    (behind === window.sizeBytes || (behind < window.sizeBytes && (await isFrame(window, behind))))
  )
    return behind;
  let budgetBytes = checkedMaxFactor * window.sizeBytes;
  for (let at = bad + 1; at < window.sizeBytes && budgetBytes > 0; ) {
    const bytes = await window.read(at, windowBytes);
    const found = nextMarker(bytes, 0);
    if (found === undefined) {
      // A marker may begin in the last three bytes.
      at += Math.max(1, bytes.length - 3);
      continue;
    }
    if (await isFrame(window, at + found)) return at + found;
    budgetBytes -=
      FRAME_HEAD_BYTES + (decodeFrameHead(await window.read(at + found, FRAME_HEAD_BYTES))?.contentBytes ?? 0);
    at += found + 1;
  }
  return window.sizeBytes;
}

async function isFrame(window: FileWindow, offset: number): Promise<boolean> {
  return (await frameAt(window, offset)).kind === 'frame';
}
