import { countedVerdict } from '../exchange/counted-refusals.ts';
import type { Outcome } from '../exchange/outcome.ts';
import { releasedVerdict } from '../exchange/release-gate.ts';
import type { Finding } from './finding.ts';
import type { LogLine } from './line.ts';
import type { RecordedExchange } from './recorded.ts';

export type Judged = { kind: Finding; reason: string };

/** Whether bytes may have gone upstream; a log that does not count them is taken at its worst. */
export function wasForwarded({ upstream, upstreamBytes }: LogLine): boolean {
  return upstream !== '' && upstreamBytes !== 0;
}

/** Whether skilltape said that it counts the request with others; bytes that went upstream are never only counted. */
export function isCounted(line: LogLine): boolean {
  return line.verdict === countedVerdict && line.exchangeId !== '' && !wasForwarded(line);
}

/** Whether it tells of the second way of an exchange: that of a held request which was sent on, not that of its caller. */
export function isRelease(line: LogLine): boolean {
  return line.verdict === releasedVerdict && line.exchangeId !== '';
}

/** The way of a released request to the upstream; what its caller was given, the caller's own line tells. */
export function compareRelease(line: LogLine, recorded: RecordedExchange): Judged {
  if (recorded.released) return { kind: 'recorded', reason: '' };
  const reason = `the record says ${recorded.outcome}, not released; ${way(line)}`;
  return { kind: wasForwarded(line) ? 'forwarded_not_recorded' : 'not_recorded', reason };
}

/** Envoy makes both ids, so two lines that share one and not the other do not tell of the same request. */
export function isSameRequest(line: LogLine, recorded: RecordedExchange): boolean {
  const [ofLine, ofRecord] = [line.envoyRequestId, recorded.envoyRequestId];
  return ofLine === '' || ofRecord === '' || ofLine === ofRecord;
}

/** Outcomes of which the record says that it knows how the answer went, to its last byte. */
const wholeOutcomes: ReadonlySet<Outcome> = new Set([
  'complete',
  'denied',
  'refused',
  'upstream_error',
  'upstream_aborted',
]);

/** A line and the exchange that the record has for it. */
export function compare(line: LogLine, recorded: RecordedExchange): Judged {
  if (wasForwarded(line) && !recorded.released) {
    return {
      kind: 'forwarded_not_recorded',
      reason: `the record says ${recorded.outcome}, not released; ${way(line)}`,
    };
  }
  // Where the connection broke, how much of an answer arrived is nobody's to know.
  const isComparable = line.flags === '' && line.status !== 0 && wholeOutcomes.has(recorded.outcome);
  if (!isComparable || isBroken(line)) return { kind: 'recorded', reason: '' };
  if (recorded.status !== null && recorded.status !== line.status) {
    return { kind: 'status_differs', reason: `the record says ${recorded.status}, the log ${line.status}` };
  }
  if (recorded.callerBytes !== null && recorded.callerBytes !== line.responseBytes) {
    const reason = `the record has ${recorded.callerBytes} bytes of answer, the log ${line.responseBytes}`;
    return { kind: 'bytes_differ', reason };
  }
  return { kind: 'recorded', reason: '' };
}

/** A line for which the record has no exchange, and will have none. */
export function judgeUnrecorded(line: LogLine): Judged {
  if (wasForwarded(line)) {
    const exchange = line.exchangeId === '' ? 'the request met no skilltape' : 'the record has no such exchange';
    return { kind: 'forwarded_not_recorded', reason: `${exchange}; ${way(line)}` };
  }
  if (line.exchangeId !== '') return { kind: 'not_recorded', reason: `skilltape answered it: ${line.verdict}` };
  if (isUnavailable(line)) return { kind: 'processor_unavailable', reason: line.details };
  return { kind: 'refused_by_envoy', reason: line.details };
}

/** Names out of Envoy's own configuration. */
function way({ route, upstream }: LogLine): string {
  return `route ${route === '' ? 'without a name' : route}, upstream ${upstream}`;
}

function isBroken({ details }: LogLine): boolean {
  return details.startsWith('ext_proc_error');
}

/**
 * gRPC UNAVAILABLE (14) and DEADLINE_EXCEEDED (4), or Envoy's own message timeout. Other codes are answers of skilltape:
 * a request that it would not take, such as a CONNECT without a route.
 */
function isUnavailable({ details }: LogLine): boolean {
  return /^ext_proc_error_(?:gRPC_error_(?:4|14)\b|.*timeout)/i.test(details);
}
