import { readAnswer } from '../claude/answer.ts';
import type { BatchResult } from '../claude/batch-results.ts';
import type { Endpoint } from '../claude/endpoint.ts';
import type { JsonObject, JsonValue } from '../claude/json.ts';
import { isJsonObject } from '../claude/json.ts';
import { syntaxFaultOffset } from '../claude/json-syntax.ts';
import { mediaTypeOf } from '../claude/media-type.ts';
import type { SessionEvent } from '../claude/session-events.ts';
import { decodeAnswer } from '../encoding/answer.ts';
import type { DecodingLimits } from '../encoding/limits.ts';
import { headerValue, joinedValue } from '../exchange/headers.ts';
import type { AnswerStarted } from '../exchange/record.ts';
import { readZip } from '../upload/archive.ts';
import type { HashOfBytes } from './carried.ts';
import { carriedFiles } from './carried.ts';
import type { CodedBody } from './coded-body.ts';
import { codedBody, notCoded } from './coded-body.ts';
import type { DocumentFile } from './document.ts';
import type { Transcript } from './transcript.ts';

export type AnswerReading = {
  /** The message as the client's SDK assembles it. */
  message: JsonObject | null;
  /** Whether the message, or other JSON, came to its proper end; null when there is nothing that could have one. */
  ended: boolean | null;
  results: readonly BatchResult[];
  events: readonly SessionEvent[];
  /** Content blocks of files that came down. */
  downloaded: readonly JsonValue[];
  /** Other JSON. */
  other: JsonValue;
  error: JsonObject | null;
  files: readonly DocumentFile[];
  decoded: boolean;
  /** Why it was not, in words that hold nothing of the body. */
  fault: string;
  coded: CodedBody;
  /** Whether the end of its codings was seen; true without any. */
  codingEnded: boolean;
  /** There was more than is read of such an answer. */
  truncated: boolean;
};

export const nothingAnswered: AnswerReading = {
  message: null,
  ended: null,
  results: [],
  events: [],
  downloaded: [],
  other: null,
  error: null,
  files: [],
  decoded: true,
  fault: '',
  coded: notCoded,
  codingEnded: true,
  truncated: false,
};

const eventMaxBytes = 32 * 1024 * 1024;
const downloads = new Set(['files.download', 'skills.versions.download']);

export async function readAnswerOf(
  transcript: Transcript,
  endpoint: Endpoint,
  hashOf: HashOfBytes,
  decoding: DecodingLimits,
): Promise<AnswerReading> {
  const { answer, answerBody } = transcript;
  if (answer === null) return nothingAnswered;
  const body = decodeAnswer(answerBody, joinedValue(answer.headers, 'content-encoding'), decoding);
  if (!body.decoded) return { ...unread(body.fault), coded: codedBody(body.codings, null), codingEnded: false };
  const read = await readDecoded(transcript, answer, body.bytes, endpoint, hashOf);
  return { ...read, coded: codedBody(body.codings, body.bytes.length), codingEnded: body.ended };
}

async function readDecoded(
  transcript: Transcript,
  answer: AnswerStarted,
  body: Uint8Array,
  endpoint: Endpoint,
  hashOf: HashOfBytes,
): Promise<AnswerReading> {
  if (body.length === 0) return nothingAnswered;
  const contentType = headerValue(answer.headers, 'content-type') ?? '';
  if (downloads.has(endpoint.name) && answer.status === 200) {
    const isLoaded = transcript.answerBytes === transcript.answerBody.length;
    const isWhole = isLoaded && transcript.finished.outcome === 'complete';
    return isWhole ? readDownload(body, contentType, hashOf) : unread('the file did not come down whole');
  }
  const read = readAnswer({
    endpoint: endpoint.name,
    contentType,
    status: answer.status,
    body,
    maxEventBytes: eventMaxBytes,
  });
  switch (read.kind) {
    case 'message':
      return { ...nothingAnswered, message: read.message, error: read.error, ended: read.ended };
    case 'json':
      return isError(read.value)
        ? { ...nothingAnswered, error: read.value }
        : { ...nothingAnswered, other: read.value, ended: completionEnded(endpoint, contentType, read.value) };
    case 'session_events':
      return { ...nothingAnswered, events: read.events, truncated: read.truncated };
    case 'batch_results':
      return {
        ...nothingAnswered,
        results: read.results,
        decoded: read.faults.length === 0,
        fault: read.faults[0] ?? '',
      };
    case 'opaque':
      return {
        ...unread('it is of no kind that is read here, or not whole'),
        ended: transcript.answerBytes === transcript.answerBody.length && isCutJson(contentType, body) ? false : null,
      };
    default:
      return read satisfies never;
  }
}

/** The last event of a streamed completion says why it stopped. */
function completionEnded(endpoint: Endpoint, contentType: string, value: JsonValue): boolean | null {
  if (endpoint.name !== 'complete.create' || mediaTypeOf(contentType) !== 'text/event-stream') return null;
  return isJsonObject(value) && typeof value.stop_reason === 'string';
}

/** Well-formed as far as it goes, and cut short. */
function isCutJson(contentType: string, bytes: Uint8Array): boolean {
  if (mediaTypeOf(contentType) !== 'application/json') return false;
  const text = new TextDecoder().decode(bytes);
  return syntaxFaultOffset(text) === text.length;
}

function unread(fault: string): AnswerReading {
  return { ...nothingAnswered, decoded: false, fault };
}

/** A skill comes down as one archive, whose files are read one by one; what is no archive is one file. */
async function readDownload(bytes: Uint8Array, contentType: string, hashOf: HashOfBytes): Promise<AnswerReading> {
  const mediaType = mediaTypeOf(contentType);
  const archive = isZip(bytes) ? await readZip(bytes) : null;
  const carried =
    archive?.ok === true
      ? archive.entries.map((entry) => ({ name: entry.name, mediaType: '', bytes: entry.bytes }))
      : [{ name: '', mediaType, bytes }];
  const { blocks, files } = carriedFiles(carried, 'downloaded', hashOf);
  return { ...nothingAnswered, downloaded: blocks, files };
}

/** APPNOTE.TXT 4.3.7: the signature of a local file header. */
function isZip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x50 && bytes[1] === 0x4b && bytes[2] === 0x03 && bytes[3] === 0x04;
}

function isError(value: JsonValue): value is JsonObject {
  return isJsonObject(value) && value.type === 'error';
}
