import type { Actor } from '../grants/grant.ts';
import type { Grant } from '../grants/grants.ts';
import { sanitiseLine } from './sanitise.ts';

/** One line of a list: which, how it stands, for whom and what, until when, and who gave it. */
export function grantLine(grant: Grant): string {
  const { id, wanted, state } = grant;
  const kind = wanted.kind === 'break_glass' ? 'BREAK-GLASS' : 'access';
  return sanitiseLine([id, kind, stateWords(grant), holderOf(grant), thingOf(grant), givenBy(grant)].join('  '));

  function stateWords({ terms }: Grant): string {
    if (state.kind === 'in_force') return `in force until ${timeOf(state.untilMs)}`;
    if (state.kind !== 'pending') return state.kind;
    return `waits for ${terms.quorum - state.approvals.length} to approve`;
  }
}

/** Everything that happened to one. */
export function grantPage(grant: Grant): string {
  const { id, wanted, terms, state, events } = grant;
  const approvers = terms.approvers.map((groups) => `one of ${groups.join(', ')}`).join(' and ');
  const lines = [
    `grant       ${id}  (${wanted.kind === 'break_glass' ? 'break-glass' : 'access'}, ${state.kind})`,
    `for         ${holderOf(grant)}`,
    `what        ${thingOf(grant)}, for ${minutes(wanted.forMs)}`,
    `needs       ${terms.quorum} to approve${approvers === '' ? '' : `: ${approvers}`}; at most ${minutes(terms.grantMaxMs)}`,
    ...events.map((event) => {
      const by = 'by' in event ? ` by ${actorText(event.by)}: ${event.reason}` : '';
      const until = event.kind === 'granted' ? ` until ${timeOf(event.untilMs)}` : '';
      const told = 'occasion' in event ? ` ${event.target} of ${event.occasion}` : '';
      const why = event.kind === 'not_notified' ? `: ${event.why}` : '';
      return `event       ${timeOf(event.timeMs)} ${event.kind}${until}${by}${told}${why}`;
    }),
  ];
  return `${lines.map(sanitiseLine).join('\n')}\n`;
}

function holderOf({ wanted: { holder } }: Grant): string {
  if (holder === null) return 'everybody with a valid token';
  return holder.email === '' ? `${holder.subject} of ${holder.issuer}` : holder.email;
}

function thingOf({ wanted: { connection, skill, model } }: Grant): string {
  const where = connection === null ? 'every connection' : `connection ${connection}`;
  if (skill !== null) return `skill ${skill} on ${where}`;
  return model === null ? where : `model ${model} on ${where}`;
}

function givenBy({ events }: Grant): string {
  const names = events.flatMap((event) => (event.kind === 'approved' ? [event.by.name] : []));
  return names.length === 0 ? '' : `by ${names.join(', ')}`;
}

function actorText({ name, uid, person }: Actor): string {
  const account = uid === null ? '' : ` (uid ${uid})`;
  return `${name}${account}${person === null ? '' : `, ${person.subject} of ${person.issuer}`}`;
}

function timeOf(ms: number): string {
  return new Date(ms).toISOString();
}

function minutes(ms: number): string {
  const whole = Math.max(0, Math.round(ms / 60_000));
  return whole < 120 ? `${whole} min` : `${Math.round(whole / 60)} h`;
}
