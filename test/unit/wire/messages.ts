/** Messages as Envoy sends them, for streams that a test opens itself. */
import type { ProcessingRequest, WireHeader } from './independent.ts';

export const modes = { request_body_mode: 'FULL_DUPLEX_STREAMED', response_body_mode: 'STREAMED' };

function headers(list: readonly (readonly [string, string])[]): { headers: WireHeader[] } {
  return { headers: list.map(([key, value]) => ({ key, raw_value: Buffer.from(value, 'latin1') })) };
}

export const messages = {
  requestHeaders(endOfStream = false): ProcessingRequest {
    const list = headers([
      [':method', 'POST'],
      [':path', '/v1/messages'],
    ]);
    return { request_headers: { headers: list, end_of_stream: endOfStream }, protocol_config: modes };
  },
  requestBody(text: string, endOfStream = false): ProcessingRequest {
    return { request_body: { body: Buffer.from(text), end_of_stream: endOfStream } };
  },
  responseHeaders(): ProcessingRequest {
    return { response_headers: { headers: headers([[':status', '200']]) } };
  },
  responseBody(text: string, endOfStream = false): ProcessingRequest {
    return { response_body: { body: Buffer.from(text), end_of_stream: endOfStream } };
  },
};
