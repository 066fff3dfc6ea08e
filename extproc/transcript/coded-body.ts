import type { Coding } from '../encoding/codings.ts';
import type { ExchangeDocument } from './document.ts';

/** The codings that a body came with, and its size without them; null when they could not be taken off. */
export type CodedBody = ExchangeDocument['skilltape']['body']['request'];

export const notCoded: CodedBody = { codings: [], decoded_bytes: null };

/** The size of a body without codings stands in `http` already. */
export function codedBody(codings: readonly Coding[], decodedBytes: number | null): CodedBody {
  return codings.length === 0 ? notCoded : { codings: [...codings], decoded_bytes: decodedBytes };
}
