import { sessionStreams } from '../claude/answer.ts';
import type { Endpoint } from '../claude/endpoint.ts';
import { mediaTypeOf } from '../claude/media-type.ts';
import type { AnswerHandling } from './answer.ts';
import type { AnswerLearning } from './answer-learning.ts';
import { ChangedAnswer } from './changed-answer.ts';
import type { Counting } from './counting.ts';
import type { FrameOf } from './frame.ts';
import { headerValue } from './headers.ts';
import type { Budget, Connection } from './ports.ts';
import type { Reader } from './reader.ts';

/** What clients take for JSON. */
const jsonType = /(?:^|[/+])json$/;

/** How the answer to a request of this endpoint is handled. */
export function handlingOf(
  frame: FrameOf<'response_headers'>,
  endpoint: Pick<Endpoint, 'name' | 'kind'>,
  rest: {
    connection: Connection;
    budget: Budget;
    reader: Reader;
    heldBodyMaxBytes: number;
    learning: AnswerLearning | null;
    counting: Counting | null;
  },
): AnswerHandling {
  const { connection, budget, reader, heldBodyMaxBytes, learning, counting } = rest;
  const { resultsUrlBase: publicUrl } = connection;
  const changes = publicUrl !== null && carriesResultsUrl(frame, endpoint);
  return {
    grammar: sessionStreams.has(endpoint.name) ? 'open' : 'messages',
    changed: changes ? new ChangedAnswer({ publicUrl, budget, reader, heldBodyMaxBytes }) : null,
    learning,
    counting,
  };
}

/** The results themselves are JSON lines, and hold what the model wrote: they always pass as they came. */
function carriesResultsUrl(
  { headers, endOfStream }: FrameOf<'response_headers'>,
  endpoint: Pick<Endpoint, 'name' | 'kind'>,
) {
  const status = Number(headerValue(headers, ':status') ?? 0);
  if (endOfStream || status < 200 || status > 299) return false;
  if (endpoint.kind !== 'batches' || endpoint.name === 'batches.results') return false;
  return jsonType.test(mediaTypeOf(headerValue(headers, 'content-type') ?? ''));
}
