import type { RequestInput } from '../policy/input.ts';
import { noExcerpt } from '../policy/input-bounds.ts';
import type { BodyFacts } from './body.ts';
import type { Counting } from './counting.ts';
import { countingFor, totalsFacts } from './counting.ts';
import { liftedTogether, withGrants } from './held-grants.ts';
import type { Intake } from './intake.ts';
import type { ExchangeContext, Judge, Lifted, Observed, Verdict } from './ports.ts';
import type { Soon } from './soon.ts';
import { stoppedVerdict } from './stopping.ts';
import { bothOf } from './verdicts.ts';

type JudgingContext = Pick<ExchangeContext, 'clock' | 'totals' | 'grants' | 'loopShare' | 'stops'>;

/** What one exchange asks of the policy that was in force when it began, with what both answers have in common. */
export class Judging {
  readonly #judge: Judge;
  readonly #intake: Intake;
  readonly #context: JudgingContext;
  #observed: Observed | undefined;
  /** Of `access`, then of both stages. */
  #lifted: Lifted | undefined;
  #isThrough = false;
  #heldByAccess: Verdict | null = null;
  #counting: Counting | null = null;

  constructor(judge: Judge, intake: Intake, context: JudgingContext) {
    this.#judge = judge;
    this.#intake = intake;
    this.#context = context;
  }

  /** What of the request counts in what its caller uses; null where nobody asks for it, and before it was judged. */
  get counting(): Counting | null {
    return this.#counting;
  }

  /** What people approved counts from then on. */
  letThrough(): void {
    this.#counting?.letThrough();
    const ids = this.#isThrough ? [] : (this.#lifted?.grants ?? []);
    if (ids.length > 0) this.#context.grants.used(this.#intake.grants.filter(({ id }) => ids.includes(id)));
    this.#isThrough = true;
  }

  access(): Verdict {
    const verdict = withGrants(this.#judge.access(this.#intake.access), this.#intake.grants);
    this.#observed = verdict.observed;
    this.#lifted = verdict.lifted;
    if (verdict.verdict === 'hold') this.#heldByAccess = verdict;
    return verdict;
  }

  /** Null when the request was refused before its turn came. */
  request(
    read: BodyFacts,
    exchange: { exchangeId: string; session: string; requestBytes: number; isHeld: () => boolean },
  ): Soon<{ input: RequestInput; verdict: Verdict } | null> {
    const { clock, totals, loopShare, stops } = this.#context;
    const { looksAtTotals } = this.#judge;
    const counting = looksAtTotals ? countingFor(this.#intake.access, exchange, totals) : null;
    return loopShare.run(() => {
      if (!exchange.isHeld()) return null;
      const input = this.#intake.requestInput(read, exchange.requestBytes, totalsFacts(counting, clock.nowMs()));
      const judged = stoppedVerdict(stops.reasonFor(exchange.session)) ?? this.#judge.request(input);
      const observed = observedTogether(this.#observed, judged.observed);
      this.#lifted = liftedTogether(this.#lifted, judged.lifted);
      const both = { ...bothOf(this.#heldByAccess, judged), observed, lifted: this.#lifted };
      const verdict = withGrants(both, this.#intake.grants);
      this.#counting = counting;
      if (verdict.verdict === 'allow') this.letThrough();
      // What was seen of the text ends here: neither records nor whoever decides about a hold have it (inv. 6).
      return { input: { ...input, excerpt: noExcerpt }, verdict };
    });
  }
}

/** What is observed at both stages together: the record of the last verdict has all of it. */
export function observedTogether(access: Observed | undefined, request: Observed | undefined): Observed | undefined {
  if (access === undefined || request === undefined) return access ?? request;
  const denies = access.verdict === 'deny' || request.verdict === 'deny';
  return { verdict: denies ? 'deny' : 'hold', reasons: [...access.reasons, ...request.reasons] };
}
