import { mediaTypeOf } from '../claude/media-type.ts';
import { SkilltapeError } from '../errors.ts';
import type { Ending } from './broken-off.ts';
import { failureEvent, upstreamErrorEvent } from './error-event.ts';
import { joinedValue, recordableHeaders } from './headers.ts';
import type { Ledger } from './ledger.ts';
import type { ReleasedAnswer } from './releaser.ts';

/** Of an error of the upstream as much as this is read. */
const errorBodyMaxBytes = 64 * 1024;

/** `last` is what the caller is given as the end, where the upstream's own end cannot be. */
export type RelayedPiece = { bytes: Uint8Array } | { last: Uint8Array; ending: Ending };

type Parts = { answer: ReleasedAnswer; exchangeId: string; answerMaxBytes: number; ledger: Ledger };

/**
 * Passes the upstream's answer on behind the headers that the caller was given long before. It ends when the upstream's
 * own end was seen. Where the upstream broke off what the caller has a part of, it throws, so that the caller sees it
 * broken off, too.
 */
export async function* relayed(parts: Parts): AsyncGenerator<RelayedPiece> {
  const { answer, exchangeId, answerMaxBytes, ledger } = parts;
  const canFollow = answer.status === 200 && isPlainEventStream(answer);
  const body = canFollow ? '' : await beginningOf(answer);
  const { status } = answer;
  await ledger.record({
    kind: 'upstream_answered',
    upstream: { status, headers: recordableHeaders(answer.headers), body },
  });
  if (!canFollow) {
    answer.abort();
    yield { last: upstreamErrorEvent({ status, body }, exchangeId), ending: errorEnding(status) };
    return;
  }
  let bytes = 0;
  for (;;) {
    const piece = await nextOf(answer);
    if (piece.kind === 'end') return;
    if (piece.kind === 'broken' && bytes === 0) {
      const last = failureEvent(`Claude broke its answer off. (exchange ${exchangeId})`, exchangeId);
      yield { last, ending: { outcome: 'upstream_aborted', detail: piece.detail } };
      return;
    }
    if (piece.kind === 'broken') throw new UpstreamBroke(piece.detail);
    bytes += piece.bytes.length;
    if (bytes > answerMaxBytes) {
      throw new SkilltapeError('internal', `the answer is larger than approvals.streamed.answerMaxBytes`);
    }
    yield { bytes: piece.bytes };
  }
}

/** The upstream ended an answer that the caller has a part of. */
export class UpstreamBroke extends Error {}

function errorEnding(status: number): Ending {
  const detail = status >= 400 ? `status ${status}` : `status ${status}, and no plain event stream`;
  return { outcome: 'upstream_error', detail };
}

/** Content type and encoding of the answer were announced before it came. */
function isPlainEventStream({ headers }: ReleasedAnswer): boolean {
  const encoding = joinedValue(headers, 'content-encoding').toLowerCase();
  const isPlain = encoding === '' || encoding === 'identity';
  return isPlain && mediaTypeOf(joinedValue(headers, 'content-type')) === 'text/event-stream';
}

/** A body that breaks off is worth what came of it. */
async function beginningOf(answer: ReleasedAnswer): Promise<string> {
  const pieces: Uint8Array[] = [];
  let room = errorBodyMaxBytes;
  while (room > 0) {
    const piece = await nextOf(answer);
    if (piece.kind !== 'bytes') break;
    pieces.push(piece.bytes.subarray(0, room));
    room -= piece.bytes.length;
  }
  return Buffer.concat(pieces).toString();
}

type Next = { kind: 'bytes'; bytes: Uint8Array } | { kind: 'end' } | { kind: 'broken'; detail: string };

async function nextOf(answer: ReleasedAnswer): Promise<Next> {
  try {
    const bytes = await answer.next();
    return bytes === null ? { kind: 'end' } : { kind: 'bytes', bytes };
  } catch (thrown) {
    return { kind: 'broken', detail: SkilltapeError.from(thrown).message };
  }
}
