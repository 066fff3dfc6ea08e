import { LeftOpen } from './left-open.ts';
import type { Outcome } from './outcome.ts';
import type { Clock, ExchangeLog, OnFinished } from './ports.ts';
import type { ExchangeRecord } from './record.ts';
import { decodeRecord, decodeRecordHead, encodeRecord } from './record.ts';

const ofAnswers: ReadonlySet<ExchangeRecord['kind']> = new Set([
  ...(['answer_started', 'upstream_answered', 'answer_body', 'answer_trailers'] as const),
]);

/**
 * Ends what a death of the processor left open: every exchange with a start and no end among these records gets the
 * outcome `interrupted`, or the one that its answer says where that is whole (inv. 4). Returns their outcomes by id. Reads
 * from the cursor that the shipper keeps at the oldest open exchange, so none is missed.
 */
export async function closeInterrupted(
  records: AsyncIterable<{ payload: Uint8Array }>,
  log: ExchangeLog,
  clock: Clock,
  onFinished: OnFinished = () => {},
): Promise<Map<string, Outcome>> {
  const open = new Map<string, LeftOpen>();
  for await (const { payload } of records) {
    const { kind, exchangeId } = decodeRecordHead(payload);
    if (kind === 'started') {
      const record = decodeRecord(payload);
      if (record.kind === 'started') open.set(exchangeId, new LeftOpen(record.started));
    } else if (kind === 'finished') open.delete(exchangeId);
    else if (ofAnswers.has(kind)) open.get(exchangeId)?.take(decodeRecord(payload));
  }
  const outcomes = new Map<string, Outcome>();
  for (const [exchangeId, left] of open) {
    const { finished } = left;
    await log.append(encodeRecord({ exchangeId, timeMs: clock.nowMs(), kind: 'finished', finished }), { isEnd: true });
    onFinished(left.connection, finished.outcome);
    outcomes.set(exchangeId, finished.outcome);
  }
  if (open.size > 0) await log.sync();
  return outcomes;
}
