import type { Action } from '../exchange/frame.ts';
import type { ProcessingResponse } from './service.ts';
import { structOfStrings } from './struct.ts';

const continued = { response: {} };

/**
 * The messages that carry an action out, in order. A generator, so that a large released body is written with
 * backpressure rather than built at once. `wait` and `cut` have none: a cut is the gRPC status (`stream.ts`).
 */
export async function* repliesOf(action: Action): AsyncGenerator<ProcessingResponse> {
  switch (action.kind) {
    case 'wait':
    case 'cut':
      return;
    case 'release':
      yield* release(action);
      return;
    case 'continue_response_headers':
      yield {
        response_headers: {
          response: {
            header_mutation: { ...setHeaders(action.setHeaders), remove_headers: [...(action.removeHeaders ?? [])] },
          },
        },
      };
      return;
    case 'continue_response_body':
      yield { response_body: action.body === undefined ? continued : inPlace(action.body) };
      return;
    case 'continue_response_trailers':
      yield { response_trailers: {} };
      return;
    case 'local_reply':
      yield {
        immediate_response: {
          status: { code: action.reply.status },
          headers: setHeaders(action.reply.headers),
          body: Buffer.from(action.reply.body),
          details: action.reply.details,
        },
        dynamic_metadata: accessLogMetadata(action.accessLog),
      };
      return;
    default:
      action satisfies never;
  }
}

async function* release(action: Extract<Action, { kind: 'release' }>): AsyncGenerator<ProcessingResponse> {
  yield {
    request_headers: {
      response: {
        header_mutation: { remove_headers: [...action.removeHeaders] },
      },
    },
    dynamic_metadata: accessLogMetadata(action.accessLog),
  };
  let previous: Uint8Array | undefined;
  for await (const chunk of action.body) {
    if (previous !== undefined) yield streamedBody(previous, false);
    previous = chunk;
  }
  if (previous !== undefined) yield streamedBody(previous, !action.hadTrailers);
  else if (action.hadBody && !action.hadTrailers) yield streamedBody(new Uint8Array(0), true);
  if (action.hadTrailers) yield { request_trailers: {} };
}

function streamedBody(body: Uint8Array, endOfStream: boolean): ProcessingResponse {
  return {
    request_body: {
      response: {
        body_mutation: {
          streamed_response: { body, end_of_stream: endOfStream },
        },
      },
    },
  };
}

/** What the access log shows as `%DYNAMIC_METADATA(skilltape:...)%`. */
function accessLogMetadata(fields: Record<string, string>): unknown {
  return { fields: { skilltape: { structValue: structOfStrings(fields) } } };
}

/** In STREAMED mode an answer to a chunk can take its place, with no bytes or with any number of them. */
function inPlace(body: Uint8Array): unknown {
  return { response: { body_mutation: body.length === 0 ? { clear_body: true } : { body } } };
}

function setHeaders(headers: Record<string, string>): { set_headers: unknown[] } {
  return {
    set_headers: Object.entries(headers).map(([key, value]) => ({
      header: { key, raw_value: Buffer.from(value, 'latin1') },
      append_action: 'OVERWRITE_IF_EXISTS_OR_ADD',
    })),
  };
}
