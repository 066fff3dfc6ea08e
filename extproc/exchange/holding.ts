import type { RequestInput } from '../policy/input.ts';
import { approvalRequestOf, summaryOf } from './approval-request.ts';
import type { Frame } from './frame.ts';
import { headerValue } from './headers.ts';
import { Hold, type HoldEnd } from './hold.ts';
import { type Told, toldOf } from './hold-reply.ts';
import type { Intake } from './intake.ts';
import type { ExchangeContext, Verdict } from './ports.ts';
import type { RequestBody } from './request-body.ts';

/** A request that policy holds; `lastFrame` is the one with its end. */
export type Held = { verdict: Verdict; input: RequestInput; lastFrame: Frame };

type Own = { exchangeId: string; session: string; policyRevision: string };

/** People are shown the masked summary alone. */
const unlooked = { looksAtFindings: false, looksAtExcerpt: false } as const;

/** One exchange's asking for an approval: what is asked, the waiting, and what its caller is told after it. */
export class Holding {
  readonly held: Held & Own;
  readonly #hold: Hold;
  readonly #userAgent: string;

  constructor(context: ExchangeContext, known: Intake, body: RequestBody, held: Held & Own) {
    const { approvals, limits, reader, keyedHash } = context;
    this.held = held;
    this.#userAgent = headerValue(known.facts.headers, 'user-agent') ?? '';
    const asked = { ...held, facts: known.facts };
    const place = { ...known.bodyPlace(limits, unlooked), summary: summaryOf(asked) };
    const summedUp = Promise.resolve().then(() => reader.read('held', place, body));
    const request = summedUp.then((summary) => approvalRequestOf(asked, summary, keyedHash));
    this.#hold = new Hold(approvals, held.exchangeId, request, limits.holdMaxMs);
  }

  /** Never rejects. */
  get end(): Promise<HoldEnd> {
    return this.#hold.end;
  }

  leave(): void {
    this.#hold.leave();
  }

  told(end: Exclude<HoldEnd, { kind: 'left' }>): Told {
    return toldOf(end, this.held.verdict, { exchangeId: this.held.exchangeId, userAgent: this.#userAgent });
  }
}
