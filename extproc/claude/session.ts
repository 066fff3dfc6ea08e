/** Finds what a request itself says about the session it belongs to. */
import { isJsonObject, parseBoundedJson } from './json.ts';
import type { MessagesRequest } from './request.ts';

/** A hint of the caller, to be bound to the verified identity: two callers that say the same are two sessions. */
export type SessionSource = {
  source: 'claude_code_header' | 'metadata_user_id' | 'container' | 'thread';
  value: string;
};

const valueMaxChars = 256;
const userIdMaxChars = 2048;
const printable = /^[\x21-\x7e]+$/;

/** Claude Code before the JSON form: `user_<hex>_account_<uuid or nothing>_session_<uuid>`. */
const oldUserId = /^user_[0-9a-f]{0,128}_account_[0-9a-f-]{0,36}_session_([0-9a-f-]{36})$/i;

/**
 * The best source present, in the order of the type. `header` gives a header by its lower-case name. A value that is
 * longer than 256 characters or not printable ASCII is passed over, and so is a user id of any other shape.
 */
export function sessionSource(
  header: (name: string) => string | undefined,
  request: MessagesRequest | null,
): SessionSource | null {
  const candidates: [SessionSource['source'], string | null | undefined][] = [
    ['claude_code_header', header('x-claude-code-session-id')],
    ['metadata_user_id', sessionOfUserId(request?.metadataUserId ?? '')],
    ['container', request?.containerId],
    ['thread', request?.previousMessageId],
  ];
  for (const [source, value] of candidates) {
    if (value && value.length <= valueMaxChars && printable.test(value)) return { source, value };
  }
  return null;
}

function sessionOfUserId(userId: string): string | null {
  if (userId.length > userIdMaxChars) return null;
  const old = oldUserId.exec(userId);
  if (old) return old[1] ?? null;
  const value = userId.startsWith('{') ? parseBoundedJson(userId) : undefined;
  return isJsonObject(value) && typeof value.session_id === 'string' ? value.session_id : null;
}
