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

/**
 * `verdict` is what is recorded of the decision, where there is one. `event` is the error envelope in an answer that has
 * begun, where a status cannot say any more what the client is to do.
 */
export type Told =
  | { kind: 'release'; verdict: Verdict }
  | { kind: 'reply'; verdict: Verdict | null; outcome: Outcome; reply: LocalReply; event: string };

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
      return { kind: 'reply', verdict: and('deny', 'denied', message), outcome: 'denied', reply, event: reply.body };
    }
    case 'expired': {
      const message = `Nobody decided about this request in time (ticket ${end.ticket}). Send it again to ask once more.`;
      const reply = denialReply({ verdict: 'deny', reasons: [{ rule: '', message }] }, exchangeId);
      return { kind: 'reply', verdict: and('deny', 'expired', message), outcome: 'expired', reply, event: reply.body };
    }
    case 'waiting': {
      const message = `This request waits for an approval (ticket ${end.ticket}). The same request, sent again, waits on.`;
      return { kind: 'reply', verdict: null, outcome: 'held', ...comeAgain(message, exchangeId, userAgent) };
    }
    case 'full': {
      const message = 'This request needs an approval, and as many requests as may be are waiting for one.';
      return { kind: 'reply', verdict: null, outcome: 'refused', ...comeAgain(message, exchangeId, userAgent) };
    }
    case 'unavailable': {
      const message = 'This request needs an approval, and nobody can be asked at the moment.';
      return { kind: 'reply', verdict: null, outcome: 'refused', ...comeAgain(message, exchangeId, userAgent) };
    }
    default:
      return end satisfies never;
  }
}

function names({ approvedBy }: { approvedBy: readonly string[] }): string {
  return approvedBy.join(', ');
}

/** In a stream only `overloaded_error` makes Claude Code send the same bytes again; after any other it changes them. */
function comeAgain(
  message: string,
  exchangeId: string,
  userAgent: string,
): Pick<Extract<Told, { kind: 'reply' }>, 'reply' | 'event'> {
  const seconds = userAgent.startsWith('Anthropic/') ? sdkRetryAfterSeconds : retryAfterSeconds;
  const error = { message: `${message} (exchange ${exchangeId})`, requestId: exchangeId };
  const body = errorEnvelope({ type: 'rate_limit_error', ...error });
  return {
    reply: localReply(429, body, exchangeId, 'skilltape_held', { 'retry-after': String(seconds) }),
    event: errorEnvelope({ type: 'overloaded_error', ...error }),
  };
}
