import type { RequestInput } from '../policy/input.ts';
import type { BodyFacts } from './body.ts';
import type { Counting } from './counting.ts';
import { countingFor, totalsFacts } from './counting.ts';
import type { Intake } from './intake.ts';
import type { ExchangeContext, Judge, Observed, Verdict } from './ports.ts';

/** What one exchange asks of the policy that was in force when it began, with what both answers have in common. */
export class Judging {
  readonly #judge: Judge;
  readonly #intake: Intake;
  readonly #context: Pick<ExchangeContext, 'clock' | 'totals' | 'loopShare'>;
  #observed: Observed | undefined;
  #counting: Counting | null = null;

  constructor(judge: Judge, intake: Intake, context: Pick<ExchangeContext, 'clock' | 'totals' | 'loopShare'>) {
    this.#judge = judge;
    this.#intake = intake;
    this.#context = context;
  }

  /** The part of a request that was let through in what its caller uses; null where nobody asks for it. */
  get counting(): Counting | null {
    return this.#counting;
  }

  access(): Verdict {
    const verdict = this.#judge.access(this.#intake.access);
    this.#observed = verdict.observed;
    return verdict;
  }

  /** `isHeld` is false when the request was refused meanwhile: then it is not counted. */
  async request(
    read: BodyFacts,
    exchange: { exchangeId: string; session: string; requestBytes: number; isHeld: () => boolean },
  ): Promise<{ input: RequestInput; verdict: Verdict }> {
    const { clock, totals, loopShare } = this.#context;
    const { looksAtTotals } = this.#judge;
    const counting = looksAtTotals ? countingFor(this.#intake.access, exchange, totals) : null;
    return loopShare.run(() => {
      const input = this.#intake.requestInput(read, exchange.requestBytes, totalsFacts(counting, clock.nowMs()));
      const judged = this.#judge.request(input);
      const verdict = { ...judged, observed: observedTogether(this.#observed, judged.observed) };
      if (verdict.verdict === 'allow' && exchange.isHeld()) {
        counting?.letThrough();
        this.#counting = counting;
      }
      return { input, verdict };
    });
  }
}

/** What is observed at both stages together: the record of the last verdict has all of it. */
export function observedTogether(access: Observed | undefined, request: Observed | undefined): Observed | undefined {
  if (access === undefined || request === undefined) return access ?? request;
  const denies = access.verdict === 'deny' || request.verdict === 'deny';
  return { verdict: denies ? 'deny' : 'hold', reasons: [...access.reasons, ...request.reasons] };
}
