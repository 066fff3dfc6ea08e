/** Access on request and break-glass in the API: asking, looking, and deciding about what others asked for. */
import type { GrantKind } from '../../grants/grant.ts';
import type { Grant } from '../../grants/grants.ts';
import type { AccessOutcome, AccessRequests } from '../access.ts';
import { accessDecisionBody, accessDecisionOf, accessWishOf, askingBody, glassBody, glassWishOf } from '../asking.ts';
import type { ConsoleContext } from '../context.ts';
import { faultsOf } from '../decision.ts';
import { accessConflictWords } from '../pages/access-words.ts';
import { idIn } from '../pages/ids.ts';
import { accessDocumentOf, glassDocumentOf } from './access-document.ts';
import { type Answer, type Handler, problemAnswer, unknownCursor } from './answer.ts';
import { accessListQuery, listQuery, type Operation } from './operations.ts';

type AccessOperation = Extract<Operation['id'], `${string}Access${string}` | `${string}Glass${string}`>;

export function accessHandlersOf(context: ConsoleContext): Record<AccessOperation, Handler> {
  const access = grantHandlers(context, 'access');
  const glass = grantHandlers(context, 'break_glass');
  return {
    listAccessRequests: async (request, { person }) => {
      const query = accessListQuery.safeParse(request.query);
      if (!query.success) return problemAnswer(422, queryFaults);
      const { state: which, ...rest } = query.data;
      const listed = await context.access.list(person, { which, ...rest });
      if (listed === null) return problemAnswer(422, unknownCursor);
      return { ok: { accessRequests: listed.grants.map(accessDocumentOf), next: listed.next } };
    },
    getAccessRequest: access.get,
    askForAccess: async (request, { person }) => {
      const body = askingBody.safeParse(request.body);
      if (!body.success) return problemAnswer(422, faultsOf(body.error));
      return access.told(await context.access.ask(person, accessWishOf(body.data)));
    },
    decideAccessRequest: access.decide,
    listBreakGlass: async (request, { person }) => {
      const query = listQuery.safeParse(request.query);
      if (!query.success) return problemAnswer(422, glassQueryFaults);
      const { state: which, ...rest } = query.data;
      const listed = await context.glass.list(person, { whose: 'any', which, ...rest });
      if (listed === null) return problemAnswer(422, unknownCursor);
      return { ok: { breakGlass: listed.grants.map(glassDocumentOf), next: listed.next } };
    },
    getBreakGlass: glass.get,
    beginBreakGlass: async (request, { person }) => {
      const body = glassBody.safeParse(request.body);
      if (!body.success) return problemAnswer(422, faultsOf(body.error));
      return glass.told(await context.glass.breakGlass(person, glassWishOf(body.data)));
    },
    decideBreakGlass: glass.decide,
  };
}

type GrantHandlers = { get: Handler; decide: Handler; told(outcome: AccessOutcome): Answer };

/** What is the same of both kinds. */
function grantHandlers(context: ConsoleContext, of: GrantKind): GrantHandlers {
  const desk: AccessRequests = of === 'access' ? context.access : context.glass;
  const { parameter, documentOf, conflict, hidden } = kinds[of];
  const told = (outcome: AccessOutcome): Answer => {
    if (outcome.kind === 'recorded') context.live.nudge();
    switch (outcome.kind) {
      case 'recorded':
        return { ok: documentOf(outcome.grant) };
      case 'hidden':
        return hidden;
      case 'denied':
        return problemAnswer(403, 'Policy does not allow this.', { reasons: [...outcome.reasons] });
      case 'impossible':
        return problemAnswer(422, outcome.why);
      case 'full':
        return problemAnswer(429, 'Too much that was asked for waits or is in force already.');
      case 'conflict':
        return problemAnswer(outcome.why === 'own' ? 403 : 409, accessConflictWords(outcome), conflict(outcome.grant));
      default:
        return outcome satisfies never;
    }
  };
  return {
    told,
    get: async (request, { person }) => {
      const id = idIn(request, parameter);
      const seen = id === null ? null : await desk.read(person, id);
      return seen?.kind === 'grant' ? { ok: documentOf(seen.grant) } : hidden;
    },
    decide: async (request, { person }) => {
      const id = idIn(request, parameter);
      if (id === null) return hidden;
      const body = accessDecisionBody.safeParse(request.body);
      if (!body.success) return problemAnswer(422, faultsOf(body.error));
      return told(await desk.decide(person, id, accessDecisionOf(body.data)));
    },
  };
}

const kinds = {
  access: {
    parameter: 'accessRequest',
    documentOf: accessDocumentOf,
    conflict: (grant: Grant) => ({ accessRequest: accessDocumentOf(grant) }),
    hidden: problemAnswer(404, 'There is no such request for access, or you may not see it.'),
  },
  break_glass: {
    parameter: 'breakGlass',
    documentOf: glassDocumentOf,
    conflict: (grant: Grant) => ({ breakGlass: glassDocumentOf(grant) }),
    hidden: problemAnswer(404, 'There is no such break-glass, or you may not see it.'),
  },
} as const satisfies Record<GrantKind, object>;

const glassQueryFaults =
  'The query may have `state` (live or all), `limit` (1 to 100) and `after` (`next` of the answer before).';

const queryFaults =
  'The query may have `whose` (any or own), `state` (live or all), `limit` (1 to 100) and `after` (`next` of the answer before).';
