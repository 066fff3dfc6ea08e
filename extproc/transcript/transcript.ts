import type { AnswerStarted, Decided, ExchangeRecord, Finished, Started } from '../exchange/record.ts';

/** Everything the journal has of one finished exchange, put together; unmasked, so it stays inside this process. */
export type Transcript = {
  exchangeId: string;
  startedMs: number;
  finishedMs: number;
  started: Started;
  /** The last verdict; null when the exchange was refused before policy was asked. */
  decided: Decided | null;
  /**
   * Of a body larger than `readBodyMaxBytes` only a beginning; `…Bytes` are the whole sizes. Of an answer that was broken
   * off only what the caller was given: what is recorded beyond that stays sealed.
   */
  requestBody: Uint8Array;
  requestBytes: number;
  answer: AnswerStarted | null;
  answerBody: Uint8Array;
  answerBytes: number;
  /** The size of the body that the caller was given in place of the one that came (inv. 3). */
  changedBytes?: number;
  finished: Finished;
};

/** A larger body stays in the sealed record and is not read: whoever reads it holds it in memory. */
export const readBodyMaxBytes = 96 * 1024 * 1024;

/** Bytes of each body whose records were not loaded. */
export type Unread = { request: number; answer: number };

/** Puts the records of one exchange together; null when its start or its end is not among them. */
export function assembleTranscript(
  records: readonly ExchangeRecord[],
  unread: Unread = { request: 0, answer: 0 },
): Transcript | null {
  const request: Uint8Array[] = [];
  const answer: Uint8Array[] = [];
  let started: (ExchangeRecord & { kind: 'started' }) | undefined;
  let finished: (ExchangeRecord & { kind: 'finished' }) | undefined;
  let decided: Decided | null = null;
  let answerStarted: AnswerStarted | null = null;
  let changed: { changedBytes?: number } = {};
  for (const record of records) {
    if (record.kind === 'started') started = record;
    else if (record.kind === 'request_body') request.push(record.bytes);
    else if (record.kind === 'decided') decided = record.decided;
    else if (record.kind === 'answer_started') answerStarted = record.answer;
    else if (record.kind === 'answer_body') answer.push(record.bytes);
    else if (record.kind === 'answer_changed') changed = { changedBytes: record.bytes.length };
    else if (record.kind === 'finished') finished ??= record;
  }
  if (started === undefined || finished === undefined) return null;
  const requestBody = joined(request);
  const recordedAnswer = joined(answer);
  const answerBytes = Math.max(0, recordedAnswer.length + unread.answer - (finished.finished.unansweredBytes ?? 0));
  return {
    exchangeId: started.exchangeId,
    startedMs: started.timeMs,
    finishedMs: finished.timeMs,
    started: started.started,
    decided,
    requestBody,
    requestBytes: requestBody.length + unread.request,
    answer: answerStarted,
    answerBody: recordedAnswer.subarray(0, answerBytes),
    answerBytes,
    ...changed,
    finished: finished.finished,
  };
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const [only, ...more] = parts;
  return only !== undefined && more.length === 0 ? only : Buffer.concat(parts);
}
