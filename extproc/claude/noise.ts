/** Marks the exchanges that a reader of prompts can pass over. A mark only: the caller could set it, so nothing is dropped by it. */
import { isJsonObject, type JsonValue } from './json.ts';
import type { MessagesRequest } from './request.ts';

/**
 * `title`: Claude Code's own calls beside the conversation, which repeat the prompt to name the session.
 * `polling`: asking for the state of things, again and again.
 */
export type Noise = 'models' | 'count_tokens' | 'title' | 'polling';

/** Heartbeats of workers, and the state of what prompts run in; a look at vaults or tunnels is never passed over. */
const polled = /^environments\.work\.(?:poll|ack|heartbeat|stats)$/;
const read =
  /^(?:batches|files|skills|sessions|agents|deployments|deployment_runs|environments|memory_stores|dreams|user_profiles)\.(?:[a-z_.]+\.)?(?:get|list)$/;
/** What people and agents said in a session. */
const events = /\.events\.list$/;

/** `endpointName` as in the table of endpoints; `requestClass` as the caller's header says. */
export function noiseOf(exchange: {
  endpointName: string;
  requestClass: string | null;
  request: MessagesRequest | null;
  userAgent: string;
}): Noise | null {
  const { endpointName, requestClass, request, userAgent } = exchange;
  if (endpointName.startsWith('models.')) return 'models';
  if (endpointName === 'messages.count_tokens') return 'count_tokens';
  if (endpointName === 'messages.create') {
    if (requestClass !== null) return requestClass === 'auxiliary' || requestClass === 'side_reply' ? 'title' : null;
    return /^claude-cli\//i.test(userAgent) && request !== null && asksForTitle(request) ? 'title' : null;
  }
  const isPolling = polled.test(endpointName) || (read.test(endpointName) && !events.test(endpointName));
  return isPolling ? 'polling' : null;
}

const sessionEnd = '</session>';
/** What Claude Code 2.1 writes behind the prompt: which language the title is to be in. */
const titleInstruction = /^(?:\n\nWrite the title in [^\n]{1,600})?$/;

function asksForTitle({ toolNames, toolTypes, messages }: MessagesRequest): boolean {
  if (toolNames.length > 0 || toolTypes.length > 0) return false;
  const turns = messages.filter(({ role }) => role !== 'system');
  const [turn] = turns;
  if (turn === undefined || turns.length > 1 || turn.role !== 'user') return false;
  const text = textOf(turn.content).trim();
  const end = text.lastIndexOf(sessionEnd);
  return text.startsWith('<session>') && end !== -1 && titleInstruction.test(text.slice(end + sessionEnd.length));
}

function textOf(content: JsonValue): string {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return '';
  return content.map((block) => (isJsonObject(block) && typeof block.text === 'string' ? block.text : '')).join('');
}
