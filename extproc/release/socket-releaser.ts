import { type ClientRequest, type IncomingMessage, request as requestOver } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { HeaderList } from '../exchange/headers.ts';
import type { ReleasedAnswer, ReleasedRequest, ReleaseResult, Releaser } from '../exchange/releaser.ts';
import { AnswerPieces } from './answer-pieces.ts';

/** As much as Envoy takes of a request's headers. */
const answerHeadersMaxBytes = 64 * 1024;

/**
 * Sends released requests to Envoy's release listener, one connection for each: a request must never be sent a second
 * time, and a kept connection may end just when one begins.
 */
export class SocketReleaser implements Releaser {
  readonly #socketPath: string;

  constructor(socketPath: string) {
    this.#socketPath = socketPath;
  }

  async send(released: ReleasedRequest, signal: AbortSignal): Promise<ReleaseResult> {
    let request: ClientRequest;
    try {
      request = this.#begin(released, signal);
    } catch (thrown) {
      return { kind: 'unsent', fault: faultOf(thrown) };
    }
    const { promise, resolve } = Promise.withResolvers<ReleaseResult>();
    let isConnected = false;
    let bodyFault: Error | undefined;
    request.on('socket', (socket) => socket.once('connect', () => (isConnected = true)));
    request.on('error', (fault) => resolve({ kind: isConnected ? 'broken' : 'unsent', fault: bodyFault ?? fault }));
    request.on('response', (response) => resolve({ kind: 'answered', answer: answerOf(request, response) }));
    request.on('close', () => resolve({ kind: 'broken', fault: new Error('the connection was closed') }));
    // A body that cannot be read back breaks the request off: it must not end as if it were whole.
    const body = Readable.from(released.body, { objectMode: false }).on('error', (fault) => {
      bodyFault = fault;
    });
    pipeline(body, request).catch((thrown: unknown) => void request.destroy(faultOf(thrown)));
    return promise;
  }

  #begin({ method, target, headers }: ReleasedRequest, signal: AbortSignal): ClientRequest {
    return requestOver({
      ...{ socketPath: this.#socketPath, method, path: target, agent: false, signal },
      maxHeaderSize: answerHeadersMaxBytes,
      // A flat list keeps repeats and their order.
      headers: headers.flat() as unknown as Record<string, string>,
    });
  }
}

function answerOf(request: ClientRequest, response: IncomingMessage): ReleasedAnswer {
  const pieces = new AnswerPieces(response);
  return {
    status: response.statusCode ?? 0,
    headers: pairsOf(response.rawHeaders),
    next: () => pieces.next(),
    abort: () => void request.destroy(),
  };
}

function pairsOf(raw: readonly string[]): HeaderList {
  const pairs: (readonly [string, string])[] = [];
  for (let at = 0; at + 1 < raw.length; at += 2) pairs.push([(raw[at] ?? '').toLowerCase(), raw[at + 1] ?? '']);
  return pairs;
}

function faultOf(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}
