import { createHmac, createSecretKey } from 'node:crypto';

/**
 * HMAC-SHA256 as 64 hex digits, for hashes of content and of callers' ids that leave the seal: without the key nobody
 * can test a guess (inv. 6). `purpose` keeps equal texts of different meaning apart.
 */
export type KeyedHash = (purpose: string, content: string | Uint8Array | Pieces) => string;

/** Writes a text piece by piece, so that a long one is never held as a whole. */
export type Pieces = (write: (piece: string) => void) => void;

/** Short pieces are hashed together: each call of the library costs as much as some kilobytes. */
const togetherChars = 16_384;

export function keyedHashWith(keyBytes: Uint8Array): KeyedHash {
  const key = createSecretKey(keyBytes);
  return (purpose, content) => {
    const hmac = createHmac('sha256', key).update(purpose).update('\0');
    if (typeof content !== 'function') return hmac.update(content).digest('hex');
    let waiting = '';
    content((piece) => {
      waiting += piece;
      if (waiting.length < togetherChars) return;
      hmac.update(waiting);
      waiting = '';
    });
    return hmac.update(waiting).digest('hex');
  };
}
