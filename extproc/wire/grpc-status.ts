import type { OutgoingHttpHeaders } from 'node:http2';

/** The status codes that are used here (gRPC's statuscodes.md). */
export const grpcStatus = { ok: 0, notFound: 5, unimplemented: 12, internal: 13, unavailable: 14 } as const;

export type GrpcStatus = { code: (typeof grpcStatus)[keyof typeof grpcStatus]; details: string };

export const responseHeaders = { ':status': 200, 'content-type': 'application/grpc' };

const detailsMaxChars = 500;

/**
 * A status as trailers. The details become a header and go on into Envoy's log: what is not printable ASCII is a `?` in
 * them, and `%` is encoded, as gRPC asks for (PROTOCOL-HTTP2.md, Percent-Encoded).
 */
export function trailersOf({ code, details }: GrpcStatus): OutgoingHttpHeaders {
  if (code === grpcStatus.ok) return { 'grpc-status': '0' };
  const printable = details.slice(0, detailsMaxChars).replace(/[^\x20-\x7e]/g, '?');
  return { 'grpc-status': `${code}`, 'grpc-message': printable.replaceAll('%', '%25') };
}
