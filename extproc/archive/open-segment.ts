/** One segment file on its way: created, given frames, synced, ended. */
import type { KeyObject } from 'node:crypto';
import { dirname } from 'node:path';
import type { AppendFile, FileSystem } from '../journal/fs.ts';
import { type ChainState, SegmentChain } from './chain.ts';
import { classOfChain, isOfMetadata } from './chain-name.ts';
import { frameKey, type Person, type Sealer, sealContent } from './cipher.ts';
import type { FrameCompressor } from './compressor.ts';
import { dictionaryMaxBytes, metadataDictionaryMaxBytes, SlotDictionary } from './dictionary.ts';
import {
  encodeFrameHead,
  encodeSegmentHeader,
  type FrameKind,
  finishFrameHead,
  headerHash,
  type JournalPlace,
  noPlace,
  type SegmentHeader,
  TAG_BYTES,
} from './format.ts';

/** One person in one segment. */
export type Slot = { number: number; key: KeyObject; sealed: Uint8Array; dictionary: SlotDictionary };

export type EndReason = 'size' | 'day' | 'stop' | 'idle' | 'recovered';
export type FrameSource = { exchangeId: string; place: JournalPlace };

const noExchange: FrameSource = { exchangeId: '', place: noPlace };
/** Persons of a segment that are remembered for compression (inv. 10); a person more is one less of the oldest. */
const dictionariesMax = 64;
/** Frames are gathered and written together; beyond this they are written at once. */
const gatheredMaxBytes = 4 * 1024 * 1024;

export class OpenSegment {
  readonly path: string;
  readonly header: SegmentHeader;
  readonly #file: AppendFile;
  readonly #compressor: FrameCompressor;
  readonly #hash: Buffer;
  readonly #chain: SegmentChain;
  readonly #slots = new Map<string, Slot>();
  /** The oldest first. */
  readonly #dictionaries: SlotDictionary[] = [];
  #gathered: Uint8Array[] = [];
  #gatheredBytes = 0;
  #bytes: number;
  #syncedBytes: number;
  #syncedFrames = 0;

  private constructor(
    path: string,
    header: SegmentHeader,
    parts: { file: AppendFile; compressor: FrameCompressor; headerBytes: Buffer },
  ) {
    const { file, compressor, headerBytes } = parts;
    this.path = path;
    this.header = header;
    this.#file = file;
    this.#compressor = compressor;
    this.#hash = headerHash(headerBytes);
    this.#chain = new SegmentChain(this.#hash);
    this.#bytes = headerBytes.length;
    this.#syncedBytes = headerBytes.length;
  }

  /** Header and directory entry are durable on return, so a torn header means that no frame was ever written. */
  static async create(
    fileSystem: FileSystem,
    path: string,
    header: SegmentHeader,
    compressor: FrameCompressor,
  ): Promise<OpenSegment> {
    await fileSystem.makeDirectory(dirname(path));
    const file = await fileSystem.createAppend(path);
    const headerBytes = encodeSegmentHeader(header);
    try {
      await appendAll(file, [headerBytes]);
      await file.datasync();
      await fileSystem.syncDirectory(dirname(path));
    } catch (thrown) {
      await file.close();
      // Its number is given again; what cannot be removed either is found at the next start.
      await fileSystem.remove(path).catch(() => {});
      throw thrown;
    }
    return new OpenSegment(path, header, { file, compressor, headerBytes });
  }

  /** With every frame made so far. */
  get bytes(): number {
    return this.#bytes;
  }

  /** What is on disk for certain. */
  get syncedBytes(): number {
    return this.#syncedBytes;
  }

  /** The number that the next frame gets. */
  get nextFrame(): number {
    return this.#chain.frames;
  }

  state(): ChainState {
    return this.#chain.state();
  }

  /** The sealed key that the person has in this segment. */
  sealedKeyOf(person: Person): Uint8Array | undefined {
    return this.#slots.get(personName(person))?.sealed;
  }

  /** The next frame of the person gets a new key. */
  forgetSlot(person: Person): void {
    const name = personName(person);
    const slot = this.#slots.get(name);
    if (slot !== undefined) this.#compressor.forget(slot.dictionary);
    this.#slots.delete(name);
  }

