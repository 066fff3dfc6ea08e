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
export type WireHeaders = {
  headers?: { headers?: WireHeader[] };
  end_of_stream?: boolean;
};
export type WireBody = { body?: Buffer; end_of_stream?: boolean };
export type WireTrailers = { trailers?: { headers?: WireHeader[] } };

/** `proto/ext_proc.proto` ProcessingRequest as the loader gives it: absent fields are undefined. */
export type ProcessingRequest = {
  request?: string;
  request_headers?: WireHeaders;
  response_headers?: WireHeaders;
  request_body?: WireBody;
  response_body?: WireBody;
  request_trailers?: WireTrailers;
  response_trailers?: WireTrailers;
  metadata_context?: Buffer;
  attributes?: Record<string, WireStruct>;
  observability_mode?: boolean;
  protocol_config?: { request_body_mode?: string; response_body_mode?: string };
};

/** `proto/ext_proc.proto` ProcessingResponse: exactly one of the oneof's members is set. */
export type ProcessingResponse = Record<string, unknown>;

const packageDefinition = loadSync(fileURLToPath(new URL('../../proto/ext_proc.proto', import.meta.url)), {
  keepCase: true,
  enums: String,
  longs: Number,
  oneofs: true,
});

function serviceOf(name: string): ServiceDefinition {
  return packageDefinition[`envoy.service.ext_proc.v3.${name}`] as ServiceDefinition;
}

export const externalProcessorService = serviceOf('ExternalProcessor');

export const processMethod = externalProcessorService.Process as MethodDefinition<
  ProcessingRequest,
  ProcessingResponse
>;

const lazyCodec = serviceOf('LazyCodec').Decode as MethodDefinition<
  { filter_metadata?: Record<string, WireStruct> },
  unknown
>;

/** Decodes the `metadata_context` bytes of a stream's first message. */
export function decodeMetadata(bytes: Buffer): Record<string, WireStruct> {
  return lazyCodec.requestDeserialize(bytes).filter_metadata ?? {};
}
