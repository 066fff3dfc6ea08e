/** Turns one exchange into frames: what the family has already is referred to, the rest is packed into as few frames as may be. */
import { createHash } from 'node:crypto';
import { type RecordHead, recordParts } from '../exchange/record.ts';
import { chunkKey, type KnownChunks } from './blocks.ts';
import { Chunker, type Gear } from './chunker.ts';
import { appendExtent, type Extent, emptyStreams, encodeManifest, type StreamName } from './extent.ts';
import { ByteWriter } from './varint.ts';

/** Plain bytes of one frame: what an exchange holds in memory while it is archived, whatever its size (inv. 10). */
export const blockMaxBytes = 1024 * 1024;

/** Where the next frame will stand. */
export type NextFrame = { segment: number; frame: number };

/** Takes frames of one person, in order. Between `next` and `put` no other frame is made. */
export type FrameSink = {
  next(): Promise<NextFrame>;
  put(kind: 'block' | 'exchange', plain: readonly Uint8Array[]): Promise<void>;
};

const pendingFrame = -1;

export class Packer {
  readonly #sink: FrameSink;
  readonly #known: KnownChunks;
  readonly #knownMax: number;
  readonly #chunkers: Record<'request' | 'answer' | 'changed', Chunker>;
  readonly #streams = emptyStreams();
  readonly #timeline = new ByteWriter();
  readonly #digest = createHash('sha256');
  #heads: Uint8Array[] = [];
  #lastTimeMs = 0;
  #pending: Uint8Array[] = [];
  #pendingBytes = 0;
  /** Extents of bytes whose frame is not made yet. */
  #open: Extent[] = [];

  constructor(sink: FrameSink, known: KnownChunks, knownMax: number, gear: Gear) {
    this.#sink = sink;
    this.#known = known;
    this.#knownMax = knownMax;
    this.#chunkers = { request: new Chunker(gear), answer: new Chunker(gear), changed: new Chunker(gear) };
  }

  /** @param payload a record as the journal has it */
  async addRecord(payload: Uint8Array): Promise<void> {
    const { version, kind, kindNumber, timeMs, content } = recordParts(payload);
    const stream = streamOf(kind);
    addToDigest(this.#digest, payload);
    this.#timeline.uint(version);
    this.#timeline.uint(kindNumber);
    addTime(this.#timeline, timeMs, this.#lastTimeMs);
    this.#lastTimeMs = Number.isSafeInteger(timeMs) ? timeMs : this.#lastTimeMs;
    this.#timeline.uint(content.length);
    if (stream === 'heads') {
      this.#heads.push(content);
      return;
    }
    for (const chunk of this.#chunkers[stream].push(content)) await this.#addChunk(stream, chunk);
  }

  /** Makes the frame of the exchange. @param documents JSON, masked */
  async finish(documents: Uint8Array): Promise<void> {
    for (const stream of ['request', 'answer', 'changed'] as const) {
      for (const chunk of this.#chunkers[stream].end()) await this.#addChunk(stream, chunk);
    }
    for (const head of this.#heads) await this.#addWhole('heads', head);
    await this.#addWhole('timeline', this.#timeline.take());
    await this.#addWhole('documents', documents);
    const home = await this.#sink.next();
    this.#settle(home);
    const { request } = this.#streams;
    const base = this.#known.baseFor(request);
    this.#known.addRequest({ home, depth: base === null ? 0 : base.depth + 1, extents: request });
    const manifest = encodeManifest({ streams: this.#streams, base, digest: this.#digest.digest() }, home);
    const length = Buffer.alloc(4);
    length.writeUInt32LE(manifest.length);
    const plain = [...this.#takePending(), manifest, length];
    await this.#sink.put('exchange', plain);
  }

  async #addChunk(stream: StreamName, chunk: Uint8Array): Promise<void> {
    const key = chunkKey(chunk);
    const known = this.#known.find(key);
    if (known !== undefined) {
      this.#append(stream, known);
      return;
    }
    const extent = await this.#store(stream, chunk);
    this.#open.push(extent);
    this.#known.add(key, extent, this.#knownMax);
  }

  /** In pieces, since it may be longer than a frame. */
  async #addWhole(stream: StreamName, bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length; at += blockMaxBytes) {
      await this.#store(stream, bytes.subarray(at, at + blockMaxBytes));
    }
  }

  async #store(stream: StreamName, bytes: Uint8Array): Promise<Extent> {
    if (this.#pendingBytes + bytes.length > blockMaxBytes) await this.#flush();
    const extent = { segment: pendingFrame, frame: pendingFrame, offset: this.#pendingBytes, length: bytes.length };
    this.#pending.push(bytes);
    this.#pendingBytes += bytes.length;
    this.#append(stream, extent);
    return extent;
  }

  #append(stream: StreamName, extent: Extent): void {
    const listed = appendExtent(this.#streams[stream], extent);
    if (extent.frame === pendingFrame) this.#open.push(listed);
  }

  async #flush(): Promise<void> {
    if (this.#pendingBytes === 0) return;
    this.#settle(await this.#sink.next());
    await this.#sink.put('block', this.#takePending());
  }

  #takePending(): Uint8Array[] {
    const pending = this.#pending;
    this.#pending = [];
    this.#pendingBytes = 0;
    return pending;
  }

  #settle({ segment, frame }: NextFrame): void {
    for (const extent of this.#open) {
      extent.segment = segment;
      extent.frame = frame;
    }
    this.#open = [];
  }
}

/** Which run of bytes has the content of a record. */
export function streamOf(kind: RecordHead['kind']): 'heads' | 'request' | 'answer' | 'changed' {
  switch (kind) {
    case 'request_body':
      return 'request';
    case 'answer_body':
      return 'answer';
    case 'answer_changed':
      return 'changed';
    case 'started':
    case 'decided':
    case 'finished':
    case 'answer_started':
    case 'request_trailers':
    case 'answer_trailers':
    case 'upstream_answered':
      return 'heads';
    default:
      return kind satisfies never;
  }
}

/** The journal's clock counts whole milliseconds; another number is kept as it is. */
function addTime(writer: ByteWriter, timeMs: number, lastMs: number): void {
  if (Number.isSafeInteger(timeMs)) {
    writer.uint(0);
    writer.int(timeMs - lastMs);
    return;
  }
  const exact = Buffer.alloc(8);
  exact.writeDoubleLE(timeMs);
  writer.uint(1);
  writer.bytes(exact);
}

export function addToDigest(digest: { update(data: Uint8Array): unknown }, payload: Uint8Array): void {
  const length = Buffer.alloc(4);
  length.writeUInt32LE(payload.length);
  digest.update(length);
  digest.update(payload);
}
