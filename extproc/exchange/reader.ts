/** What of bodies is read while an exchange waits; plain data in and out, so that another thread can do it. */
import { readAnswerIds } from '../claude/answer-ids.ts';
import { readList } from '../claude/list-answer.ts';
import { rewriteResultsUrls } from '../claude/results-url.ts';
import { decodeAnswer } from '../encoding/answer.ts';
import type { DecodingLimits } from '../encoding/limits.ts';
import { bodyFacts } from './body.ts';
import { heldBodySummary } from './held-body-summary.ts';
import type { StoredParts } from './request-body.ts';

type AnswerForm = {
  endpoint: string;
  status: number;
  contentType: string;
  contentEncoding: string;
  decodedMaxBytes: number;
};
type ListForm = { endpoint: string; publicUrl: string | null; contentEncoding: string; maxBytes: number };

/** Where an answer may not decode to more than some megabytes, no ratio needs a limit. */
const smallAnswers = (decodedBodyMaxBytes: number): DecodingLimits => ({
  decodedBodyMaxBytes,
  decodedRatioMax: Number.POSITIVE_INFINITY,
});

/** Decoded, and with the links of batches below `publicUrl` unless that is null. */
function withLinks({ publicUrl, contentEncoding, maxBytes }: Omit<ListForm, 'endpoint'>, received: Uint8Array) {
  const body = decodeAnswer(received, contentEncoding, smallAnswers(maxBytes));
  if (!body.decoded) return { ok: false, fault: 'not_decoded' } as const;
  if (publicUrl === null) return { ok: true, bytes: body.bytes, changed: body.bytes !== received } as const;
  const rewritten = rewriteResultsUrls(body.bytes, publicUrl, maxBytes);
  return rewritten.ok ? { ...rewritten, changed: rewritten.bytes !== received } : rewritten;
}

export const readings = {
  /** A request as policy judges it. */
  body: bodyFacts,
  /** A request that people are asked about. */
  held: heldBodySummary,
  /** The ids that a later request may name; null when the answer cannot be decoded. */
  answerIds: ({ decodedMaxBytes, ...answer }: AnswerForm, received: Uint8Array) => {
    const body = decodeAnswer(received, answer.contentEncoding, smallAnswers(decodedMaxBytes));
    return body.decoded ? readAnswerIds({ ...answer, body: body.bytes, maxEventBytes: decodedMaxBytes }) : null;
  },
  /** An answer with its links changed. */
  changed: withLinks,
  /** A list that is to be filtered, taken apart. */
  list: ({ endpoint, publicUrl, contentEncoding, maxBytes }: ListForm, received: Uint8Array) => {
    const read = withLinks({ publicUrl, contentEncoding, maxBytes }, received);
    if (!read.ok) return read;
    const list = readList(endpoint, read.bytes);
    return list.ok ? { ...read, list: list.list } : list;
  },
};

export type Readings = typeof readings;
export type ReadingKind = keyof Readings;
/** What one kind of reading is told beside the bytes, and what it gives. */
export type Asked<K extends ReadingKind> = Parameters<Readings[K]>[0];
export type Answered<K extends ReadingKind> = ReturnType<Readings[K]>;

/** A body to be read; `stored` is what is in the log alone, after what is in memory. */
export type ReadableBody = {
  readonly bytes: number;
  readonly stored: StoredParts | null;
  joined(): Uint8Array;
  copied(): Uint8Array<ArrayBuffer>;
};

/** Reads large bodies so that other exchanges go on meanwhile; rejects when it cannot. */
export type Reader = {
  read<K extends ReadingKind>(kind: K, asked: Asked<K>, body: ReadableBody): Answered<K> | Promise<Answered<K>>;
};

/** The same in this thread. `letGo` may be called when the bytes are not needed any more, before there is an answer. */
export function readHere<K extends ReadingKind>(
  kind: K,
  asked: Asked<K>,
  bytes: Uint8Array,
  letGo?: () => void,
): Answered<K> {
  const reading = readings[kind] as (asked: Asked<K>, bytes: Uint8Array, letGo?: () => void) => Answered<K>;
  return reading(asked, bytes, letGo);
}
