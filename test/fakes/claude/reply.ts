/** A prepared HTTP answer, and the two plain kinds of it: JSON and the error envelope. */

export type Reply = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Sent one by one: the events of a stream, or the parts of a body. */
  readonly pieces: readonly Buffer[];
  /** What follows the pieces as it comes to be, until it ends or the client is gone. */
  readonly live?: (gone: AbortSignal) => AsyncIterable<Buffer>;
};

const BODY_PIECE_BYTES = 65_536;
const ERROR_TYPES: Readonly<Record<number, readonly [type: string, message: string]>> = {
  400: ['invalid_request_error', 'The request is not valid.'],
  401: ['authentication_error', 'invalid x-api-key'],
  402: ['billing_error', 'Your credit balance is too low.'],
  403: ['permission_error', 'Your API key may not use this resource.'],
  404: ['not_found_error', 'Not found'],
  405: ['invalid_request_error', 'Method not allowed'],
  408: ['timeout_error', 'The request timed out.'],
  409: ['conflict_error', 'The resource was changed meanwhile.'],
  413: ['invalid_request_error', 'The request is too large.'],
  429: ['rate_limit_error', 'This request would exceed your rate limit.'],
  503: ['api_error', 'Service unavailable'],
  504: ['timeout_error', 'The request timed out.'],
  529: ['overloaded_error', 'Overloaded'],
};

export function jsonReply(status: number, body: string, headers: Readonly<Record<string, string>> = {}): Reply {
  return { status, headers: { 'content-type': 'application/json', ...headers }, pieces: cutBody(Buffer.from(body)) };
}

/** A download, as an attachment of that name. */
export function binaryReply(bytes: Buffer, contentType: string, filename?: string): Reply {
  const disposition: Record<string, string> =
    filename === undefined ? {} : { 'content-disposition': `attachment; filename*=UTF-8''${encodeName(filename)}` };
  return { status: 200, headers: { 'content-type': contentType, ...disposition }, pieces: cutBody(bytes) };
}

/** RFC 5987; a name also holds what a URL may not. */
function encodeName(name: string): string {
  return encodeURIComponent(name.toWellFormed()).replace(
    /['()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16)}`,
  );
}

export function streamReply(frames: readonly string[]): Reply {
  return {
    status: 200,
    headers: { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' },
    pieces: frames.map((frame) => Buffer.from(frame)),
  };
}

/** The API's error envelope; without a message, the usual one of the status. */
export function errorReply(
  requestId: string,
  status: number,
  message?: string,
  headers: Readonly<Record<string, string>> = {},
  details?: Readonly<Record<string, unknown>>,
): Reply {
  return jsonReply(status, JSON.stringify({ ...errorEvent(status, message, details), request_id: requestId }), headers);
}

/** The error without its request id, as a stream's `event: error` carries it too. */
export function errorEvent(
  status: number,
  message?: string,
  details?: Readonly<Record<string, unknown>>,
): { type: 'error'; error: Record<string, unknown> } {
  const [type, usual] =
    ERROR_TYPES[status] ??
    (status >= 500 ? ['api_error', 'Internal server error'] : ['invalid_request_error', 'The request is not valid.']);
  return { type: 'error', error: { type, message: message ?? usual, ...(details === undefined ? {} : { details }) } };
}

/** At least two pieces where there are two bytes, so that every body has a middle to stop at. */
export function cutBody(body: Buffer): Buffer[] {
  const pieceBytes = Math.min(BODY_PIECE_BYTES, Math.max(1, Math.ceil(body.length / 2)));
  const pieces: Buffer[] = [];
  for (let start = 0; start < body.length; start += pieceBytes) pieces.push(body.subarray(start, start + pieceBytes));
  return pieces;
}
