import { SkilltapeError } from '../errors.ts';
import type { HeaderList } from './headers.ts';
import type { HeldGrant } from './held-grants.ts';
import type { Identity } from './identity.ts';
import type { Outcome } from './outcome.ts';

/** What an exchange leaves in the journal, in the order of its life. Body records hold the exact bytes. */
export type RecordBody =
  | { kind: 'started'; started: Started }
  | { kind: 'request_body'; bytes: Uint8Array }
  | { kind: 'request_trailers'; headers: HeaderList }
  | { kind: 'decided'; decided: Decided }
  | { kind: 'answer_started'; answer: AnswerStarted }
  | { kind: 'answer_body'; bytes: Uint8Array }
  /** Also without any: the stream of the answer ended, which nothing else in its record shows. */
  | { kind: 'answer_trailers'; headers: HeaderList }
  | { kind: 'finished'; finished: Finished }
  /** The body that the caller was given in place of the one that came (inv. 3). */
  | { kind: 'answer_changed'; bytes: Uint8Array }
  /** What the upstream began to answer a held request whose caller had been given headers before (inv. 3). */
  | { kind: 'upstream_answered'; upstream: UpstreamAnswered };

/** `timeMs` is the wall clock in milliseconds since the epoch: what replays an answer at its pace. */
export type ExchangeRecord = {
  exchangeId: string;
  timeMs: number;
} & RecordBody;

export type Started = {
  connection: string;
  identity: Identity | null;
  authenticationFailure: string | null;
  method: string;
  path: string;
  query: Record<string, string>;
  /** Without the values of credentials (inv. 6). */
  headers: HeaderList;
  sourceAddress: string;
  envoyRequestId: string;
  /** The exchange of which this is Envoy's second attempt. */
  attemptOf: string | null;
  /** The policy that judges it to its end; absent where none was asked, and in journals of earlier versions. */
  policyRevision?: string;
};

export type Decided = {
  stage: 'access' | 'request';
  verdict: 'allow' | 'deny' | 'hold';
  reasons: readonly { rule: string; message: string }[];
  /** What rules of both stages would have decided that are not enforced; absent when they had nothing to say. */
  observed?: { verdict: 'deny' | 'hold'; reasons: readonly { rule: string; message: string }[] };
  /** Which rules did not count, by whose grants and why; absent where none was lifted. */
  lifted?: { grants: readonly HeldGrant[]; reasons: readonly { rule: string; message: string }[] };
  policyRevision: string;
  /** The policy input document as judged. */
  input: unknown;
  session: { id: string; source: string } | null;
};

export type AnswerStarted = {
  status: number;
  headers: HeaderList;
  /** Envoy's `response.code_details`: `via_upstream`, or why Envoy answered by itself. */
  codeDetails: string;
  /** Nothing of it is given before its end, and then perhaps changed (inv. 3); absent where it passes as it comes. */
  givenAtEnd?: boolean;
};

export type UpstreamAnswered = {
  status: number;
  headers: HeaderList;
  /** Of a body that could not go on to the caller as it came: its beginning, as text; else empty. */
  body: string;
};

export type Finished = {
  outcome: Outcome;
  detail: string;
  /** The status that the caller saw, when an answer began or we replied ourselves. */
  status: number | null;
  /** The body of our own reply; empty otherwise. */
  localReply: string;
  /**
   * Bytes at the end of the recorded answer that the caller was not given; absent when there are none. Not known of an
   * exchange that was open when the processor died: of that the last piece may not have been given.
   */
  unansweredBytes?: number;
};

const formatVersion = 1;
/** The journal has the place in this list: new kinds stand at its end. */
const kinds = [
  'started',
  'request_body',
  'request_trailers',
  'decided',
  'answer_started',
  'answer_body',
  'answer_trailers',
  'finished',
  'answer_changed',
  'upstream_answered',
] as const satisfies readonly RecordBody['kind'][];

// version u8 | kind u8 | exchange id, 16 bytes | time f64 little-endian | content (bytes, or JSON in UTF-8)
const headerBytes = 26;

/** A record as parts for one journal append; body bytes are not copied. */
export function encodeRecord(record: ExchangeRecord): Uint8Array[] {
  return recordEncoder(record.exchangeId)(record.timeMs, record);
}

