/** Access on request in the API: asking for oneself, looking, and deciding about others. */
import type { AccessOutcome } from '../access.ts';
import { accessDecisionBody, accessDecisionOf, accessWishOf, askingBody } from '../asking.ts';
import type { ConsoleContext } from '../context.ts';
import { faultsOf } from '../decision.ts';
import { accessConflictWords } from '../pages/access-words.ts';
import { idIn } from '../pages/ids.ts';
import { accessDocumentOf } from './access-document.ts';
import { type Answer, type Handler, problemAnswer, unknownCursor } from './answer.ts';
import { accessListQuery, type Operation } from './operations.ts';

type AccessOperation = Extract<Operation['id'], `${string}Access${string}`>;

export function accessHandlersOf({ access, live }: ConsoleContext): Record<AccessOperation, Handler> {
  return {
    listAccessRequests: async (request, { person }) => {
      const query = accessListQuery.safeParse(request.query);
      if (!query.success) return problemAnswer(422, queryFaults);
      const { state: which, ...rest } = query.data;
      const listed = await access.list(person, { which, ...rest });
      if (listed === null) return problemAnswer(422, unknownCursor);
      return { ok: { accessRequests: listed.grants.map(accessDocumentOf), next: listed.next } };
    },
    getAccessRequest: async (request, { person }) => {
      const id = idIn(request, 'accessRequest');
      const seen = id === null ? null : await access.read(person, id);
      return seen?.kind === 'grant' ? { ok: accessDocumentOf(seen.grant) } : hidden;
    },
    askForAccess: async (request, { person }) => {
      const body = askingBody.safeParse(request.body);
      if (!body.success) return problemAnswer(422, faultsOf(body.error));
      const outcome = await access.ask(person, accessWishOf(body.data));
      if (outcome.kind === 'recorded') live.nudge();
      return answerTo(outcome);
    },
    decideAccessRequest: async (request, { person }) => {
      const id = idIn(request, 'accessRequest');
      if (id === null) return hidden;
      const body = accessDecisionBody.safeParse(request.body);
      if (!body.success) return problemAnswer(422, faultsOf(body.error));
      const outcome = await access.decide(person, id, accessDecisionOf(body.data));
      if (outcome.kind === 'recorded') live.nudge();
      return answerTo(outcome);
    },
  };
}

const queryFaults =
  'The query may have `whose` (any or own), `state` (live or all), `limit` (1 to 100) and `after` (`next` of the answer before).';

const hidden: Answer = problemAnswer(404, 'There is no such request for access, or you may not see it.');

function answerTo(outcome: AccessOutcome): Answer {
  switch (outcome.kind) {
    case 'recorded':
      return { ok: accessDocumentOf(outcome.grant) };
    case 'hidden':
      return hidden;
    case 'denied':
      return problemAnswer(403, 'Policy does not allow this.', { reasons: [...outcome.reasons] });
    case 'impossible':
      return problemAnswer(422, outcome.why);
    case 'full':
      return problemAnswer(429, 'Too many requests for access wait or are in force already.');
    case 'conflict': {
      const more = { accessRequest: accessDocumentOf(outcome.grant) };
      return problemAnswer(outcome.why === 'own' ? 403 : 409, accessConflictWords(outcome), more);
    }
    default:
      return outcome satisfies never;
  }
}
