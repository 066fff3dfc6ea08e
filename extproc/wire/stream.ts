import { SkilltapeError } from '../errors.ts';
import type { StreamEnding } from '../exchange/broken-off.ts';
import type { Action, Frame } from '../exchange/frame.ts';
import type { Soon } from '../exchange/soon.ts';
import { assertGateModes, assertModes, readMessage } from './frame.ts';
import { grpcStatus } from './grpc-status.ts';
import type { GrpcStream } from './grpc-stream.ts';
import { repliesOf, streamedReply } from './reply.ts';

/** What a stream needs of an exchange. */
export type StreamExchange = {
  readonly id: string;
  /** Of a request it is shown the headers alone, and of an answer nothing (`release-gate.ts`). */
  readonly isGate?: boolean;
  accept(frame: Frame): Soon<Action>;
  /** Envoy ended its side, or is gone: what still waits need not go on. */
  left(): void;
  abandon(how: StreamEnding, detail: string, undelivered: boolean): Promise<void>;
  /** `heed` is called when it is to end now, whatever Envoy does, with the last that is sent of it. */
  onStop?(heed: (last: Action) => void): void;
};

/** What Envoy's route says of itself, as gRPC metadata; a caller's headers never become that. */
export type Route = { connection: string; pathPrefix: string; isRelease: boolean };

/** Opens the exchange of a stream; throws when the route names no connection that is configured. */
export type OpenExchange = (route: Route) => StreamExchange;

/** Called once a stream is over; `fault` is set when we ended it with an error. */
export type StreamEnd = (exchangeId: string | undefined, fault: Error | undefined) => void;

/**
 * One stream of Envoy: frames in order, one at a time, each answered before the next is taken. A clean early end of ours
 * would let the request through unrecorded, so every way out before Envoy's half-close is a non-OK status.
 */
export async function serveStream(
  stream: GrpcStream,
  openIt: () => StreamExchange,
  onEnd: StreamEnd,
  isStopping: () => boolean,
): Promise<void> {
  let exchange: StreamExchange | undefined;
  let fault: Error | undefined;
  let undelivered = false;
  try {
    const opened = openIt();
    exchange = opened;
    stream.onEnd(() => opened.left());
    const stopped = new Stopped(stream);
    opened.onStop?.((last) => stopped.by(last));
    undelivered = !(await pump(stream, exchange, stopped));
    stream.complete();
  } catch (error) {
    fault = error instanceof Error ? error : new Error(String(error));
    stream.fail({ code: grpcStatus.internal, details: withRemedy(fault) });
  } finally {
    const ended = stream.isConnectionLost ? 'connection_lost' : 'stream_ended';
    const how = fault instanceof StreamCut ? fault.how : isStopping() ? 'interrupted' : ended;
    const detail = how === 'interrupted' ? 'the processor was stopped' : (fault?.message ?? '');
    await exchange?.abandon(how, detail, undelivered).catch((error) => {
      fault ??= error;
    });
    // Somebody wanted it so: that is no fault.
    onEnd(exchange?.id, how === 'stopped' ? undefined : fault);
  }
}

/** We end the stream although Envoy would go on. */
class StreamCut extends Error {
  readonly how: 'cut' | 'stopped';

  constructor(reason: string, how: 'cut' | 'stopped' = 'cut') {
    super(reason);
    this.how = how;
  }
}

/** What a stopped exchange sends last; Envoy may be slow to take what comes before it. */
class Stopped {
  static readonly #takenMaxMs = 1_000;
  readonly #stream: GrpcStream;
  #last: Action | undefined;
  #reset: NodeJS.Timeout | undefined;

  constructor(stream: GrpcStream) {
    this.#stream = stream;
  }

  by(last: Action): void {
    this.#last = last;
    this.#stream.interrupt();
    this.#reset = setTimeout(() => this.#stream.reset(), Stopped.#takenMaxMs);
    this.#reset.unref();
  }

  get isDue(): boolean {
    return this.#last !== undefined;
  }

  /** Once. Throws where the stream is to end. */
  take(): Action | undefined {
    const last = this.#last;
    this.#last = undefined;
    clearTimeout(this.#reset);
    if (last?.kind === 'cut') throw new StreamCut(last.reason, 'stopped');
    return last;
  }
}

/** False when Envoy was gone before it took all that the exchange let through. */
async function pump(stream: GrpcStream, exchange: StreamExchange, stopped: Stopped): Promise<boolean> {
  let isFirst = true;
  let isAnswered = false;
  for (;;) {
    while (!stream.hasNext && !stopped.isDue) await stream.changed();
    const next = nextAction(stream, exchange, stopped, isFirst);
    const action = next instanceof Promise ? await next : next;
    if (action === undefined) return true;
    isFirst = false;
    if (action.kind === 'wait') continue;
    if (action.kind === 'cut') throw new StreamCut(action.reason);
    // One answer of ours, whoever was the first to give it.
    if (isAnswered) continue;
    isAnswered = action.kind === 'local_reply';
    try {
      const sent = sendReplies(stream, action);
      if (sent instanceof Promise) await sent;
    } catch (error) {
      throw new StreamCut(withRemedy(error));
    }
    if (stream.isGone) {
      stopped.take();
      return false;
    }
  }
}

/**
 * Of the next message, or the last one of a stopped exchange; undefined when Envoy has ended its side. A function of its
 * own, whose variables are gone while an answer is sent: a message is a view of all that was read with it.
 */
function nextAction(
  stream: GrpcStream,
  exchange: StreamExchange,
  stopped: Stopped,
  isFirst: boolean,
): Soon<Action> | undefined {
  const last = stopped.take();
  // What came meanwhile is of no account any more.
  if (last !== undefined) return last;
  const bytes = stream.take();
  return bytes && acceptMessage(exchange, bytes, isFirst);
}

/** A released body may have to be read back from the log: where that fails, the request must not end as if it were whole. */
function sendReplies(stream: GrpcStream, action: Action): Soon<void> {
  return action.kind === 'streamed_reply' ? stream.sendLive(streamedReply(action)) : stream.send(repliesOf(action));
}

function acceptMessage(exchange: StreamExchange, bytes: Buffer, isFirst: boolean): Soon<Action> {
  try {
    const message = readMessage(bytes);
    if (isFirst && exchange.isGate === true) assertGateModes(message);
    else if (isFirst) assertModes(message);
    const action = exchange.accept(message.frame);
    return action instanceof Promise ? action.catch(cutBy) : action;
  } catch (error) {
    return cutBy(error);
  }
}

function cutBy(error: unknown): Action {
  return { kind: 'cut', reason: withRemedy(error) };
}

function withRemedy(error: unknown): string {
  const { message, remedy } = SkilltapeError.from(error);
  return remedy === undefined ? message : `${message}. ${remedy}`;
}
