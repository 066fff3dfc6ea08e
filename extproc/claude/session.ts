/** Finds what a request itself says about the session it belongs to. */
import type { EndpointKind } from './endpoint-table.ts';
import { isJsonObject, parseBoundedJson } from './json.ts';
import type { MessagesRequest } from './request.ts';

/**
 * A hint of the caller, to be bound to the verified identity: two callers that say the same are two sessions. The value
 * of `managed_session`, `container` and `thread` is an id that an earlier answer brought; the others name a session for
 * as long as it lasts.
 */
export type SessionSource = {
  source: 'claude_code_header' | 'metadata_user_id' | 'managed_session' | 'container' | 'thread';
  value: string;
};

const valueMaxChars = 256;
const userIdMaxChars = 2048;
const printable = /^[\x21-\x7e]+$/;

/** Also of the session itself, `/v1/sessions/<id>`. */
const managedSession = /^\/v1\/sessions\/([^/]+)/;

/** Claude Code before the JSON form: `user_<hex>_account_<uuid or nothing>_session_<uuid>`. */
const oldUserId = /^user_[0-9a-f]{0,128}_account_[0-9a-f-]{0,36}_session_([0-9a-f-]{36})$/i;

/**
 * The sources present, the best first, in the order of the type. `header` gives a header by its lower-case name, `path`
 * has no query. A value that is longer than 256 characters or not printable ASCII is passed over, and so is a user id
 * of any other shape.
 */
export function sessionSources(said: {
  header: (name: string) => string | undefined;
  path: string;
  endpointKind: EndpointKind;
  request: MessagesRequest | null;
}): SessionSource[] {
  const { header, request } = said;
  const candidates: [SessionSource['source'], string | null | undefined][] = [
    ['claude_code_header', header('x-claude-code-session-id')],
    ['metadata_user_id', sessionOfUserId(request?.metadataUserId ?? '')],
    ['managed_session', said.endpointKind === 'sessions' ? managedSession.exec(said.path)?.[1] : null],
    ['container', request?.containerId],
    ['thread', request?.previousMessageId],
  ];
  return candidates.flatMap(([source, value]) => (value && isUsable(value) ? [{ source, value }] : []));
}

/**
 * Whether the answer to a message request may bring an id that the next request of the same session names: the first
 * request of a container or a thread has none yet, and a thread has a new one each turn.
 */
export function bringsSessionIds({ inThread, containerId, skills, toolTypes }: MessagesRequest): boolean {
  const runsCode = toolTypes.some((type) => type.startsWith('code_execution'));
  return inThread || containerId !== null || skills.length > 0 || runsCode;
}

function isUsable(value: string): boolean {
  return value.length <= valueMaxChars && printable.test(value);
}

function sessionOfUserId(userId: string): string | null {
  if (userId.length > userIdMaxChars) return null;
  const old = oldUserId.exec(userId);
  if (old) return old[1] ?? null;
  const value = userId.startsWith('{') ? parseBoundedJson(userId) : undefined;
  return isJsonObject(value) && typeof value.session_id === 'string' ? value.session_id : null;
}
