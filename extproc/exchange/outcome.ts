/**
 * How an exchange ended (inv. 4).
 * - `complete`: the end of the answer was seen (`message_stop`, or the whole body).
 * - `denied`: policy refused it; nothing reached the upstream.
 * - `refused`: we could not take or judge it (limit, undecodable, journal full), or Envoy did not before us; nothing
 *   reached the upstream.
 * - `client_aborted`: the caller left before an answer began.
 * - `aborted`: the stream ended inside the answer; who cut it cannot be told from what ext_proc shows.
 * - `upstream_aborted`: the upstream ended its answer without its proper end.
 * - `upstream_error`: an error status, or an `error` event inside the stream.
 * - `cut`: we stopped an answer that we could no longer record, or not change where it has to be (inv. 3).
 * - `interrupted`: the processor died while the exchange was open.
 */
export const outcomes = [
  'complete',
  'denied',
  'refused',
  'client_aborted',
  'aborted',
  'upstream_aborted',
  'upstream_error',
  'cut',
  'interrupted',
] as const;

export type Outcome = (typeof outcomes)[number];
