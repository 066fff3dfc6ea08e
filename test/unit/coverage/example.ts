import type { LogLine } from '../../../extproc/coverage/line.ts';
import { parseLine } from '../../../extproc/coverage/line.ts';
import type { RecordedExchange } from '../../../extproc/coverage/recorded.ts';
import { newExchangeId } from '../../../extproc/exchange/exchange-id.ts';

export const startMs = Date.UTC(2026, 10, 22, 12);
export const envoyRequestId = '11111111-2222-4333-8444-555555555555';
export const exchangeId = newExchangeId(startMs);

/** A line as Envoy writes it of a request that was recorded, forwarded and answered. */
export function lineText(changes: Record<string, unknown> = {}): string {
  return JSON.stringify({
    ...{ connection: 'claude', details: 'via_upstream', duration_ms: 54, exchange: exchangeId, flags: '-' },
    ...{ method: 'POST', path: '/v1/messages', protocol: 'HTTP/1.1', request_bytes: 90, request_id: envoyRequestId },
    ...{ response_bytes: 645, route: 'claude', source: '203.0.113.7', status: 200 },
    ...{ time: new Date(startMs).toISOString(), upstream: '198.51.100.1:443', upstream_bytes: 454, verdict: 'allow' },
    ...changes,
  });
}

/** What Envoy writes of a request that it refused before it asked us. */
export const refusedByEnvoy = {
  ...{ connection: null, details: 'path_normalization_failed', exchange: null, verdict: null, status: 400 },
  ...{ request_id: null, route: null, upstream: null, upstream_bytes: 0, response_bytes: 150 },
};

export function lineOf(changes: Record<string, unknown> = {}): LogLine {
  const parsed = parseLine(lineText(changes));
  if (parsed.kind !== 'line') throw new Error(parsed.reason);
  return parsed.line;
}

export function recordedOf(changes: Partial<RecordedExchange> = {}): RecordedExchange {
  return {
    ...{ exchangeId, envoyRequestId, outcome: 'complete', released: true, status: 200, callerBytes: 645 },
    endedMs: startMs + 54,
    ...changes,
  };
}
