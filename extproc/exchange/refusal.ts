import type { ErrorType } from '../claude/error-body.ts';
import { errorEnvelope } from '../claude/error-body.ts';
import { codings, codingsMax } from '../encoding/codings.ts';
import type { LocalReply } from './frame.ts';
import type { Verdict } from './ports.ts';

/** Why a request was not forwarded, other than by policy: a limit, or a state in which we cannot record or judge. */
export type RefusalReason =
  | 'request_body_too_large'
  | 'held_bodies_at_limit'
  | 'caller_held_bodies_at_limit'
  | 'open_exchanges_at_limit'
  | 'caller_open_exchanges_at_limit'
  | 'journal_full'
  | 'volume_full'
  | 'journal_unavailable'
  | 'decision_timeout'
  | 'encoding_unsupported'
  | 'encoding_invalid'
  | 'decoded_body_too_large'
  | 'decoded_ratio_too_high'
  | 'body_malformed';

type RefusalText = {
  status: number;
  type: ErrorType;
  errorCode?: string;
  /** When to come again; where there is none, clients wait as they do. */
  retryAfterSeconds?: number;
  message: (detail: string) => string;
};

/** Room is made by people, or by a job: sooner is of no use. Clients follow it up to a minute. */
const retryAfterSeconds = 30;

const refusals: Record<RefusalReason, RefusalText> = {
  request_body_too_large: {
    status: 413,
    type: 'invalid_request_error',
    errorCode: 'request_body_too_large',
    message: (detail) => `The gateway takes request bodies of at most ${detail}.`,
  },
  held_bodies_at_limit: busy('It holds as many request bytes as it may; try again.'),
  open_exchanges_at_limit: busy('It has as many open exchanges as it may; try again.'),
  caller_held_bodies_at_limit: ofCaller('You send as many request bytes at once as one caller may'),
  caller_open_exchanges_at_limit: ofCaller('You have as many open requests as one caller may'),
  journal_full: { ...busy('Its recording space is full; an operator has to act.'), retryAfterSeconds },
  volume_full: { ...busy('Its disk is too full to record more; an operator has to act.'), retryAfterSeconds },
  journal_unavailable: busy('It cannot record at the moment.'),
  decision_timeout: busy('It could not record and judge the request in time; try again.'),
  encoding_unsupported: {
    status: 400,
    type: 'invalid_request_error',
    errorCode: 'request_body_encoding_unsupported',
    message: (detail) =>
      `The gateway cannot judge a body with content-encoding ${detail}; send it without one, or in at most ${codingsMax} of ${codings.join(', ')}.`,
  },
  encoding_invalid: {
    status: 400,
    type: 'invalid_request_error',
    errorCode: 'request_body_encoding_invalid',
    message: (detail) => `The gateway cannot decode this request body: ${detail}. Send it without content-encoding.`,
  },
  decoded_body_too_large: decodedTooLarge(''),
  decoded_ratio_too_high: decodedTooLarge(' Send it without content-encoding.'),
  body_malformed: {
    status: 400,
    type: 'invalid_request_error',
    message: (detail) => `The gateway cannot judge this request body: ${detail}.`,
  },
};

/** All of them, for whoever counts or explains them. */
export const refusalReasons = Object.keys(refusals) as readonly RefusalReason[];

/** The code is that of the API for the same. */
function decodedTooLarge(remedy: string): RefusalText {
  return {
    status: 413,
    type: 'invalid_request_error',
    errorCode: 'request_body_too_large_after_decoding',
    message: (detail) => `The gateway takes request bodies that decode to at most ${detail}.${remedy}`,
  };
}

function busy(message: string): RefusalText {
  return {
    status: 503,
    type: 'overloaded_error',
    message: () => `The gateway did not forward this request. ${message}`,
  };
}

/** The others are served, so it is the caller's own rate: clients wait longer after a 429 than after a 503. */
function ofCaller(limit: string): RefusalText {
  return {
    status: 429,
    type: 'rate_limit_error',
    message: () => `The gateway did not forward this request. ${limit}; try again when others have ended.`,
  };
}

/** A refusal in Claude's error envelope. `detail` must not hold what the caller sent, except bounded and printable. */
export function refusalReply(reason: RefusalReason, detail: string, exchangeId: string): LocalReply {
  const { status, type, errorCode, retryAfterSeconds: seconds, message } = refusals[reason];
  const body = {
    type,
    message: message(detail),
    requestId: exchangeId,
    ...(errorCode && { errorCode }),
  };
  const extra = seconds === undefined ? {} : { 'retry-after': String(seconds) };
  return localReply(status, errorEnvelope(body), exchangeId, `${refusedDetails}${reason}`, extra);
}

const refusedDetails = 'skilltape_refused_';

/** The reason of a reply that `refusalReply` made; null for any other. */
export function refusalReasonOf({ details }: Pick<LocalReply, 'details'>): RefusalReason | null {
  return refusalReasons.find((reason) => details === `${refusedDetails}${reason}`) ?? null;
}

/**
 * A policy's refusal. `dlp_request_denied` is the code that makes Claude Code stop and show the message instead of
 * asking for a new login or retrying; `x-should-retry` does the same for the SDKs.
 */
export function denialReply(verdict: Verdict, exchangeId: string): LocalReply {
  const status = verdict.status ?? 403;
  const reasons = verdict.reasons.map(({ message }) => message).join(' ');
  const message = `${reasons || 'Denied by policy.'} (exchange ${exchangeId})`;
  const envelope = errorEnvelope({
    type: status === 401 ? 'authentication_error' : 'permission_error',
    message,
    requestId: exchangeId,
    ...(status === 401 ? {} : { errorCode: 'dlp_request_denied' }),
  });
  return localReply(status, envelope, exchangeId, 'skilltape_denied', {
    'x-should-retry': 'false',
  });
}

/** `details` is what Envoy's access log has of it. */
export function localReply(
  status: number,
  body: string,
  exchangeId: string,
  details: string,
  extra: Record<string, string> = {},
): LocalReply {
  return {
    status,
    headers: {
      'content-type': 'application/json',
      'x-skilltape-exchange': exchangeId,
      'request-id': exchangeId,
      ...extra,
    },
    body,
    details,
  };
}
