/** Seals and opens the frames of one segment; a frame opens only in the segment and at the offset it was made for. */
import { createCipheriv, createDecipheriv, createSecretKey, hkdfSync } from 'node:crypto';
import {
  encodeFrameHead,
  encodeSegmentHeader,
  type FrameHead,
  type FrameKind,
  finishFrameHead,
  groupMaxBytes,
  SEGMENT_HEADER_BYTES,
  type SegmentHeader,
  TAG_BYTES,
} from './format.ts';

export type SegmentCipher = {
  /** Parts of the frame in the order they stand on disk. A frame number must be used once per segment and kind. */
  seal: (head: FrameHead, offset: number, parts: readonly Uint8Array[]) => Uint8Array[];
  /** The payload, or undefined: forged, moved, or another journal key. `headBytes` is the frame head as read. */
  open: (head: FrameHead, headBytes: Uint8Array, offset: number, sealed: Uint8Array) => Uint8Array | undefined;
};

const INFO = 'skilltape journal v1';
const NONCE_KINDS = { record: 0, end: 1, group: 2 } as const;
const OFFSET_BYTES = 8;
/** Payloads up to this size are put together first: to copy so little costs less than more calls and buffers. */
const onePiece = Buffer.allocUnsafeSlow(groupMaxBytes);
/** Of the frame head; what follows is the checksum. */
const AUTHENTICATED_HEAD_BYTES = 16;

/**
 * The key is derived per segment, and a process never appends to a segment of an earlier one, so the frame number is a
 * nonce that cannot come twice. The whole segment header, the offset and the frame head are authenticated.
 */
export function segmentCipher(journalKey: Uint8Array, header: SegmentHeader): SegmentCipher {
  // Raw bytes would be made a key anew for every frame, which costs several times the sealing itself.
  const key = createSecretKey(Buffer.from(hkdfSync('sha256', journalKey, header.id, INFO, 32)));
  const placeOf = placesIn(header);
  return {
    seal(head, offset, parts) {
      const headBytes = encodeFrameHead(head);
      const cipher = createCipheriv('aes-256-gcm', key, nonceOf(head.kind, head.frameNumber));
      cipher.setAAD(placeOf(offset, headBytes));
      const sealed: Uint8Array[] = inPieces(parts, head.payloadBytes).map((part) => cipher.update(part));
      cipher.final();
      sealed.push(cipher.getAuthTag());
      finishFrameHead(headBytes, sealed);
      return [headBytes, ...sealed];
    },
    open(head, headBytes, offset, sealed) {
      const decipher = createDecipheriv('aes-256-gcm', key, nonceOf(head.kind, head.frameNumber), {
        authTagLength: TAG_BYTES,
      });
      decipher.setAAD(placeOf(offset, headBytes));
      decipher.setAuthTag(sealed.subarray(sealed.length - TAG_BYTES));
      const payload = decipher.update(sealed.subarray(0, sealed.length - TAG_BYTES));
      try {
        decipher.final();
        return payload;
      } catch {
        return undefined;
      }
    },
  };
}

/** Good until the next call. */
function inPieces(parts: readonly Uint8Array[], bytes: number): readonly Uint8Array[] {
  if (bytes > onePiece.length) return parts;
  let at = 0;
  for (const part of parts) {
    onePiece.set(part, at);
    at += part.length;
  }
  return [onePiece.subarray(0, at)];
}

/** Copied by whoever takes it, as are places below. */
const nonce = Buffer.alloc(12);

function nonceOf(kind: FrameKind, frameNumber: number): Buffer {
  nonce.writeUInt32LE(NONCE_KINDS[kind], 0);
  // The upper half of a u64 stays 0, here and below: the frame's number has 32 bits in its head, and so have offsets.
  nonce.writeUInt32LE(frameNumber, 4);
  return nonce;
}

function placesIn(header: SegmentHeader): (offset: number, headBytes: Uint8Array) => Buffer {
  const place = Buffer.alloc(SEGMENT_HEADER_BYTES + OFFSET_BYTES + AUTHENTICATED_HEAD_BYTES);
  place.set(encodeSegmentHeader(header));
  return (offset, headBytes) => {
    place.writeUInt32LE(offset, SEGMENT_HEADER_BYTES);
    place.set(headBytes.subarray(0, AUTHENTICATED_HEAD_BYTES), SEGMENT_HEADER_BYTES + OFFSET_BYTES);
    return place;
  };
}
