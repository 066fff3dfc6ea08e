import { mediaTypeOf } from '../claude/media-type.ts';
import { SkilltapeError } from '../errors.ts';
import { type Ending, releaseBrokenOff } from './broken-off.ts';
import type { AwaitedEnds } from './end-report.ts';
import { failureEvent, upstreamErrorEvent } from './error-event.ts';
import { joinedValue, recordableHeaders } from './headers.ts';
import type { Ledger } from './ledger.ts';
import type { ReleasedAnswer } from './releaser.ts';

/** Of an error of the upstream as much as this is read. */
const errorBodyMaxBytes = 64 * 1024;

/** `last` is what the caller is given as the end, where the upstream's own end cannot be. */
export type RelayedPiece = { bytes: Uint8Array } | { last: Uint8Array; ending: Ending };

type Parts = {
  answer: ReleasedAnswer;
  exchangeId: string;
  answerMaxBytes: number;
  ledger: Ledger;
  /** Envoy ends an answer by limits of its own too, which looks the same, and says so. */
  reports: Pick<AwaitedEnds, 'reportOf'>;
};

/**
 * Passes the upstream's answer on behind the headers that the caller was given long before. It ends when the upstream's
 * own end was seen. Where the upstream or Envoy broke off what the caller has a part of, it throws, so that the caller sees
 * it broken off, too.
 */
export async function* relayed(parts: Parts): AsyncGenerator<RelayedPiece> {
  const { answer, exchangeId, answerMaxBytes, ledger, reports } = parts;
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
    if (piece.kind === 'broken') {
      const ending = releaseBrokenOff(await reports.reportOf(exchangeId), piece.detail);
      if (bytes > 0) throw new ReleaseBroke(ending);
      const who = ending.outcome === 'cut' ? 'The gateway gave up waiting for Claude' : 'Claude broke its answer off';
      yield { last: failureEvent(`${who}. (exchange ${exchangeId})`, exchangeId), ending };
      return;
    }
    bytes += piece.bytes.length;
    if (bytes > answerMaxBytes) {
      throw new SkilltapeError('internal', `the answer is larger than approvals.streamed.answerMaxBytes`);
    }
    yield { bytes: piece.bytes };
  }
}

/** An answer ended that the caller has a part of. */
export class ReleaseBroke extends Error {
  readonly ending: Ending;

  constructor(ending: Ending) {
    super(ending.detail);
    this.ending = ending;
  }
}

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
