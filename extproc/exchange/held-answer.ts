import type { ErrorType } from '../claude/error-body.ts';
import type { Outcome } from './outcome.ts';
import type { ReleaseResult } from './releaser.ts';

/** Why an answer began without the upstream, as Envoy's `response.code_details` would say it. */
export const heldDetails = 'skilltape_held';

type Unanswered = { outcome: Outcome; type: ErrorType; message: string };

/** What is said of a request that was approved and has no answer of the upstream. */
export const unanswered: Record<Exclude<ReleaseResult['kind'], 'answered'>, Unanswered> = {
  unsent: {
    // In a stream it alone makes Claude Code send the same bytes again.
    ...{ outcome: 'refused', type: 'overloaded_error' },
    message:
      'The gateway could not send this request on to Claude, so it went nowhere. Send it again: its approval counts until its time is over.',
  },
  broken: {
    ...{ outcome: 'upstream_aborted', type: 'api_error' },
    message: 'Claude could not be reached or broke off; the request may have been answered in part.',
  },
  gave_up: {
    ...{ outcome: 'cut', type: 'timeout_error' },
    message: 'The gateway gave up waiting for Claude; the request may have been answered in part.',
  },
};
