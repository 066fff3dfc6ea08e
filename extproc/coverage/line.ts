/** One line of Envoy's access log, as `envoy/envoy.yaml` writes it. Values of a caller are in it: method and path. */
export type LogLine = {
  startMs: number;
  endMs: number;
  method: string;
  path: string;
  /** 0: no answer began. */
  status: number;
  /** Why Envoy answered or ended as it did (`%RESPONSE_CODE_DETAILS%`). */
  details: string;
  flags: string;
  envoyRequestId: string;
  exchangeId: string;
  /** What skilltape said of it; empty when it said nothing. */
  verdict: string;
  route: string;
  /** The host that Envoy chose; empty when it chose none. */
  upstream: string;
  /** Null where the log does not say. */
  upstreamBytes: number | null;
  responseBytes: number;
  source: string;
};

export type ParsedLine = { kind: 'line'; line: LogLine } | { kind: 'unreadable'; reason: string };

/** Without these nothing can be compared; a log format that lacks one must not look like traffic that is well. */
const needed = ['time', 'status', 'details', 'request_id', 'exchange', 'verdict', 'upstream', 'source'] as const;

const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const textMaxChars = 2_048;
const wordMaxChars = 256;
/** The year 2200; what is later cannot be a time of the log, and not every later number is a date. */
const endOfTimeMs = Date.UTC(2200);
const durationMaxMs = 366 * 24 * 3600 * 1000;

/** Reads a line of at most the configured length; `reason` holds nothing of the line. */
export function parseLine(text: string): ParsedLine {
  const fields = objectOf(text);
  if (fields === null) return { kind: 'unreadable', reason: 'it is no JSON document' };
  const missing = needed.find((name) => !Object.hasOwn(fields, name));
  if (missing !== undefined) return { kind: 'unreadable', reason: `it has no field ${missing}` };
  const startMs = Date.parse(textOf(fields.time, wordMaxChars));
  if (!(startMs >= 0 && startMs < endOfTimeMs)) return { kind: 'unreadable', reason: 'its time is none' };
  const status = countOf(fields.status);
  if (status === null) return { kind: 'unreadable', reason: 'its status is no number' };
  const exchangeId = textOf(fields.exchange, wordMaxChars);
  if (exchangeId !== '' && !uuid.test(exchangeId)) return { kind: 'unreadable', reason: 'its exchange is no id' };
  return { kind: 'line', line: lineOf(fields, { startMs, status, exchangeId }) };
}

function lineOf(fields: Record<string, unknown>, known: Pick<LogLine, 'startMs' | 'status' | 'exchangeId'>): LogLine {
  return {
    ...known,
    endMs: known.startMs + Math.min(countOf(fields.duration_ms) ?? 0, durationMaxMs),
    method: textOf(fields.method, wordMaxChars),
    path: textOf(fields.path, textMaxChars),
    details: textOf(fields.details, wordMaxChars),
    flags: textOf(fields.flags, wordMaxChars),
    envoyRequestId: textOf(fields.request_id, wordMaxChars),
    verdict: textOf(fields.verdict, wordMaxChars),
    route: textOf(fields.route, wordMaxChars),
    upstream: textOf(fields.upstream, wordMaxChars),
    upstreamBytes: countOf(fields.upstream_bytes),
    responseBytes: countOf(fields.response_bytes) ?? 0,
    source: textOf(fields.source, wordMaxChars),
  };
}

function objectOf(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : null;
  } catch {
    return null;
  }
}

/** What is missing is null in Envoy's JSON, and `-` in logs that were made from text. */
function textOf(value: unknown, maxChars: number): string {
  return typeof value === 'string' && value !== '-' ? value.slice(0, maxChars) : '';
}

function countOf(value: unknown): number | null {
  const number = typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : value;
  return typeof number === 'number' && Number.isSafeInteger(number) && number >= 0 ? number : null;
}
