import type { Action, FrameKind } from './frame.ts';

/**
 * Where an exchange stands.
 * - `opened`: nothing seen yet.
 * - `receiving`: request headers seen, the request is held back.
 * - `released`: the whole request went upstream, no answer yet.
 * - `answering`: answer headers seen.
 * - `replied`: we answered ourselves; frames already under way are of no account.
 * - `ended`: the end of the answer was seen.
 * - `unseen`: Envoy refused the request before we saw it (a malformed path) and only shows us its own answer.
 */
export type Phase = 'opened' | 'receiving' | 'released' | 'answering' | 'replied' | 'ended' | 'unseen';

/** What a frame means in a phase; `violation` ends the stream with an error (fail closed, inv. 2). */
export type Step = 'begin' | 'collect' | 'judge' | 'answer' | 'end' | 'pass' | 'ignore' | 'violation';

type StepOf = { more: Step; last: Step };
const violation: StepOf = { more: 'violation', last: 'violation' };
const pass: StepOf = { more: 'pass', last: 'pass' };
const ignore: StepOf = { more: 'ignore', last: 'ignore' };
const allIgnored = {
  request_headers: ignore,
  request_body: ignore,
  request_trailers: ignore,
  response_headers: ignore,
  response_body: ignore,
  response_trailers: ignore,
};
const allViolations = {
  request_headers: violation,
  request_body: violation,
  request_trailers: violation,
  response_headers: violation,
  response_body: violation,
  response_trailers: violation,
};

/**
 * Phase x frame -> step, `last` when the frame carries the end of its direction. Envoy may answer a request itself
 * while we still hold it (a timeout, a malformed body): then answer headers come in `receiving`.
 */
const table: Record<Phase, Record<FrameKind, StepOf>> = {
  opened: {
    ...allViolations,
    request_headers: { more: 'begin', last: 'judge' },
    response_headers: pass,
  },
  receiving: {
    ...allViolations,
    request_body: { more: 'collect', last: 'judge' },
    request_trailers: { more: 'judge', last: 'judge' },
    response_headers: {
      more: 'answer',
      last: 'end',
    },
  },
  released: {
    ...allViolations,
    response_headers: { more: 'answer', last: 'end' },
  },
  answering: {
    ...allViolations,
    response_body: { more: 'answer', last: 'end' },
    response_trailers: { more: 'end', last: 'end' },
  },
  replied: allIgnored,
  unseen: { ...allViolations, response_body: pass, response_trailers: pass },
  ended: allViolations,
};

/** The step for a frame; pure. */
export function stepOf(phase: Phase, frame: FrameKind, endOfStream: boolean): Step {
  const step = table[phase][frame];
  return endOfStream ? step.last : step.more;
}

/** Whether nothing of the request went upstream yet, and no answer of ours was given. */
export function isHeld(phase: Phase): boolean {
  return phase === 'opened' || phase === 'receiving';
}

/** A cut and a reply are final: whatever still comes must not be taken for the rest of a request. */
export function phaseAfter({ kind }: Action, phase: Phase): Phase {
  if (kind === 'cut') return 'ended';
  return kind === 'local_reply' || kind === 'streamed_reply' ? 'replied' : phase;
}
