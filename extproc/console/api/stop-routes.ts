/** Stopping what runs in the API: what is stopped, stopping, and taking requests of a session again. */
import type { FastifyRequest } from 'fastify';
import type { StopTarget } from '../../stops/stops.ts';
import type { ConsoleContext } from '../context.ts';
import { faultsOf } from '../decision.ts';
import type { StopOutcome } from '../incidents.ts';
import { liftBody, stopBody, stoppedId, tooManyStopped } from '../stopping.ts';
import { type Answer, type Handler, problemAnswer } from './answer.ts';
import type { Operation } from './operations.ts';
import { stopDocumentOf, stopListOf } from './stop-document.ts';

type StopOperation = Extract<Operation['id'], `${string}Stop` | `${string}Stops` | `${string}Session`>;

export function stopHandlersOf({ incidents, live }: ConsoleContext): Record<StopOperation, Handler> {
  const told = (target: StopTarget, outcome: StopOutcome): Answer => {
    if (outcome.kind === 'recorded') live.nudge();
    return answerTo(target, outcome);
  };
  return {
    listStops: async (_request, { person }) => {
      const incident = await incidents.list(person);
      if (!incident.mayStop) return denied(incident.whyNot);
      return { ok: stopListOf(incident) };
    },
    makeStop: async (request, { person }) => {
      const body = stopBody.safeParse(request.body);
      if (!body.success) return problemAnswer(422, faultsOf(body.error));
      const { reason, ...target } = body.data;
      return told(target, await incidents.stop(person, target, reason));
    },
    liftSession: async (request, { person }) => {
      const id = sessionIn(request);
      const body = liftBody.safeParse(request.body);
      if (id === null) return problemAnswer(404, 'That is no id of a session.');
      if (!body.success) return problemAnswer(422, faultsOf(body.error));
      return told({ kind: 'session', id }, await incidents.lift(person, id, body.data.reason));
    },
  };
}

function sessionIn({ params }: FastifyRequest): string | null {
  return stoppedId.safeParse((params as { session?: unknown }).session).data ?? null;
}

function answerTo(target: StopTarget, outcome: StopOutcome): Answer {
  switch (outcome.kind) {
    case 'recorded':
      return { ok: stopDocumentOf(target, outcome) };
    case 'denied':
      return denied(outcome.reasons);
    case 'not_stopped':
      return problemAnswer(409, 'That session is not stopped any more.');
    case 'full':
      return problemAnswer(429, tooManyStopped);
    default:
      return outcome satisfies never;
  }
}

function denied(reasons: Extract<StopOutcome, { kind: 'denied' }>['reasons']): Answer {
  return problemAnswer(403, 'Policy does not let you stop anything.', { reasons: [...reasons] });
}
