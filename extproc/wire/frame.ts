import { SkilltapeError } from '../errors.ts';
import type { Frame } from '../exchange/frame.ts';
import type { HeaderList } from '../exchange/headers.ts';
import type { ProcessingRequest, WireHeader, WireStruct } from './service.ts';
import { decodeMetadata } from './service.ts';
import { plainObject } from './struct.ts';

const attributeNamespace = 'envoy.filters.http.ext_proc';
const nothing = Buffer.alloc(0);

/** One message of Envoy as a frame; throws `protocol_violation` for a message that is none of the six. */
export function frameOf(message: ProcessingRequest): Frame {
  switch (message.request) {
    case 'request_headers':
      return {
        kind: 'request_headers',
        headers: headerList(message.request_headers?.headers?.headers),
        endOfStream: message.request_headers?.end_of_stream ?? false,
        metadata: metadataOf(message.metadata_context),
        attributes: plainObject(message.attributes?.[attributeNamespace]),
      };
    case 'request_body':
      return {
        kind: 'request_body',
        body: message.request_body?.body ?? nothing,
        endOfStream: message.request_body?.end_of_stream ?? false,
      };
    case 'request_trailers':
      return {
        kind: 'request_trailers',
        headers: headerList(message.request_trailers?.trailers?.headers),
      };
    case 'response_headers':
      return {
        kind: 'response_headers',
        headers: headerList(message.response_headers?.headers?.headers),
        endOfStream: message.response_headers?.end_of_stream ?? false,
        attributes: plainObject(message.attributes?.[attributeNamespace]),
      };
    case 'response_body':
      return {
        kind: 'response_body',
        body: message.response_body?.body ?? nothing,
        endOfStream: message.response_body?.end_of_stream ?? false,
      };
    case 'response_trailers':
      return {
        kind: 'response_trailers',
        headers: headerList(message.response_trailers?.trailers?.headers),
      };
    default:
      throw new SkilltapeError('protocol_violation', `Envoy sent a message of an unknown kind: ${message.request}`);
  }
}

/**
 * Refuses a filter configured in a mode in which the write-ahead promise cannot be kept: only FULL_DUPLEX_STREAMED
 * lets the whole request be held back at any size, and only STREAMED answers never lose bytes.
 */
export function assertModes(message: ProcessingRequest): void {
  const request = message.protocol_config?.request_body_mode;
  const response = message.protocol_config?.response_body_mode;
  if (request === 'FULL_DUPLEX_STREAMED' && response === 'STREAMED' && !message.observability_mode) return;
  throw new SkilltapeError(
    'protocol_violation',
    `Envoy's ext_proc filter has request_body_mode ${request} and response_body_mode ${response}` +
      `${message.observability_mode ? ' in observability_mode' : ''}`,
    {
      remedy: 'Set FULL_DUPLEX_STREAMED and STREAMED without observability_mode, as envoy/envoy.yaml does.',
    },
  );
}

function metadataOf(bytes: Buffer | undefined): Record<string, Record<string, unknown>> {
  const metadata: Record<string, Record<string, unknown>> = Object.create(null);
  if (bytes === undefined || bytes.length === 0) return metadata;
  for (const [filter, struct] of Object.entries<WireStruct>(decodeMetadata(bytes))) {
    metadata[filter] = plainObject(struct);
  }
  return metadata;
}

/** Header values are latin1 on the wire (RFC 9110 section 5.5): decoding as UTF-8 would lose bytes. */
function headerList(headers: readonly WireHeader[] | undefined): HeaderList {
  return (headers ?? []).map(({ key, raw_value }) => [key.toLowerCase(), raw_value?.toString('latin1') ?? ''] as const);
}
