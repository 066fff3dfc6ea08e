/** What a caller hears of a held request, in ways that the official clients take well (vendor types and experiments). */
import { errorEnvelope } from '../claude/error-body.ts';
import type { LocalReply } from './frame.ts';
import type { HoldEnd } from './hold.ts';
import type { Outcome } from './outcome.ts';
import type { Verdict } from './ports.ts';
import { denialReply, localReply } from './refusal.ts';

/** Claude Code gives up at once when it is to wait for longer than 60 s. */
const retryAfterSeconds = 50;
/** The SDKs try three times in all, so each of their waits has to be a long one; they wait for as long as they are told. */
const sdkRetryAfterSeconds = 300;

/** `verdict` is what is recorded of the decision, where there is one. */
export type Told =
  | { kind: 'release'; verdict: Verdict }
  | { kind: 'reply'; verdict: Verdict | null; outcome: Outcome; reply: LocalReply };

type Asked = { exchangeId: string; userAgent: string };
type Ended = Exclude<HoldEnd, { kind: 'left' }>;

/** @param held the verdict that held it: its reasons stay in the record, beside what people said */
export function toldOf(end: Ended, held: Verdict, { exchangeId, userAgent }: Asked): Told {
  const and = (verdict: Verdict['verdict'], rule: string, message: string): Verdict => {
    const { observed, lifted, liftedBy } = held;
    const kept = { ...(observed && { observed }), ...(lifted && { lifted, liftedBy }) };
    return { verdict, ...kept, reasons: [...held.reasons, { rule: `skilltape/${rule}`, message }] };
  };
  switch (end.kind) {
    case 'granted':
      return {
        kind: 'release',
        verdict: and('allow', 'approved', `Approved by ${names(end)} (ticket ${end.ticket}).`),
      };
    case 'denied': {
      const message = `Denied by a person: ${end.reason} (ticket ${end.ticket})`;
      const reply = denialReply({ verdict: 'deny', reasons: [{ rule: '', message }] }, exchangeId);
      return { kind: 'reply', verdict: and('deny', 'denied', message), outcome: 'denied', reply };
    }
    case 'expired': {
      const message = `Nobody decided about this request in time (ticket ${end.ticket}). Send it again to ask once more.`;
      const reply = denialReply({ verdict: 'deny', reasons: [{ rule: '', message }] }, exchangeId);
      return { kind: 'reply', verdict: and('deny', 'expired', message), outcome: 'expired', reply };
    }
    case 'waiting': {
      const message = `This request waits for an approval (ticket ${end.ticket}). The same request, sent again, waits on.`;
      return { kind: 'reply', verdict: null, outcome: 'held', reply: comeAgain(message, exchangeId, userAgent) };
    }
    case 'full': {
      const message = 'This request needs an approval, and as many requests as may be are waiting for one.';
      return { kind: 'reply', verdict: null, outcome: 'refused', reply: comeAgain(message, exchangeId, userAgent) };
    }
    case 'unavailable': {
      const message = 'This request needs an approval, and nobody can be asked at the moment.';
      return { kind: 'reply', verdict: null, outcome: 'refused', reply: comeAgain(message, exchangeId, userAgent) };
    }
    default:
      return end satisfies never;
  }
}

function names({ approvedBy }: { approvedBy: readonly string[] }): string {
  return approvedBy.join(', ');
}

function comeAgain(message: string, exchangeId: string, userAgent: string): LocalReply {
  const seconds = userAgent.startsWith('Anthropic/') ? sdkRetryAfterSeconds : retryAfterSeconds;
  const body = errorEnvelope({
    type: 'rate_limit_error',
    message: `${message} (exchange ${exchangeId})`,
    requestId: exchangeId,
  });
  return localReply(429, body, exchangeId, 'skilltape_held', { 'retry-after': String(seconds) });
}
