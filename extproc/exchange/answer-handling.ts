import { sessionStreams } from '../claude/answer.ts';
import type { StreamGrammar } from '../claude/answer-end.ts';
import type { Endpoint } from '../claude/endpoint.ts';
import { mediaTypeOf } from '../claude/media-type.ts';
import type { AnswerHandling } from './answer.ts';
import type { AnswerLearning } from './answer-learning.ts';
import { type AnswerChange, ChangedAnswer } from './changed-answer.ts';
import { changedLinks } from './changed-links.ts';
import type { Counting } from './counting.ts';
import { filteredList, filtersLists } from './filtered-list.ts';
import type { FrameOf } from './frame.ts';
import { headerValue } from './headers.ts';
import type { OwnerScope } from './ownership.ts';
import type { Budget, Connection, Owners } from './ports.ts';
import type { Reader } from './reader.ts';

/** What clients take for JSON. */
const jsonType = /(?:^|[/+])json$/;

/** What is known of the exchange whose answer it is. */
type Known = {
  method: string;
  connection: Connection;
  scope: OwnerScope;
  owners: Owners;
  budget: Budget;
  reader: Reader;
  heldBodyMaxBytes: number;
  learning: AnswerLearning | null;
  counting: Counting | null;
};

/** How the answer to a request of this endpoint is handled. */
export function handlingOf(
  frame: FrameOf<'response_headers'>,
  endpoint: Pick<Endpoint, 'name' | 'kind'>,
  known: Known,
): AnswerHandling {
  const { method, budget, heldBodyMaxBytes, learning, counting } = known;
  const change = changeOf(frame, endpoint, known);
  return {
    method,
    grammar: grammarOf(endpoint.name),
    changed: change === null ? null : new ChangedAnswer({ change, budget, heldBodyMaxBytes }),
    learning,
    counting,
  };
}

export function grammarOf(endpoint: string): StreamGrammar {
  if (endpoint === 'complete.create') return 'completion';
  return sessionStreams.has(endpoint) ? 'open' : 'messages';
}

/** What of the answer is changed (inv. 3); null for almost all, which pass as they come. */
function changeOf(
  frame: FrameOf<'response_headers'>,
  endpoint: Pick<Endpoint, 'name' | 'kind'>,
  { connection, scope, owners, reader }: Known,
): AnswerChange | null {
  const { resultsUrlBase } = connection;
  const publicUrl = resultsUrlBase !== null && carriesResultsUrl(frame, endpoint) ? resultsUrlBase : null;
  // Whatever type it says it has: what cannot be read as a list does not pass (inv. 2).
  if (filtersLists(connection, endpoint) && isSuccess(frame)) {
    return filteredList({ endpoint: endpoint.name, publicUrl, scope, owners, reader });
  }
  return publicUrl === null ? null : changedLinks({ publicUrl, reader });
}

function isSuccess({ headers, endOfStream }: FrameOf<'response_headers'>): boolean {
  const status = Number(headerValue(headers, ':status') ?? 0);
  return !endOfStream && status >= 200 && status <= 299;
}

/** The results themselves are JSON lines, and hold what the model wrote: they always pass as they came. */
function carriesResultsUrl(frame: FrameOf<'response_headers'>, endpoint: Pick<Endpoint, 'name' | 'kind'>) {
  if (!isSuccess(frame)) return false;
  if (endpoint.kind !== 'batches' || endpoint.name === 'batches.results') return false;
  return jsonType.test(mediaTypeOf(headerValue(frame.headers, 'content-type') ?? ''));
}
