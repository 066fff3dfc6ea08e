import { once } from 'node:events';
import type { Metadata, ServerDuplexStream } from '@grpc/grpc-js';
import { status } from '@grpc/grpc-js';
import { SkilltapeError } from '../errors.ts';
import type { Action, Frame } from '../exchange/frame.ts';
import { assertModes, frameOf } from './frame.ts';
import { repliesOf } from './reply.ts';
import type { ProcessingRequest, ProcessingResponse } from './service.ts';

export type ProcessCall = ServerDuplexStream<ProcessingRequest, ProcessingResponse>;

/** What a stream needs of an exchange. */
export type StreamExchange = {
  readonly id: string;
  accept(frame: Frame): Promise<Action>;
  abandon(how: 'stream_ended' | 'cut' | 'interrupted', detail: string): Promise<void>;
};

/** Opens the exchange of a stream; throws when the route names no connection that is configured. */
export type OpenExchange = (route: { connection: string; pathPrefix: string }) => StreamExchange;

/** Called once a stream is over; `fault` is set when we ended it with an error. */
export type StreamEnd = (exchangeId: string | undefined, fault: Error | undefined) => void;

/**
 * One gRPC stream of Envoy: frames in order, one at a time, each answered before the next is taken. A clean early end
 * of ours would let the request through unrecorded, so every way out before Envoy's half-close is a non-OK status.
 */
export async function serveStream(
  call: ProcessCall,
  open: OpenExchange,
  onEnd: StreamEnd,
  isStopping: () => boolean,
): Promise<void> {
  let exchange: StreamExchange | undefined;
  let fault: Error | undefined;
  // A reset shows as an error of the stream as well; without a listener it would end the process.
  call.on('error', () => {});
  try {
    exchange = open(routeOf(call.metadata));
    await pump(call, exchange);
    if (!call.cancelled) call.end();
  } catch (error) {
    fault = error instanceof Error ? error : new Error(String(error));
    fail(call, fault);
  } finally {
    const how = fault instanceof StreamCut ? 'cut' : isStopping() ? 'interrupted' : 'stream_ended';
    const detail = how === 'interrupted' ? 'the processor was stopped' : (fault?.message ?? '');
    await exchange?.abandon(how, detail).catch((error) => {
      fault ??= error;
    });
    onEnd(exchange?.id, fault);
  }
}

/** We end the stream although Envoy would go on. */
class StreamCut extends Error {}

async function pump(call: ProcessCall, exchange: StreamExchange): Promise<void> {
  let first = true;
  // destroyOnReturn: a destroyed stream would end without a status, which Envoy may take for a clean end.
  for await (const message of call.iterator({ destroyOnReturn: false }) as AsyncIterable<ProcessingRequest>) {
    const action = await acceptMessage(exchange, message, first);
    first = false;
    if (action.kind === 'cut') throw new StreamCut(action.reason);
    await writeReplies(call, action);
    if (call.cancelled) return;
  }
}

/** A released body may have to be read back from the log: where that fails, the request must not end as if it were whole. */
async function writeReplies(call: ProcessCall, action: Action): Promise<void> {
  try {
    for await (const reply of repliesOf(action)) {
      if (call.cancelled) return;
      if (!call.write(reply)) await drained(call);
    }
  } catch (error) {
    throw new StreamCut(withRemedy(error));
  }
}

async function acceptMessage(exchange: StreamExchange, message: ProcessingRequest, first: boolean): Promise<Action> {
  try {
    if (first) assertModes(message);
    return await exchange.accept(frameOf(message));
  } catch (error) {
    return { kind: 'cut', reason: withRemedy(error) };
  }
}

function withRemedy(error: unknown): string {
  const { message, remedy } = SkilltapeError.from(error);
  return remedy === undefined ? message : `${message}. ${remedy}`;
}

async function drained(call: ProcessCall): Promise<void> {
  const stop = new AbortController();
  try {
    await Promise.race([
      once(call, 'drain', { signal: stop.signal }),
      once(call, 'cancelled', { signal: stop.signal }),
      once(call, 'close', { signal: stop.signal }),
    ]);
  } finally {
    stop.abort();
  }
}

const detailsMaxChars = 500;

/** The details become a header: a lone surrogate in them would throw inside the gRPC library, where nobody catches. */
function fail(call: ProcessCall, fault: Error): void {
  if (call.cancelled || call.destroyed) return;
  const details = withRemedy(fault)
    .slice(0, detailsMaxChars)
    .replace(/[^\x20-\x7e]/g, '?');
  call.emit('error', { code: status.INTERNAL, details });
}

/** Set by Envoy on its route; a caller's headers never become gRPC metadata. */
function routeOf(metadata: Metadata): { connection: string; pathPrefix: string } {
  const text = (key: string) => String(metadata.get(key)[0] ?? '');
  return { connection: text('x-skilltape-connection'), pathPrefix: text('x-skilltape-path-prefix') };
}
