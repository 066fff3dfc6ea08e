import { SkilltapeError } from '../errors.ts';
import { isFromUpstream } from './answer.ts';
import { type Action, continueAnswer, type Frame } from './frame.ts';

/**
 * A request without a connection. Envoy refuses some requests before it chooses a route (a malformed path, no host) and
 * then shows us its own answer alone: that passes. A request itself, or an upstream's answer, means that a route has no
 * connection name: it is cut (inv. 2).
 */
export class Unrouted {
  readonly id = 'unrouted';

  async accept(frame: Frame): Promise<Action> {
    const isRequest = frame.kind.startsWith('request_');
    if (isRequest || (frame.kind === 'response_headers' && isFromUpstream(frame))) throw unnamed();
    return continueAnswer(frame, {});
  }

  /** Nothing waits. */
  left(): void {}

  /** There is nothing that could be left open. */
  async abandon(): Promise<void> {}
}

function unnamed(): SkilltapeError {
  return new SkilltapeError('protocol_violation', "Envoy's route names no connection", {
    remedy: 'Give the route grpc_initial_metadata x-skilltape-connection with a name from skilltape.yaml.',
  });
}
