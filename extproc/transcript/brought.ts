import { endpointOf } from '../claude/endpoint.ts';
import type { JsonValue } from '../claude/json.ts';
import {
  idsBrought,
  idsMadeByJson,
  idsMadeByMessage,
  idsNamedByBody,
  idsNamedByTarget,
  messageKindsOf,
  type OwnedId,
} from '../claude/owned-ids.ts';
import type { Reading } from './reading.ts';
import type { Transcript } from './transcript.ts';

/**
 * What an exchange made in Claude's workspace. The same that was learnt while its answer passed, and what was too large
 * or broke off there. Of a body with credentials nothing is read.
 */
export function thingsBrought({ started, answer }: Transcript, reading: Reading): OwnedId[] {
  const { request, message, results, other } = reading;
  const endpoint = endpointOf(started.method, started.path);
  const status = answer?.status ?? 0;
  if (started.identity === null || status < 200 || status > 299) return [];
  const messageId: JsonValue = message?.id ?? null;
  const made: OwnedId[] = [
    ...idsMadeByMessage(message),
    ...results.flatMap((result) => idsMadeByMessage(result.message)),
    ...idsMadeByJson(endpoint.name, other),
    ...(typeof messageId === 'string' ? messageKindsOf(request).map((kind) => ({ kind, id: messageId })) : []),
  ];
  if (made.length === 0) return [];
  return idsBrought(made, [
    ...idsNamedByTarget(endpoint.kind, started.path, ''),
    ...(idsNamedByBody(namingParts(reading)) ?? []),
  ]);
}

function namingParts({ request, sent }: Reading): JsonValue {
  if (request === null) return sent.map(({ content }) => content);
  const { messages, containerId, previousMessageId } = request;
  const thread = { previous_message_id: previousMessageId };
  return { messages: messages.map(({ content }) => content), container: containerId, thread };
}