/** The same for all records of one exchange, whose id is read once. */
export function recordEncoder(exchangeId: string): (timeMs: number, body: RecordBody) => Uint8Array[] {
  const id = Buffer.from(exchangeId.replaceAll('-', ''), 'hex');
  return (timeMs, body) => {
    const header = Buffer.allocUnsafe(headerBytes);
    header.writeUInt8(formatVersion, 0);
    header.writeUInt8(kinds.indexOf(body.kind), 1);
    header.set(id, 2);
    header.writeDoubleLE(timeMs, 18);
    return [header, contentOf(body)];
  };
}

function contentOf(record: RecordBody): Uint8Array {
  switch (record.kind) {
    case 'request_body':
    case 'answer_body':
    case 'answer_changed':
      return record.bytes;
    case 'started':
      return json(record.started);
    case 'decided':
      return json(record.decided);
    case 'answer_started':
      return json(record.answer);
    case 'upstream_answered':
      return json(record.upstream);
    case 'finished':
      return json(record.finished);
    case 'request_trailers':
    case 'answer_trailers':
      return json(record.headers);
    default:
      return record satisfies never;
  }
}

export type RecordHead = { exchangeId: string; timeMs: number; kind: RecordBody['kind']; contentBytes: number };

/** The reverse of `encodeRecord`; throws `journal_corrupt` for a version or kind that this program does not know. */
export function decodeRecord(payload: Uint8Array): ExchangeRecord {
  const bytes = bufferOf(payload);
  const { exchangeId, timeMs, kind } = headOf(bytes);
  return { exchangeId, timeMs, ...bodyOf(kind, bytes.subarray(headerBytes)) };
}

/** Whose record it is and what kind of, without reading its content; throws like `decodeRecord`. */
export function decodeRecordHead(payload: Uint8Array): RecordHead {
  return headOf(bufferOf(payload));
}

/** A record as another store keeps it: `version` and `kindNumber` are those of this format, the content is not read. */
export type RecordParts = RecordHead & { version: number; kindNumber: number; content: Uint8Array };

/** Throws like `decodeRecord`. */
export function recordParts(payload: Uint8Array): RecordParts {
  const bytes = bufferOf(payload);
  const content = bytes.subarray(headerBytes);
  return { ...headOf(bytes), version: bytes.readUInt8(0), kindNumber: bytes.readUInt8(1), content };
}

/** The payload of which these are the parts. */
export function recordOf(
  parts: Pick<RecordParts, 'exchangeId' | 'timeMs' | 'version' | 'kindNumber' | 'content'>,
): Buffer {
  const header = Buffer.alloc(headerBytes);
  header.writeUInt8(parts.version, 0);
  header.writeUInt8(parts.kindNumber, 1);
  header.write(parts.exchangeId.replaceAll('-', ''), 2, 'hex');
  header.writeDoubleLE(parts.timeMs, 18);
  return Buffer.concat([header, parts.content]);
}

function bufferOf(payload: Uint8Array): Buffer {
  return Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
}

function headOf(bytes: Buffer): RecordHead {
  const version = bytes.length >= headerBytes ? bytes.readUInt8(0) : 0;
  const kind = version === formatVersion ? kinds[bytes.readUInt8(1)] : undefined;
  if (kind === undefined) {
    throw new SkilltapeError(
      'journal_corrupt',
      `A journal record has version ${version}, which this program cannot read`,
      {
        remedy: 'Read this journal with the skilltape version that wrote it.',
      },
    );
  }
  return {
    exchangeId: uuidText(bytes.subarray(2, 18)),
    timeMs: bytes.readDoubleLE(18),
    kind,
    contentBytes: bytes.length - headerBytes,
  };
}

function bodyOf(kind: RecordBody['kind'], content: Buffer): RecordBody {
  switch (kind) {
    case 'request_body':
    case 'answer_body':
    case 'answer_changed':
      return { kind, bytes: content };
    case 'started':
      return { kind, started: parse(content) };
    case 'decided':
      return { kind, decided: parse(content) };
    case 'answer_started':
      return { kind, answer: parse(content) };
    case 'upstream_answered':
      return { kind, upstream: parse(content) };
    case 'finished':
      return { kind, finished: parse(content) };
    case 'request_trailers':
    case 'answer_trailers':
      return { kind, headers: parse(content) };
    default:
      return kind satisfies never;
  }
}

function json(value: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(value));
}

/** Frames are authenticated by the journal, so what is read here is what this format version wrote. */
function parse<T>(content: Buffer): T {
  return JSON.parse(content.toString()) as T;
}

function uuidText(bytes: Buffer): string {
  const hex = bytes.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
