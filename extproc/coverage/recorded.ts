import type { Outcome } from '../exchange/outcome.ts';
import type { ExchangeDocument } from '../transcript/document.ts';
import type { Transcript } from '../transcript/transcript.ts';

/** What the record says of an exchange, as far as Envoy's log says something of it too. */
export type RecordedExchange = {
  exchangeId: string;
  envoyRequestId: string;
  outcome: Outcome;
  /** The request was let through to the upstream. */
  released: boolean;
  status: number | null;
  /** Bytes of the body that the caller was given; null where the record does not say. */
  callerBytes: number | null;
  endedMs: number;
};

export function recordedInJournal(transcript: Transcript): RecordedExchange {
  const { exchangeId, started, decided, finished, finishedMs, answerBytes, changedBytes } = transcript;
  const ownReply = finished.localReply === '' ? null : Buffer.byteLength(finished.localReply);
  return {
    exchangeId,
    envoyRequestId: started.envoyRequestId,
    outcome: finished.outcome,
    released: decided?.stage === 'request' && decided.verdict === 'allow',
    status: finished.status,
    callerBytes: ownReply ?? changedBytes ?? answerBytes,
    endedMs: finishedMs,
  };
}

const nanosecondsPerMs = 1_000_000;

/** The same from the index, where what was noted when the exchange was shipped is gone. */
export function recordedInIndex({ event, http, skilltape, ...rest }: ExchangeDocument): RecordedExchange {
  return {
    exchangeId: event.id,
    envoyRequestId: http.request.id,
    outcome: skilltape.outcome,
    released: skilltape.verdict.decision === 'allow',
    status: http.response.status_code,
    callerBytes: null,
    endedMs: Date.parse(rest['@timestamp']) + event.duration / nanosecondsPerMs,
  };
}
