/** Seals and opens the frames of one segment; a frame opens only in the segment and at the offset it was made for. */
import { createCipheriv, createDecipheriv, createSecretKey, hkdfSync } from 'node:crypto';
import {
  encodeFrameHead,
  encodeSegmentHeader,
  type FrameHead,
  type FrameKind,
  finishFrameHead,
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
/** A frame with a payload up to this size is made in one piece: to copy so little costs less than more calls and buffers. */
const onePieceMaxBytes = 16 * 1024;

/**
 * The key is derived per segment, and a process never appends to a segment of an earlier one, so the frame number is a
 * nonce that cannot come twice. The whole segment header, the offset and the frame head are authenticated.
 */
export function segmentCipher(journalKey: Uint8Array, header: SegmentHeader): SegmentCipher {
  // Raw bytes would be made a key anew for every frame, which costs several times the sealing itself.
  const key = createSecretKey(Buffer.from(hkdfSync('sha256', journalKey, header.id, INFO, 32)));
  const headerBytes = encodeSegmentHeader(header);
  return {
    seal(head, offset, parts) {
      const headBytes = encodeFrameHead(head);
      const cipher = createCipheriv('aes-256-gcm', key, nonceOf(head.kind, head.frameNumber));
      cipher.setAAD(placeOf(headerBytes, offset, headBytes));
      const isOnePiece = head.payloadBytes <= onePieceMaxBytes;
      const plain = isOnePiece ? [Buffer.concat(parts)] : parts;
      const sealed: Uint8Array[] = plain.map((part) => cipher.update(part));
      cipher.final();
      sealed.push(cipher.getAuthTag());
      finishFrameHead(headBytes, sealed);
      return isOnePiece ? [Buffer.concat([headBytes, ...sealed])] : [headBytes, ...sealed];
    },
    open(head, headBytes, offset, sealed) {
      const decipher = createDecipheriv('aes-256-gcm', key, nonceOf(head.kind, head.frameNumber), {
        authTagLength: TAG_BYTES,
      });
      decipher.setAAD(placeOf(headerBytes, offset, headBytes));
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

function nonceOf(kind: FrameKind, frameNumber: number): Buffer {
  const nonce = Buffer.alloc(12);
  nonce.writeUInt32LE(kind === 'record' ? 0 : 1, 0);
  // The upper half of a u64 stays 0, here and below: the frame's number has 32 bits in its head, and so have offsets.
  nonce.writeUInt32LE(frameNumber, 4);
  return nonce;
}

function placeOf(headerBytes: Uint8Array, offset: number, headBytes: Uint8Array): Buffer {
  const at = Buffer.alloc(8);
  at.writeUInt32LE(offset);
  return Buffer.concat([headerBytes, at, headBytes.subarray(0, 16)]);
}
