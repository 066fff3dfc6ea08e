import { v7 as uuidv7 } from 'uuid';

const randomBytes = 16;
/** Drawn for many ids at once: asking the system takes longer than everything else an id needs. */
const pool = new Uint8Array(256 * randomBytes);
let used = pool.length;

/** UUID version 7 (RFC 9562): ids of later milliseconds sort behind those of earlier ones. */
export function newExchangeId(nowMs: number): string {
  if (used === pool.length) {
    crypto.getRandomValues(pool);
    used = 0;
  }
  used += randomBytes;
  return uuidv7({ msecs: nowMs, random: pool.subarray(used - randomBytes, used) });
}
