/** What an operator's word does to an exchange, running or new. */
import type { Action, LocalReply } from './frame.ts';
import type { Phase } from './phase.ts';
import type { Verdict } from './ports.ts';
import { denialReply } from './refusal.ts';

/** `by` is for the record alone, `reason` is told to whoever asked. */
export type Stop = { by: string; reason: string };

/** What a stopped exchange does in this phase; null while an answer of ours can still be given in its place. */
export function stopIn(phase: Phase, stop: Stop): Action | null {
  switch (phase) {
    case 'opened':
    case 'receiving':
    case 'released':
      return null;
    case 'answering':
    case 'unseen':
      return { kind: 'cut', reason: stopDetail(stop) };
    case 'replied':
    case 'ended':
      return { kind: 'wait' };
    default:
      return phase satisfies never;
  }
}

export function stopDetail({ by, reason }: Stop): string {
  return `stopped by ${by}: ${reason}`;
}

/** As of a denial: no client sends it again by itself. */
export function stoppedReply({ reason }: Stop, exchangeId: string): LocalReply {
  const message = `Stopped by an operator: ${reason}`;
  return denialReply({ verdict: 'deny', reasons: [{ rule: 'skilltape/stopped', message }] }, exchangeId);
}

/** Of a request in a session that is stopped; null in any other. */
export function stoppedVerdict(stop: Stop | null): Verdict | null {
  if (stop === null) return null;
  const message = `This session was stopped by an operator: ${stop.reason}`;
  return { verdict: 'deny', reasons: [{ rule: 'skilltape/stopped', message }] };
}
