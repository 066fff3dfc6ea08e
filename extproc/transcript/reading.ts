import { endpointOf } from '../claude/endpoint.ts';
import type { JsonObject } from '../claude/json.ts';
import type { DecodingLimits } from '../encoding/limits.ts';
import type { HashOfBytes } from './carried.ts';
import type { AnswerReading } from './reading-answer.ts';
import { nothingAnswered, readAnswerOf } from './reading-answer.ts';
import type { RequestReading } from './reading-request.ts';
import { nothingSent, readRequestOf } from './reading-request.ts';
import type { Transcript } from './transcript.ts';

/**
 * What Claude's vocabulary makes of an exchange's bytes. `decoded` is false when a body could not be decoded or read,
 * and `fault` then says why; it is then only in the sealed record.
 */
export type Reading = Omit<RequestReading, 'files' | 'coded'> &
  Omit<AnswerReading, 'files' | 'decoded' | 'fault' | 'coded'> & {
    files: RequestReading['files'];
    body: { request: RequestReading['coded']; answer: AnswerReading['coded'] };
  };

/** Reads request and answer; never throws for what they hold. */
export async function readTranscript(
  transcript: Transcript,
  hashOf: HashOfBytes,
  decoding: DecodingLimits,
): Promise<Reading> {
  const { started, finished } = transcript;
  const endpoint = endpointOf(started.method, started.path);
  // Bodies that carry credentials are in the sealed record only (inv. 6).
  if (endpoint.treatment === 'secrets') return merged(nothingSent, nothingAnswered);
  const request = readRequestOf(transcript, endpoint, hashOf, decoding);
  if (finished.localReply !== '') return merged(request, { ...nothingAnswered, error: ourError(finished.localReply) });
  return merged(request, await readAnswerOf(transcript, endpoint, hashOf, decoding));
}

function merged(
  { coded: codedRequest, ...request }: RequestReading,
  { coded: codedAnswer, ...answer }: AnswerReading,
): Reading {
  const faults = [
    ...(request.fault === '' ? [] : [`request: ${request.fault}`]),
    ...(answer.fault === '' ? [] : [`answer: ${answer.fault}`]),
  ];
  return {
    ...request,
    ...answer,
    files: [...request.files, ...answer.files],
    decoded: request.decoded && answer.decoded,
    fault: faults.join('; '),
    body: { request: codedRequest, answer: codedAnswer },
  };
}

/** Our own replies are made by `claude/error-body.ts`. */
function ourError(localReply: string): JsonObject {
  return JSON.parse(localReply) as JsonObject;
}
