import type { Answer } from './answer.ts';
import type { AwaitedEnds, EndReport } from './end-report.ts';
import type { Outcome } from './outcome.ts';
import type { Finished } from './record.ts';
import { type Stop, stopDetail } from './stopping.ts';

/**
 * How the ext_proc stream of an exchange ended.
 * - `stream_ended`: Envoy ended it in order; after a whole exchange, and also when caller or upstream broke off.
 * - `connection_lost`: it broke without Envoy's half-close: Envoy died, or the connection to it.
 * - `cut`: we ended it, because we could not go on.
 * - `stopped`: an operator ended it.
 * - `interrupted`: the processor is being stopped.
 */
export type StreamEnding = 'stream_ended' | 'connection_lost' | 'cut' | 'stopped' | 'interrupted';

export type Ending = { outcome: Outcome; detail: string };

/** `undelivered`: what was let through last found nobody to take it any more. */
type Break = { how: StreamEnding; detail: string; undelivered: boolean };
type Known = {
  exchangeId: string;
  answer: Answer | undefined;
  released: boolean;
  /** We gave the answer, also that of the upstream: whoever broke it off was the caller. */
  isOwnAnswer?: boolean;
  /** An operator ended it, and its caller did not come to hear that. */
  stop?: Stop | null;
};

/** The last record of an exchange whose stream was over before its end came. */
export async function brokenOff(end: Break, known: Known, reports: AwaitedEnds): Promise<Finished> {
  if (end.undelivered) known.answer?.takeBack();
  const ending = await endingOf(end, known, reports);
  const { unansweredBytes = 0, status = null } = known.answer ?? {};
  return { ...ending, status, localReply: '', ...(unansweredBytes > 0 && { unansweredBytes }) };
}

/** What was seen decides; only where that leaves open who broke off, Envoy's report does, and without one it stays open. */
async function endingOf(end: Break, known: Known, reports: AwaitedEnds): Promise<Ending> {
  const { answer, released, exchangeId, isOwnAnswer = false, stop = null } = known;
  const { how, detail, undelivered } = end;
  const seen = answer?.endingLetThrough();
  if (seen !== undefined) return seen;
  if (stop !== null) return { outcome: 'stopped', detail: stopDetail(stop) };
  if (how === 'cut' || how === 'stopped' || how === 'interrupted') return { outcome: how, detail };
  if (isOwnAnswer) return unreported(how, 'client_aborted');
  const certain = how === 'stream_ended' ? answer?.endingByStatus() : undefined;
  if (certain !== undefined) return certain;
  // Envoy shows us its own answer when anything but the caller ends a request before that of the upstream.
  const otherwise = unreported(how, answer === undefined ? 'client_aborted' : 'aborted');
  const isSent = answer !== undefined || (released && !undelivered);
  const report = isSent ? await reports.reportOf(exchangeId) : null;
  if (report === null) return otherwise;
  // Envoy gave the exchange up because it had lost us, and says so when we are there again.
  const isOurLoss = how === 'connection_lost' && report.by === 'gateway';
  return { outcome: isOurLoss ? 'interrupted' : outcomesBy[report.by], detail: report.detail };
}

/**
 * Of a released answer that broke off as we read it, `seen` in our words. On the release listener we are the client.
 * Without a report it was the upstream for all that is known.
 */
export function releaseBrokenOff(report: EndReport | null, seen: string): Ending {
  if (report === null || report.by === 'client') return { outcome: 'upstream_aborted', detail: seen };
  return { outcome: outcomesBy[report.by], detail: `release: ${report.detail}` };
}

function unreported(how: 'stream_ended' | 'connection_lost', outcome: Outcome): Ending {
  if (how === 'connection_lost') return { outcome: 'interrupted', detail: 'the connection to Envoy was lost' };
  const isKnown = outcome !== 'aborted';
  return { outcome, detail: isKnown ? '' : 'Envoy sent no report of who broke it off' };
}

const outcomesBy = {
  client: 'client_aborted',
  upstream: 'upstream_aborted',
  gateway: 'cut',
} as const satisfies Record<EndReport['by'], Outcome>;
