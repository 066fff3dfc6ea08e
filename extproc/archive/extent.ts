/** Where bytes of an exchange stand, and the list of them that an exchange frame holds. */
import { HASH_BYTES } from './format.ts';
import { ByteReader, ByteWriter } from './varint.ts';

/** `length` bytes from `offset` of the plain content of a frame. References stay within one family and one person. */
export type Extent = { segment: number; frame: number; offset: number; length: number };

/**
 * What an exchange is made of, each a run of bytes: `timeline` says in which order and when the records came, `heads`
 * has the content of those that are no body, `documents` is the masked transcript as JSON.
 */
export const streamNames = ['timeline', 'heads', 'request', 'answer', 'changed', 'documents'] as const;
export type StreamName = (typeof streamNames)[number];
export type Streams = Record<StreamName, Extent[]>;

/**
 * The request of an exchange of the same person and family begins with the same extents: the first `count` of them are
 * not written again. A conversation of many turns would otherwise list all of it each time.
 */
export type Base = { segment: number; frame: number; count: number };

/** `digest`: SHA-256 over the records as the journal had them, each with its length (u32) before it. */
export type Manifest = { streams: Streams; base: Base | null; digest: Buffer };

const manifestVersion = 1;

/** The place of the frame that holds the manifest: extents are written relative to it, which makes them short. */
type Home = { segment: number; frame: number };

/** With a base, `streams.request` has all extents, those of the base too. */
export function encodeManifest({ streams, base, digest }: Manifest, home: Home): Buffer {
  const writer = new ByteWriter();
  writer.uint(manifestVersion);
  writer.uint(base?.count ?? 0);
  if (base !== null) {
    writer.uint(home.segment - base.segment);
    writer.uint(base.frame);
  }
  for (const name of streamNames) {
    const listed = name === 'request' ? streams.request.slice(base?.count ?? 0) : streams[name];
    writer.uint(listed.length);
    let frame = home.frame;
    for (const extent of listed) {
      writer.uint(home.segment - extent.segment);
      writer.int(extent.frame - frame);
      writer.uint(extent.offset);
      writer.uint(extent.length);
      frame = extent.frame;
    }
  }
  writer.bytes(digest);
  return writer.take();
}

/** `streams.request` is without what its base has. @throws RangeError when it is cut short or of another version */
export function decodeManifest(bytes: Buffer, home: Home): Manifest {
  const reader = new ByteReader(bytes);
  const version = reader.uint();
  if (version !== manifestVersion) throw new RangeError(`a manifest of version ${version}`);
  const count = reader.uint();
  const base = count === 0 ? null : { segment: home.segment - reader.uint(), frame: reader.uint(), count };
  const streams = emptyStreams();
  for (const name of streamNames) {
    let frame = home.frame;
    for (let left = reader.uint(); left > 0; left -= 1) {
      const segment = home.segment - reader.uint();
      frame += reader.int();
      streams[name].push({ segment, frame, offset: reader.uint(), length: reader.uint() });
    }
  }
  return { streams, base, digest: reader.bytes(HASH_BYTES) };
}

export function emptyStreams(): Streams {
  return { timeline: [], heads: [], request: [], answer: [], changed: [], documents: [] };
}

/** Lengthens the last extent where the new one goes on behind it. */
export function appendExtent(list: Extent[], { segment, frame, offset, length }: Extent): Extent {
  const last = list.at(-1);
  if (last?.segment === segment && last.frame === frame && last.offset + last.length === offset) {
    last.length += length;
    return last;
  }
  const added = { segment, frame, offset, length };
  list.push(added);
  return added;
}
