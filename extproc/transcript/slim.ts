/** Takes binary data out of content, leaving type, size and keyed hash (inv. 6). */
import type { JsonValue } from '../claude/json.ts';
import { slimBlocks } from '../claude/text.ts';
import type { KeyedHash } from '../keyed-hash.ts';

export function slimmer({ keyedHash }: { keyedHash: KeyedHash }): (value: JsonValue) => JsonValue {
  return (value) => slimBlocks(value, (base64) => keyedHash('file', Buffer.from(base64, 'base64')));
}