  /** The person's key in this segment, which is made when it is first asked for. */
  async slotOf(person: Person, sealer: Sealer): Promise<Slot> {
    const name = personName(person);
    const known = this.#slots.get(name);
    if (known !== undefined) return known;
    const { retentionClass } = this.header;
    const { key, sealed } = await sealer.sealedKeyFor(person, classOfChain(retentionClass), this.#hash);
    const dictionary = new SlotDictionary(
      isOfMetadata(retentionClass) ? metadataDictionaryMaxBytes : dictionaryMaxBytes,
    );
    const slot = { number: this.nextFrame, key: frameKey(key), sealed, dictionary };
    key.fill(0);
    await this.#addFrame('key', slot.number, noExchange, sealed.length, () => [sealed]);
    this.#slots.set(name, slot);
    this.#dictionaries.push(slot.dictionary);
    const oldest = this.#dictionaries.length > dictionariesMax ? this.#dictionaries.shift() : undefined;
    if (oldest !== undefined) {
      this.#compressor.forget(oldest);
      oldest.forget();
    }
    return slot;
  }

  async add(kind: 'block' | 'exchange', slot: Slot, source: FrameSource, parts: readonly Uint8Array[]): Promise<void> {
    const plain = Buffer.concat(parts);
    const packed = await this.#compressor.compress(slot.dictionary, plain);
    const length = Buffer.alloc(4);
    length.writeUInt32LE(slot.dictionary.bytes.length);
    const content = Buffer.concat([length, packed]);
    slot.dictionary.grow(plain);
    const frame = this.nextFrame;
    await this.#addFrame(kind, slot.number, source, content.length + TAG_BYTES, (head) =>
      sealContent(slot.key, this.#hash, head, frame, content),
    );
  }

  /** Everything added so far is on disk on return. */
  async sync(): Promise<void> {
    if (this.#syncedBytes === this.#bytes) return;
    await this.#write();
    const [covered, frames] = [this.#bytes, this.nextFrame];
    await this.#file.datasync();
    this.#syncedBytes = covered;
    this.#syncedFrames = frames;
  }

  /** Ends the file for good; it is on disk on return. */
  async end(reason: EndReason): Promise<ChainState> {
    const frame = endFrame(this.#chain, reason);
    this.#gather(frame);
    await this.sync();
    await this.#close();
    return this.state();
  }

  /** After a failure: nothing more is written to the file by this process. */
  async abandon(): Promise<void> {
    await this.#close().catch(() => {});
  }

  async #close(): Promise<void> {
    for (const { dictionary } of this.#slots.values()) this.#compressor.forget(dictionary);
    await this.#file.close();
  }

  async #addFrame(
    kind: FrameKind,
    slot: number,
    source: FrameSource,
    contentBytes: number,
    seal: (head: Buffer) => Uint8Array[],
  ): Promise<void> {
    const head = encodeFrameHead({
      kind,
      contentBytes,
      frameNumber: this.nextFrame,
      slot,
      chain: this.#chain.hash,
      syncedFrames: this.#syncedFrames,
      ...source,
    });
    const content = seal(head);
    finishFrameHead(head, content);
    this.#chain.add([head, ...content]);
    this.#gather([head, ...content]);
    if (this.#gatheredBytes >= gatheredMaxBytes) await this.#write();
  }

  #gather(parts: readonly Uint8Array[]): void {
    for (const part of parts) {
      this.#gathered.push(part);
      this.#gatheredBytes += part.length;
      this.#bytes += part.length;
    }
  }

  async #write(): Promise<void> {
    const parts = this.#gathered;
    this.#gathered = [];
    this.#gatheredBytes = 0;
    await appendAll(this.#file, [Buffer.concat(parts)]);
  }
}

function personName(person: Person): string {
  return JSON.stringify(person === 'nobody' ? person : [person.issuer, person.subject]);
}

/** The end frame after these frames, and the chain closed over it. Not sealed: it says only what can be counted. */
export function endFrame(chain: SegmentChain, reason: EndReason): Buffer[] {
  const { frames, root } = chain.state();
  const content = Buffer.from(JSON.stringify({ reason, frames, root: root.toString('hex') }));
  const head = encodeFrameHead({
    kind: 'end',
    contentBytes: content.length,
    frameNumber: frames,
    slot: 0,
    chain: chain.hash,
    // The same bytes when a crash has it made again.
    syncedFrames: 0,
    ...noExchange,
  });
  finishFrameHead(head, [content]);
  chain.close([head, content]);
  return [head, content];
}

export async function appendAll(file: AppendFile, buffers: readonly Buffer[]): Promise<void> {
  for (const buffer of buffers) {
    for (let at = 0; at < buffer.length; ) {
      const count = await file.writev([buffer.subarray(at)]);
      if (count <= 0) throw new Error('the disk took no bytes of a write');
      at += count;
    }
  }
}
