/**
 * How an exchange ended (inv. 4).
 * - `complete`: the end of the answer was seen and let through (`message_stop`, or the whole body); behind a death also where
 *   it was recorded, and nobody can say whether it was let through (`left-open.ts`).
 * - `denied`: policy refused it; nothing reached the upstream.
 * - `held`: policy wants a person to approve it; nothing reached the upstream, and the caller was told so.
 * - `expired`: nobody decided on a held one in time; nothing reached the upstream. For approvals, which are not built yet.
 * - `refused`: we could not take or judge it (limit, undecodable, journal full), or Envoy did before us; nothing reached
 *   the upstream.
 * - `client_aborted`: the caller left before its answer was whole.
 * - `upstream_aborted`: the upstream broke its answer off, or ended it without its proper end.
 * - `upstream_error`: an error status, or an `error` event inside the stream.
 * - `cut`: the gateway stopped an answer that it could no longer record, or not change where it has to be (inv. 3), or
 *   that ran into a limit of Envoy (`max_stream_duration`, an idle timeout).
 * - `stopped`: an operator ended it while it ran (`stopping.ts`).
 * - `interrupted`: the processor or Envoy died or was stopped while the exchange was open, and its answer not yet whole.
 * - `aborted`: broken off inside the answer, and who did it is not known: Envoy sent no report of it (`end-report.ts`).
 */
export const outcomes = [
  'complete',
  'denied',
  'held',
  'expired',
  'refused',
  'client_aborted',
  'upstream_aborted',
  'upstream_error',
  'cut',
  'stopped',
  'interrupted',
  'aborted',
] as const;

export type Outcome = (typeof outcomes)[number];
