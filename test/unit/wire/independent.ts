/**
 * The protocol as @grpc/proto-loader reads it from `proto/ext_proc.proto`: a codec that owes nothing to the one under
 * test, for clients in the place of Envoy.
 */
import { fileURLToPath } from 'node:url';
import type { MethodDefinition, ServiceDefinition } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';

/** `raw_value` is what Envoy 1.40 fills; the values of headers are bytes, not text. */
export type WireHeader = { key: string; raw_value: Buffer };
export type WireStruct = { fields?: Record<string, WireValue> };
export type WireValue = {
  kind?: string;
  nullValue?: unknown;
  numberValue?: number;
  stringValue?: string;
  boolValue?: boolean;
  structValue?: WireStruct;
  listValue?: { values?: WireValue[] };
};
export type WireHeaders = { headers?: { headers?: WireHeader[] }; end_of_stream?: boolean };
export type WireBody = { body?: Buffer; end_of_stream?: boolean };
export type WireTrailers = { trailers?: { headers?: WireHeader[] } };

/** ProcessingRequest as the loader gives it: absent fields are undefined. */
export type ProcessingRequest = {
  request?: string;
  request_headers?: WireHeaders;
  response_headers?: WireHeaders;
  request_body?: WireBody;
  response_body?: WireBody;
  request_trailers?: WireTrailers;
  response_trailers?: WireTrailers;
  metadata_context?: { filter_metadata?: Record<string, WireStruct> };
  attributes?: Record<string, WireStruct>;
  observability_mode?: boolean;
  protocol_config?: { request_body_mode?: string; response_body_mode?: string };
};

/** ProcessingResponse: exactly one of the oneof's members is set, and `response` names it. */
export type ProcessingResponse = Record<string, unknown>;

const packageDefinition = loadSync(fileURLToPath(new URL('../../../proto/ext_proc.proto', import.meta.url)), {
  keepCase: true,
  enums: String,
  longs: Number,
  oneofs: true,
});
export const externalProcessorService = packageDefinition[
  'envoy.service.ext_proc.v3.ExternalProcessor'
] as ServiceDefinition;

export const processMethod = externalProcessorService.Process as MethodDefinition<
  ProcessingRequest,
  ProcessingResponse
>;

/** As Envoy would encode it. */
export function encoded(message: ProcessingRequest): Buffer {
  return processMethod.requestSerialize(message);
}

/** The replies in these bytes, which are whole gRPC messages, as Envoy would decode them. */
export function decodedReplies(bytes: Buffer): ProcessingResponse[] {
  const replies: ProcessingResponse[] = [];
  for (let rest = bytes; rest.length > 0; ) {
    const end = 5 + rest.readUInt32BE(1);
    if (rest[0] !== 0 || rest.length < end) throw new Error('these are no whole gRPC messages');
    replies.push(processMethod.responseDeserialize(rest.subarray(5, end)));
    rest = rest.subarray(end);
  }
  return replies;
}
