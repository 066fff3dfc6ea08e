import type { Action, Frame } from './frame.ts';
import { callerCredentialHeaders } from './headers.ts';
import type { RequestBody } from './request-body.ts';

/** What Envoy's access log has of an exchange. `refusal` tells its local reply format that a body is in Claude's envelope. */
export type AccessLogFacts = Record<string, string>;

export function accessLogOf(exchange: string, connection: string, verdict: string): AccessLogFacts {
  return { exchange, connection, verdict, ...(verdict === 'allow' ? {} : { refusal: verdict }) };
}

/** Lets a whole request go upstream; `lastFrame` is the one with its end. */
export function releaseOf(body: RequestBody, lastFrame: Frame, accessLog: AccessLogFacts): Action {
  return {
    kind: 'release',
    removeHeaders: callerCredentialHeaders,
    body: body.release(),
    hadBody: lastFrame.kind !== 'request_headers',
    hadTrailers: lastFrame.kind === 'request_trailers',
    accessLog,
  };
}
