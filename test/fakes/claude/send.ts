/** Sends a prepared answer at the pace, in the pieces, in the encoding and with the ending that were chosen. */
import type { ServerResponse } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import type { Behaviour } from './behaviour.ts';
import { compress } from './compress.ts';
import type { Reply } from './reply.ts';

/** `ended` is the end that was chosen, also a broken one; `client_gone` is the client's (`gone` was aborted before). */
export type Delivery = 'ended' | 'client_gone';

/** Hands the answer to the connection; `onSent` hears of every piece of the body just before it goes. */
export async function sendReply(
  response: ServerResponse,
  reply: Reply,
  behaviour: Behaviour,
  onSent: (bytes: Buffer) => void,
  gone: AbortSignal,
): Promise<Delivery> {
  if (behaviour.ending === 'hang') return untilGone(gone);
  if (behaviour.ending === 'reset_before_headers') return breakConnection(response);
  // Before the headers go, so that nothing is missed that happens after the client saw them.
  const live = reply.live?.(gone);
  response.writeHead(reply.status, replyHeaders(reply, behaviour));
  response.flushHeaders();
  if (behaviour.ending === 'headers_then_hang') return untilGone(gone);

  const isWhole = behaviour.ending === 'complete';
  const pieces = live === undefined ? reply.pieces : chain(reply.pieces, live);
  const piecesMax = isWhole ? Number.POSITIVE_INFINITY : brokenAfter(reply);
  const delivered = take(paced(pieces, behaviour.msPerEvent, gone), piecesMax);
  const encoded = compress(delivered, behaviour.encoding, behaviour.ending !== 'reset');
  for await (const piece of encoded) {
    for (const write of slices(piece, behaviour.bytesPerWrite ?? piece.length)) {
      if (gone.aborted) return 'client_gone';
      onSent(write);
      await written(response, write, gone);
    }
  }
  if (gone.aborted) return 'client_gone';
  if (behaviour.ending === 'reset') return breakConnection(response);
  return new Promise((resolve) => {
    gone.addEventListener('abort', () => resolve('client_gone'), { once: true });
    response.end(() => resolve('ended'));
  });
}

function replyHeaders(reply: Reply, behaviour: Behaviour): Record<string, string> {
  const isStream = reply.headers['content-type']?.startsWith('text/event-stream') ?? false;
  const encoding: Record<string, string> =
    behaviour.encoding === 'identity' ? {} : { 'content-encoding': behaviour.encoding };
  // A length would make a truncated body an error of HTTP, and an encoded one is not known before it is made.
  const hasLength = !isStream && behaviour.encoding === 'identity' && behaviour.ending !== 'truncate';
  const length: Record<string, string> = hasLength
    ? { 'content-length': String(reply.pieces.reduce((sum, piece) => sum + piece.length, 0)) }
    : {};
  return { ...length, ...encoding, ...reply.headers };
}

async function* chain(first: readonly Buffer[], rest: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  yield* first;
  yield* rest;
}

/** How much of an answer comes that does not come whole: half, or the first two live events. */
function brokenAfter(reply: Reply): number {
  return reply.live === undefined ? Math.ceil(reply.pieces.length / 2) : reply.pieces.length + 2;
}

async function* take(pieces: AsyncIterable<Buffer>, countMax: number): AsyncGenerator<Buffer> {
  if (countMax < 1) return;
  let count = 0;
  for await (const piece of pieces) {
    yield piece;
    count += 1;
    if (count >= countMax) return;
  }
}

async function* paced(
  pieces: Iterable<Buffer> | AsyncIterable<Buffer>,
  msPerEvent: number,
  gone: AbortSignal,
): AsyncGenerator<Buffer> {
  for await (const piece of pieces) {
    if (msPerEvent > 0) await pause(msPerEvent, undefined, { signal: gone }).catch(() => undefined);
    if (gone.aborted) return;
    yield piece;
  }
}

function* slices(piece: Buffer, bytesPerWrite: number): Generator<Buffer> {
  for (let start = 0; start < piece.length; start += bytesPerWrite) yield piece.subarray(start, start + bytesPerWrite);
}

/** Waits until the operating system took the bytes: back-pressure, and separate writes stay separate. */
function written(response: ServerResponse, bytes: Buffer, gone: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      gone.removeEventListener('abort', done);
      resolve();
    };
    gone.addEventListener('abort', done);
    response.write(bytes, done);
  });
}

function breakConnection(response: ServerResponse): Delivery {
  response.socket?.destroy();
  return 'ended';
}

function untilGone(gone: AbortSignal): Promise<Delivery> {
  return new Promise((resolve) => {
    if (gone.aborted) resolve('client_gone');
    else gone.addEventListener('abort', () => resolve('client_gone'), { once: true });
  });
}
