import type { AnswerEnd } from '../claude/answer-end.ts';
import { endpointOf } from '../claude/endpoint.ts';
import { areUpstreamDetails } from './answer.ts';
import { answerEndOf, upstreamEnding } from './answer-ending.ts';
import { grammarOf } from './answer-handling.ts';
import { heldDetails } from './held-answer.ts';
import type { AnswerStarted, ExchangeRecord, Finished, Started, UpstreamAnswered } from './record.ts';

const nothing = new Uint8Array(0);

/**
 * What the records of an exchange say that has no end among them. The end is written behind the last of the answer, so a
 * death may come between the two: the caller has an answer that is whole, and it is on record as whole (inv. 4).
 */
export class LeftOpen {
  readonly connection: string;
  readonly #started: Started;
  #answer: AnswerStarted | undefined;
  #end: AnswerEnd | undefined;
  #isWhole = false;

  constructor(started: Started) {
    this.#started = started;
    this.connection = started.connection;
  }

  take(record: ExchangeRecord): void {
    switch (record.kind) {
      case 'answer_started':
        this.#answer = record.answer;
        // Of an answer that is not the upstream's nothing is known but what is in its `finished` record.
        if (areUpstreamDetails(record.answer.codeDetails)) this.#watch(record.answer);
        return;
      case 'upstream_answered':
        this.#follow(record.upstream);
        return;
      case 'answer_body':
        this.#isWhole = this.#push(record.bytes);
        return;
      case 'answer_trailers':
        // One that is given at its end is cut when trailers come: of it only the mark that there are none says that it was.
        this.#isWhole = this.#end !== undefined && (record.headers.length === 0 || !this.#isGivenAtEnd);
        return;
    }
  }

  get finished(): Finished {
    const ending = this.#ending;
    if (ending === null) return { outcome: 'interrupted', detail: 'the processor ended', status: null, localReply: '' };
    return { ...ending, status: this.#answer?.status ?? null, localReply: '' };
  }

  get #ending(): Pick<Finished, 'outcome' | 'detail'> | null {
    if (!this.#isWhole || this.#answer === undefined || this.#end === undefined) return null;
    const ending = upstreamEnding(this.#end, this.#answer);
    // An error event behind a hold may be ours.
    if (this.#answer.codeDetails === heldDetails && ending.outcome !== 'complete') return null;
    if (ending.outcome === 'upstream_aborted') return ending;
    // It may not have been given the last piece: nobody who could say so lived on.
    return { outcome: ending.outcome, detail: 'the processor ended behind the whole answer' };
  }

  #watch(answer: AnswerStarted): void {
    const { method, path } = this.#started;
    this.#end = answerEndOf({ ...answer, method }, grammarOf(endpointOf(method, path).name));
    this.#isWhole = this.#push(nothing);
  }

  /** The upstream's answer to a request that was held, behind a head of ours: it passes as it comes. */
  #follow({ status, body }: UpstreamAnswered): void {
    if (this.#answer?.codeDetails === heldDetails && status === 200 && body === '') this.#watch(this.#answer);
  }

  /** Of an answer that is given at its end, the bytes say nothing of what was given. */
  #push(bytes: Uint8Array): boolean {
    const ended = this.#end?.push(bytes) === 'ended';
    return ended && !this.#isGivenAtEnd;
  }

  get #isGivenAtEnd(): boolean {
    return this.#answer?.givenAtEnd === true;
  }
}
