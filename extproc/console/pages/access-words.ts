/** What a request for access says, in plain words. */
import type { Actor, ForAsker } from '../../grants/grant.ts';
import type { Grant } from '../../grants/grants.ts';
import type { AccessOutcome } from '../access.ts';
import { clockTime, count } from './words.ts';

const minuteMs = 60_000;

export function holderWords({ wanted: { holder } }: Grant): string {
  if (holder === null) return 'everybody with a valid token';
  return holder.email || holder.name || holder.subject;
}

export function thingWords({ wanted: { connection, skill, model } }: Grant): string {
  const where = connection === null ? 'every connection' : `the connection ${connection}`;
  if (skill !== null) return `the skill ${skill} on ${where}`;
  return model === null ? where : `the model ${model} on ${where}`;
}

export function accessHeadline(grant: Grant): string {
  if (grant.wanted.kind === 'break_glass') return `Break-glass for ${holderWords(grant)} on ${thingWords(grant)}`;
  return `${holderWords(grant)} asks for ${thingWords(grant)}`;
}

/** Of its page. */
export function grantPath({ id, wanted: { kind } }: { id: string; wanted: Pick<Grant['wanted'], 'kind'> }): string {
  return `/${kind === 'access' ? 'access' : 'break-glass'}/${id}`;
}

/** Coarse words for a time that was asked for would say another one. */
export function lengthWords(ms: number): string {
  return count(Math.ceil(ms / minuteMs), 'minute');
}

export function accessStateWords({ state, terms, events }: Grant): string {
  switch (state.kind) {
    case 'pending':
      return terms.quorum === 1
        ? 'Waits for a decision'
        : `Waits for a decision: ${state.approvals.length} of ${terms.quorum} approvals`;
    case 'in_force':
      return `In force until ${clockTime(state.untilMs)}, given by ${givenBy(events)}`;
    case 'denied':
      return `Denied by ${state.by.name}`;
    case 'expired':
      return state.wasGranted ? `Ended by its time, was given by ${givenBy(events)}` : 'Nobody decided in time';
    case 'revoked':
      return `Taken back by ${state.by.name}`;
    default:
      return state satisfies never;
  }
}

function givenBy(events: Grant['events']): string {
  return events.flatMap((event) => (event.kind === 'approved' ? [event.by.name] : [])).join(', ');
}

export function accessEventWords(event: ForAsker): string {
  switch (event.kind) {
    case 'asked':
      return `Asked for by ${actorWords(event.by)}: ${event.reason}`;
    case 'approved':
      return `Approved by ${actorWords(event.by)} for ${lengthWords(event.forMs)}: ${event.reason}`;
    case 'granted':
      return `Enough approvals: in force until ${clockTime(event.untilMs)}`;
    case 'denied':
      return `Denied by ${actorWords(event.by)}: ${event.reason}`;
    case 'revoked':
      return `Taken back by ${actorWords(event.by)}: ${event.reason}`;
    case 'expired':
      return 'Its time was over';
    default:
      return event satisfies never;
  }
}

/** Whoever asked reads it too: where approvers logged in from is not told. */
function actorWords({ name, person }: Actor): string {
  return person === null ? name : `${name} (${person.subject} of ${person.issuer})`;
}

export function accessConflictWords({ why, grant }: Extract<AccessOutcome, { kind: 'conflict' }>): string {
  switch (why) {
    case 'own':
      return 'Somebody else has to decide: it was asked for by you, or for you.';
    case 'approved_before':
      return 'You have approved this already; somebody else has to.';
    case 'not_open':
      return `This cannot be decided any more: ${accessStateWords(grant)}.`;
    default:
      return why satisfies never;
  }
}
