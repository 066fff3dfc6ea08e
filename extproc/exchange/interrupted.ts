import type { Clock, ExchangeLog, OnFinished } from './ports.ts';
import { decodeRecord, decodeRecordHead, encodeRecord } from './record.ts';

/**
 * Ends what a death of the processor left open: every exchange with a start and no end among these records gets the
 * outcome `interrupted` (inv. 4). Returns their ids. Reads from the cursor that the shipper keeps at the oldest open
 * exchange, so none is missed.
 */
export async function closeInterrupted(
  records: AsyncIterable<{ payload: Uint8Array }>,
  log: ExchangeLog,
  clock: Clock,
  onFinished: OnFinished = () => {},
): Promise<string[]> {
  const open = new Map<string, string>();
  for await (const { payload } of records) {
    const { kind, exchangeId } = decodeRecordHead(payload);
    if (kind === 'started') open.set(exchangeId, connectionOf(payload));
    if (kind === 'finished') open.delete(exchangeId);
  }
  for (const [exchangeId, connection] of open) {
    const finished = { outcome: 'interrupted', detail: 'the processor ended', status: null, localReply: '' } as const;
    await log.append(encodeRecord({ exchangeId, timeMs: clock.nowMs(), kind: 'finished', finished }), { isEnd: true });
    onFinished(connection, finished.outcome);
  }
  if (open.size > 0) await log.sync();
  return [...open.keys()];
}

function connectionOf(payload: Uint8Array): string {
  const record = decodeRecord(payload);
  return record.kind === 'started' ? record.started.connection : '';
}
