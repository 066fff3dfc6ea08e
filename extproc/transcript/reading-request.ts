import type { BatchEntry } from '../claude/batch.ts';
import { readBatchRequest } from '../claude/batch.ts';
import type { BodyForm } from '../claude/body-form.ts';
import { bodyFormOf } from '../claude/body-form.ts';
import { readCompletionRequest } from '../claude/completion-request.ts';
import type { Endpoint } from '../claude/endpoint.ts';
import type { JsonValue } from '../claude/json.ts';
import { isJsonObject, parseStrictJson, requestMaxDepth, requestMaxTokens } from '../claude/json.ts';
import { mediaTypeOf } from '../claude/media-type.ts';
import type { MessagesRequest, ReadRequest } from '../claude/request.ts';
import { readMessagesRequest } from '../claude/request.ts';
import { sentEventsField } from '../claude/sent-events.ts';
import type { SessionEvent } from '../claude/session-events.ts';
import { sessionEventsIn } from '../claude/session-events.ts';
import { readCodings } from '../encoding/codings.ts';
import type { DecodingLimits } from '../encoding/limits.ts';
import { decodedBody } from '../exchange/decoded-body.ts';
import { joinedValue } from '../exchange/headers.ts';
import { readMultipart } from '../upload/multipart.ts';
import type { HashOfBytes } from './carried.ts';
import { carriedFiles } from './carried.ts';
import type { CodedBody } from './coded-body.ts';
import { codedBody, notCoded } from './coded-body.ts';
import type { DocumentFile } from './document.ts';
import type { Transcript } from './transcript.ts';

export type RequestReading = {
  request: MessagesRequest | null;
  /** The prompts of a batch. */
  batch: readonly BatchEntry[];
  /** What is sent to the other endpoints, in the form of messages. */
  sent: readonly { role: string; content: JsonValue }[];
  /** Those of `sent` that are events of a session of managed agents. */
  sentEvents: readonly SessionEvent[];
  files: readonly DocumentFile[];
  decoded: boolean;
  /** Why it was not, in words that hold nothing of the body. */
  fault: string;
  coded: CodedBody;
};

export const nothingSent: RequestReading = {
  request: null,
  batch: [],
  sent: [],
  sentEvents: [],
  files: [],
  decoded: true,
  fault: '',
  coded: notCoded,
};

/** Reads it as it was read before the verdict, within the same limits: what was refused for them is refused here. */
export function readRequestOf(
  transcript: Transcript,
  endpoint: Endpoint,
  hashOf: HashOfBytes,
  decoding: DecodingLimits,
): RequestReading {
  const { requestBody, started } = transcript;
  if (requestBody.length === 0) return nothingSent;
  if (transcript.requestBytes > requestBody.length) return unread('it is larger than what is read');
  const contentType = joinedValue(started.headers, 'content-type');
  const bodyForm = bodyFormOf(endpoint, started.method, mediaTypeOf(contentType));
  const codings = readCodings(joinedValue(started.headers, 'content-encoding'), 'refused');
  const body = decodedBody({ bodyForm, contentType, codings, decoding }, requestBody);
  const applied = codings.ok ? codings.codings : [];
  if (!body.ok) return { ...unread(decodingFault(body)), coded: codedBody(applied, null) };
  const read = readDecoded(body.bytes, bodyForm, { endpoint, contentType, hashOf });
  return { ...read, coded: codedBody(applied, body.bytes.length) };
}

function decodingFault({ fault, detail }: { fault: string; detail: string }): string {
  return fault === 'invalid' ? detail : `it decodes to more than ${detail}`;
}

function readDecoded(
  body: Uint8Array,
  form: BodyForm,
  { endpoint, contentType, hashOf }: { endpoint: Endpoint; contentType: string; hashOf: HashOfBytes },
): RequestReading {
  if (body.length === 0) return nothingSent;
  if (form === 'upload') return readUpload(body, contentType, hashOf);
  // What was refused for its many values would take as long to read here.
  const json = parseStrictJson(body, {
    ...{ maxDepth: requestMaxDepth, maxTokens: requestMaxTokens },
    exactIntegers: true,
  });
  if (!json.ok) return unread(json.fault.replaceAll('_', ' '));
  switch (form) {
    case 'messages':
      return readPrompt(readMessagesRequest(json.value));
    case 'completion':
      return readPrompt(readCompletionRequest(json.value));
    case 'batch':
      return readBatch(json.value);
    case 'json':
    case 'none':
      return readJson(endpoint, json.value);
    default:
      return form satisfies never;
  }
}

function unread(fault: string): RequestReading {
  return { ...nothingSent, decoded: false, fault };
}

function readPrompt(read: ReadRequest): RequestReading {
  return read.ok ? { ...nothingSent, request: read.request } : unread(read.fault);
}

function readBatch(value: JsonValue): RequestReading {
  const read = readBatchRequest(value);
  return read.ok ? { ...nothingSent, batch: read.entries } : unread(read.fault);
}

/** Events that go into a session of managed agents are prompts one by one; the JSON around them is one. */
function readJson({ name }: Endpoint, value: JsonValue): RequestReading {
  const field = sentEventsField(name);
  const sent = field !== null && isJsonObject(value) ? sessionEventsIn(value[field] ?? []) : null;
  if (field === null || sent === null || !isJsonObject(value)) {
    return { ...nothingSent, sent: [{ role: 'user', content: value }] };
  }
  const { [field]: _events, ...rest } = value;
  const around = Object.keys(rest).length === 0 ? [] : [{ role: 'user', content: rest }];
  const events = sent.events.map(({ role, type, content }) => ({ role, content: [{ type, content }] }));
  return { ...nothingSent, sent: [...around, ...events], sentEvents: sent.events };
}

function readUpload(body: Uint8Array, contentType: string, hashOf: HashOfBytes): RequestReading {
  const read = readMultipart(body, contentType);
  if (!read.ok) return unread(read.fault);
  const fields = read.parts.filter(({ filename }) => filename === null);
  const uploads = read.parts.flatMap(({ filename, contentType: mediaType, bytes }) =>
    filename === null ? [] : [{ name: filename, mediaType, bytes }],
  );
  const { blocks, files } = carriedFiles(uploads, 'uploaded', hashOf);
  const texts = fields.map(({ field, bytes }) => ({
    type: 'text',
    text: `${field}: ${new TextDecoder().decode(bytes)}`,
  }));
  return { ...nothingSent, sent: [{ role: 'user', content: [...texts, ...blocks] }], files };
}
