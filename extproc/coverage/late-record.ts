import { v7 as uuidv7 } from 'uuid';
import { nothingKnown } from '../exchange/counted-refusals.ts';
import type { Finished, Started } from '../exchange/record.ts';
import { tallyDetail } from '../exchange/refusal-tally.ts';
import type { KeyedHash } from '../keyed-hash.ts';
import type { Finding } from './finding.ts';
import type { LinePlace } from './follower.ts';
import type { LogLine } from './line.ts';
import type { SourceMinute } from './source-minutes.ts';

/** A record of a request that skilltape did not see, made from Envoy's log. */
export type LateRecord = {
  exchangeId: string;
  startedMs: number;
  endedMs: number;
  started: Started;
  finished: Finished;
};

export type LateRecordContext = { keyedHash: KeyedHash; connections: ReadonlySet<string> };

/** Named by the line and its place: a line that is read a second time makes the same record again, which is kept once. */
export function recordOfLine(
  { line, at, kind, reason }: { line: LogLine; at: LinePlace; kind: Finding; reason: string },
  context: LateRecordContext,
): LateRecord {
  const name = JSON.stringify([at.inode, at.offset, line]);
  const exchange = line.exchangeId === '' ? '' : ` (exchange ${line.exchangeId})`;
  return {
    exchangeId: idOf(line.startMs, name, context.keyedHash),
    startedMs: line.startMs,
    endedMs: line.endMs,
    started: {
      ...nothingKnown,
      // A route names its connection by its own name only if the operator keeps to that.
      connection: context.connections.has(line.route) ? line.route : '',
      method: line.method,
      path: line.path,
      sourceAddress: line.source,
      envoyRequestId: line.envoyRequestId,
    },
    finished: {
      outcome: line.status === 0 ? 'client_aborted' : 'refused',
      detail: `${kind} ${reason}${exchange}`,
      status: line.status === 0 ? null : line.status,
      localReply: '',
    },
  };
}

/** One record for all that a source sent in one minute beyond those that have their own (inv. 5). */
export function recordOfMany(many: SourceMinute, { keyedHash }: LateRecordContext): LateRecord {
  const { source, minuteMs, firstMs, lastMs } = many;
  return {
    exchangeId: idOf(firstMs, JSON.stringify(['many', source, minuteMs, firstMs]), keyedHash),
    startedMs: firstMs,
    endedMs: lastMs,
    started: { ...nothingKnown, sourceAddress: source },
    finished: {
      outcome: 'refused',
      detail: tallyDetail(many, 'of this source'),
      status: null,
      localReply: '',
    },
  };
}

const idRandomBytes = 16;

/** RFC 9562 version 7. Keyed, so that no caller can aim a request of theirs at the id of another. */
function idOf(timeMs: number, name: string, keyedHash: KeyedHash): string {
  const random = Buffer.from(keyedHash('late record', name), 'hex').subarray(0, idRandomBytes);
  return uuidv7({ msecs: Math.max(0, Math.trunc(timeMs)), random });
}
