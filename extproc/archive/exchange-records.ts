/** The records of an exchange, put together again from the runs of bytes that its manifest names. */
import { createHash } from 'node:crypto';
import { decodeRecordHead, recordOf } from '../exchange/record.ts';
import type { Manifest, StreamName } from './extent.ts';
import { addToDigest, streamOf } from './packer.ts';
import { corrupt } from './segment-reader.ts';
import { ByteReader } from './varint.ts';

/** As the journal had them. @throws SkilltapeError `archive_corrupt` */
export async function* recordsOf(
  exchangeId: string,
  { digest }: Manifest,
  bytes: (name: StreamName) => AsyncGenerator<Buffer>,
  path: string,
): AsyncGenerator<Buffer> {
  const names = ['heads', 'request', 'answer', 'changed'] as const;
  const sources = new Map<string, ByteSource>(names.map((name) => [name, new ByteSource(bytes(name))]));
  const check = createHash('sha256');
  for (const { stream, length, withContent } of timelineOf(exchangeId, await joined(bytes('timeline')))) {
    const content = await sources.get(stream)?.take(length);
    if (content === undefined) throw corrupt(path, 0, fewerBytes);
    const payload = withContent(content);
    addToDigest(check, payload);
    yield payload;
  }
  if (!check.digest().equals(digest)) throw corrupt(path, 0, 'an exchange is not put together as it was recorded');
}

/** The same with empty content in place of the bytes of bodies. */
export async function* headsOf(
  exchangeId: string,
  bytes: (name: StreamName) => AsyncGenerator<Buffer>,
  path: string,
): AsyncGenerator<{ payload: Buffer; contentBytes: number }> {
  const heads = new ByteSource(bytes('heads'));
  for (const { stream, length, withContent } of timelineOf(exchangeId, await joined(bytes('timeline')))) {
    const content = stream === 'heads' ? await heads.take(length) : new Uint8Array();
    if (content === undefined) throw corrupt(path, 0, fewerBytes);
    yield { payload: withContent(content), contentBytes: length };
  }
}

const fewerBytes = 'an exchange has fewer bytes than its timeline says';

type TimelineEntry = {
  stream: Exclude<StreamName, 'timeline' | 'documents'>;
  length: number;
  withContent: (content: Uint8Array) => Buffer;
};

/** The records of an exchange in their order, without their content. */
function* timelineOf(exchangeId: string, bytes: Buffer): Generator<TimelineEntry> {
  const timeline = new ByteReader(bytes);
  let lastTimeMs = 0;
  while (!timeline.isAtEnd) {
    const version = timeline.uint();
    const kindNumber = timeline.uint();
    const isExact = timeline.uint() === 1;
    const timeMs = isExact ? timeline.bytes(8).readDoubleLE() : lastTimeMs + timeline.int();
    if (!isExact) lastTimeMs = timeMs;
    const length = timeline.uint();
    const withContent = (content: Uint8Array) => recordOf({ exchangeId, version, kindNumber, timeMs, content });
    yield { stream: streamOf(decodeRecordHead(withContent(new Uint8Array())).kind), length, withContent };
  }
}

/** Bytes of one run, in pieces of any length. */
class ByteSource {
  readonly #source: AsyncGenerator<Buffer>;
  #held: Buffer = Buffer.alloc(0);

  constructor(source: AsyncGenerator<Buffer>) {
    this.#source = source;
  }

  /** Undefined when there are not so many. */
  async take(length: number): Promise<Buffer | undefined> {
    const parts = [this.#held];
    let held = this.#held.length;
    while (held < length) {
      const next = await this.#source.next();
      if (next.done === true) return undefined;
      parts.push(next.value);
      held += next.value.length;
    }
    const all = parts.length === 1 ? this.#held : Buffer.concat(parts);
    this.#held = all.subarray(length);
    return all.subarray(0, length);
  }
}

export async function joined(source: AsyncGenerator<Buffer>): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of source) parts.push(part);
  return Buffer.concat(parts);
}
