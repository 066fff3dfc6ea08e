import type { AccessInput, RequestInput } from '../policy/input.ts';
import type { AnswerUsageCounts } from './answer-usage.ts';
import type { UsageTotals } from './ports.ts';
import { notCounted } from './totals.ts';

type Counted = { exchangeId: string; person: string; session: string };

/** One exchange's part in what its caller and its session use. */
export class Counting {
  readonly #totals: UsageTotals;
  readonly #exchange: Counted;
  /** What an answer that does not say its input is estimated by. */
  readonly requestBytes: number;
  #letThrough = false;
  #answered = false;

  constructor(totals: UsageTotals, exchange: Counted, requestBytes: number) {
    this.#totals = totals;
    this.#exchange = exchange;
    this.requestBytes = requestBytes;
  }

  facts(nowMs: number): RequestInput['totals'] {
    return this.#totals.factsFor(this.#exchange, nowMs);
  }

  /** In the same turn as its verdict, so that the next request finds it; once. */
  letThrough(): void {
    if (this.#letThrough) return;
    this.#letThrough = true;
    const counted = { requests: 1, inputTokens: 0, outputTokens: 0, spend: 0 };
    this.#totals.note({ ...this.#exchange, counted });
  }

  /** Once, however the answer ended. */
  answered(answer: AnswerUsageCounts | null): void {
    if (this.#answered || answer === null) return;
    this.#answered = true;
    const { inputTokens, outputTokens } = answer;
    const counted = { requests: 0, inputTokens, outputTokens, spend: this.#totals.priceOf(answer) };
    this.#totals.note({ ...this.#exchange, counted });
  }
}

/** Null where no rule looks at totals, where nobody is known, and where no prompt goes over the endpoint. */
export function countingFor(
  { identity, request }: AccessInput,
  exchange: { exchangeId: string; session: string; requestBytes: number },
  totals: UsageTotals,
): Counting | null {
  if (identity === null || request.endpoint_treatment !== 'prompt') return null;
  const { exchangeId, session, requestBytes } = exchange;
  const person = JSON.stringify([identity.issuer, identity.subject]);
  return new Counting(totals, { exchangeId, person, session }, requestBytes);
}

export function totalsFacts(counting: Counting | null, nowMs: number): RequestInput['totals'] {
  return counting === null ? notCounted : counting.facts(nowMs);
}
