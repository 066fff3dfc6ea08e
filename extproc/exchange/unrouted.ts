import { SkilltapeError } from '../errors.ts';
import { isFromUpstream } from './answer.ts';
import type { Action, Frame } from './frame.ts';

/**
 * A request without a connection. Envoy refuses some requests before it chooses a route (a malformed path, no host) and
 * then shows us its own answer alone: that passes. A request itself, or an upstream's answer, means that a route has no
 * connection name: it is cut (inv. 2).
 */
export class Unrouted {
  readonly id = 'unrouted';

  async accept(frame: Frame): Promise<Action> {
    switch (frame.kind) {
      case 'response_headers':
        if (isFromUpstream(frame)) throw unnamed();
        return { kind: 'continue_response_headers', setHeaders: {} };
      case 'response_body':
        return { kind: 'continue_response_body' };
      case 'response_trailers':
        return { kind: 'continue_response_trailers' };
      case 'request_headers':
      case 'request_body':
      case 'request_trailers':
        throw unnamed();
      default:
        return frame satisfies never;
    }
  }

  /** There is nothing that could be left open. */
  async abandon(): Promise<void> {}
}

function unnamed(): SkilltapeError {
  return new SkilltapeError('protocol_violation', "Envoy's route names no connection", {
    remedy: 'Give the route grpc_initial_metadata x-skilltape-connection with a name from skilltape.yaml.',
  });
}
