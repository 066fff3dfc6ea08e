import { createHmac, createSecretKey } from 'node:crypto';

/**
 * HMAC-SHA256 as 64 hex digits, for hashes of content and of callers' ids that leave the seal: without the key nobody
 * can test a guess (inv. 6). `purpose` keeps equal texts of different meaning apart.
 */
export type KeyedHash = (purpose: string, content: string | Uint8Array) => string;

export function keyedHashWith(keyBytes: Uint8Array): KeyedHash {
  const key = createSecretKey(keyBytes);
  return (purpose, content) => createHmac('sha256', key).update(purpose).update('\0').update(content).digest('hex');
}
