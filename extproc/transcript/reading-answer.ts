import { readAnswer } from '../claude/answer.ts';
import type { BatchResult } from '../claude/batch-results.ts';
import { decodeBody } from '../claude/content-decoding.ts';
import type { Endpoint } from '../claude/endpoint.ts';
import type { JsonObject, JsonValue } from '../claude/json.ts';
import { isJsonObject } from '../claude/json.ts';
import { syntaxFaultOffset } from '../claude/json-syntax.ts';
import { mediaTypeOf } from '../claude/media-type.ts';
import type { SessionEvent } from '../claude/session-events.ts';
import { headerValue } from '../exchange/headers.ts';
import { readZip } from '../upload/archive.ts';
import type { HashOfBytes } from './carried.ts';
import { carriedFiles } from './carried.ts';
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
  truncated: false,
};

const decodedMaxBytes = 64 * 1024 * 1024;
const eventMaxBytes = 32 * 1024 * 1024;
const downloads = new Set(['files.download', 'skills.versions.download']);

export async function readAnswerOf(
  transcript: Transcript,
  endpoint: Endpoint,
  hashOf: HashOfBytes,
): Promise<AnswerReading> {
  const { answer, answerBody } = transcript;
  if (answer === null) return nothingAnswered;
  const body = decodeBody(answerBody, headerValue(answer.headers, 'content-encoding') ?? '', decodedMaxBytes);
  if (!body.decoded) return { ...nothingAnswered, decoded: false };
  if (body.bytes.length === 0) return nothingAnswered;
  const contentType = headerValue(answer.headers, 'content-type') ?? '';
  if (downloads.has(endpoint.name) && answer.status === 200) {
    const isWhole = transcript.answerBytes === answerBody.length && transcript.finished.outcome === 'complete';
    return isWhole ? readDownload(body.bytes, contentType, hashOf) : { ...nothingAnswered, decoded: false };
  }
  const read = readAnswer({
    endpoint: endpoint.name,
    contentType,
    status: answer.status,
    body: body.bytes,
    maxEventBytes: eventMaxBytes,
  });
  switch (read.kind) {
    case 'message':
      return { ...nothingAnswered, message: read.message, error: read.error, ended: read.ended };
    case 'json':
      return isError(read.value)
        ? { ...nothingAnswered, error: read.value }
        : { ...nothingAnswered, other: read.value };
    case 'session_events':
      return { ...nothingAnswered, events: read.events, truncated: read.truncated };
    case 'batch_results':
      return { ...nothingAnswered, results: read.results, decoded: read.faults.length === 0 };
    case 'opaque':
      return { ...nothingAnswered, decoded: false, ended: isCutJson(contentType, body.bytes) ? false : null };
    default:
      return read satisfies never;
  }
}

/** Well-formed as far as it goes, and cut short. */
function isCutJson(contentType: string, bytes: Uint8Array): boolean {
  if (mediaTypeOf(contentType) !== 'application/json') return false;
  const text = new TextDecoder().decode(bytes);
  return syntaxFaultOffset(text) === text.length;
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
