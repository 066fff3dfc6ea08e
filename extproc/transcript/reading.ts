import { readAnswer } from '../claude/answer.ts';
import type { JsonObject, JsonValue } from '../claude/json.ts';
import { isJsonObject, parseStrictJson, requestMaxDepth } from '../claude/json.ts';
import type { MessagesRequest } from '../claude/request.ts';
import { readMessagesRequest } from '../claude/request.ts';
import { headerValue } from '../exchange/headers.ts';
import { decodeBody } from './decode.ts';
import type { Transcript } from './transcript.ts';

/** What Claude's vocabulary makes of an exchange's bytes. */
export type Reading = {
  request: MessagesRequest | null;
  /** The message as the client's SDK assembles it, or the JSON that came instead; null for none. */
  message: JsonObject | null;
  other: JsonValue;
  error: JsonObject | null;
  /** Whether the answer came to its proper end; null when there is no message that could have one. */
  ended: boolean | null;
  /** False when a body could not be decoded or read; it is then only in the sealed record. */
  decoded: boolean;
};

const decodedMaxBytes = 64 * 1024 * 1024;
const eventMaxBytes = 32 * 1024 * 1024;

/** Reads request and answer; never throws for what they hold. */
export function readTranscript(transcript: Transcript): Reading {
  const request = readRequest(transcript.requestBody);
  const decoded = request !== null || transcript.requestBody.length === 0;
  const local = transcript.finished.localReply;
  if (local !== '') return { ...nothing, request, decoded, error: errorOf(parsed(Buffer.from(local))) };
  const answer = answerOf(transcript);
  return { ...answer, request, decoded: decoded && answer.decoded };
}

const nothing: Reading = { request: null, message: null, other: null, error: null, ended: null, decoded: true };

function readRequest(body: Uint8Array): MessagesRequest | null {
  const value = parsed(body);
  if (value === undefined) return null;
  const read = readMessagesRequest(value);
  return read.ok ? read.request : null;
}

function answerOf({ answer, answerBody }: Transcript): Reading {
  if (answer === null) return nothing;
  const body = decodeBody(answerBody, headerValue(answer.headers, 'content-encoding') ?? '', decodedMaxBytes);
  if (!body.decoded) return { ...nothing, decoded: false };
  if (body.bytes.length === 0) return nothing;
  const contentType = headerValue(answer.headers, 'content-type') ?? '';
  const read = readAnswer({ contentType, status: answer.status, body: body.bytes, maxEventBytes: eventMaxBytes });
  switch (read.kind) {
    case 'message':
      return { ...nothing, message: read.message, error: read.error, ended: read.ended };
    case 'json':
      return isError(read.value) ? { ...nothing, error: read.value } : { ...nothing, other: read.value };
    case 'opaque':
      return { ...nothing, decoded: false };
    default:
      return read satisfies never;
  }
}

function parsed(body: Uint8Array): JsonValue | undefined {
  if (body.length === 0) return undefined;
  const json = parseStrictJson(body, { maxDepth: requestMaxDepth });
  return json.ok ? json.value : undefined;
}

function errorOf(value: JsonValue | undefined): JsonObject | null {
  return isError(value) ? value : null;
}

function isError(value: JsonValue | undefined): value is JsonObject {
  return isJsonObject(value) && value.type === 'error';
}
