/** What a ticket says, in plain words. */
import type { Approver, Grant } from '../../approvals/ticket.ts';
import type { Ticket } from '../../approvals/tickets.ts';

const minuteMs = 60_000;

/** What is asked for, as the subject of a list. */
export function headline({ summary }: Ticket): string {
  return `${whoAsks(summary.person)} wants to ${purposeOf(summary.endpoint)}`;
}

export function whoAsks(person: Ticket['summary']['person']): string {
  if (person === null) return 'Somebody who is not known';
  return person.email || person.name || person.subject;
}

const purposes: Readonly<Record<string, string>> = {
  'messages.create': 'send a message to Claude',
  'messages.count_tokens': 'have the tokens of a message counted',
  'messages.batches.create': 'send a batch of messages to Claude',
  'complete.create': 'have Claude complete a text',
  'files.create': 'upload a file',
  'skills.create': 'upload a skill',
};

function purposeOf(endpoint: string): string {
  return purposes[endpoint] ?? `use ${endpoint}`;
}

export function stateWords({ state, terms }: Ticket): string {
  switch (state.kind) {
    case 'pending':
      return terms.quorum === 1
        ? 'Waits for a decision'
        : `Waits for a decision: ${state.approvals.length} of ${terms.quorum} approvals`;
    case 'granted':
      return `Approved, not used up yet: good for ${grantWords(state.grant, state.usesLeft)}`;
    case 'used':
      return 'Approved and used';
    case 'denied':
      return `Denied by ${state.by.name}`;
    case 'expired':
      return state.wasGranted ? 'Approved, but not used in time' : 'Nobody decided in time';
    case 'revoked':
      return 'The approval was taken back';
    default:
      return state satisfies never;
  }
}

export const scopeWords: Record<Grant['scope'], string> = {
  request: 'This request, once',
  session: 'What else is held in this session for the same reasons',
  skill: 'What else is held with the same skills for the same reasons',
};

function grantWords(grant: Grant, uses: number): string {
  return `${timesWords(grant, uses)} until ${clockTime(grant.untilMs)}`;
}

/** Where others have to approve too, its time begins with the last of them. */
function approvedWords({ grant, timeMs }: Extract<Ticket['events'][number], { kind: 'approved' }>): string {
  return `${timesWords(grant, grant.uses)}, for ${count(Math.ceil((grant.untilMs - timeMs) / minuteMs), 'minute')}`;
}

function timesWords({ scope }: Grant, uses: number): string {
  return `${uses === 1 ? 'one request' : `${uses} requests`} (${scope})`;
}

/** What the excerpt leaves out, one line each; a decision on it must not be one on less than is known. */
export function leftOutWords({ summary: { leftOut } }: Ticket): string[] {
  const lines = [
    ...(leftOut.chars > 0 ? [`${count(leftOut.chars, 'character')} of the newest prompt, out of its middle`] : []),
    ...(leftOut.messages > 0 ? [`${count(leftOut.messages, 'earlier message')} or other requests of the batch`] : []),
    ...(leftOut.bytes > 0 ? [`${count(leftOut.bytes, 'byte')} that are no text`] : []),
  ];
  return lines.length === 0 ? ['Nothing: the whole newest prompt is shown, masked.'] : lines;
}

export function count(number: number, noun: string): string {
  return `${number.toLocaleString('en-US')} ${noun}${number === 1 ? '' : 's'}`;
}

export function eventWords(event: Ticket['events'][number]): string {
  switch (event.kind) {
    case 'opened':
      return 'The request was held';
    case 'waiting':
      return `An exchange waits: ${event.exchangeId}`;
    case 'left':
      return `Its client left or was told to come again: ${event.exchangeId}`;
    case 'approved':
      return `Approved by ${approverWords(event.by)} for ${approvedWords(event)}: ${event.reason}`;
    case 'granted':
      return `Enough approvals: good for ${grantWords(event.grant, event.grant.uses)}`;
    case 'denied':
      return `Denied by ${approverWords(event.by)}: ${event.reason}`;
    case 'used':
      return `Let through: ${event.exchangeId}`;
    case 'given_back':
      return `It did not go to Claude, so the approval counts once more: ${event.exchangeId}`;
    case 'expired':
      return 'Its time was over';
    case 'revoked':
      return `Taken back by ${approverWords(event.by)}: ${event.reason}`;
    case 'notified':
      return `${event.target} was told of it (${event.occasion})`;
    case 'not_notified':
      return `${event.target} could not be told of it (${event.occasion}): ${event.why}`;
    default:
      return event satisfies never;
  }
}

export function approverWords(by: Approver): string {
  if (by.kind === 'os') return `${by.name} at the command line (uid ${by.uid})`;
  const login = by.authenticatedMs === null ? 'login time not known' : `logged in ${clockTime(by.authenticatedMs)}`;
  return `${by.name} in the ${by.via === 'api' ? 'API' : 'console'} (${by.subject}, from ${by.address}, ${login})`;
}

export function clockTime(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}

/** How long ago or from now, coarsely. */
export function spanWords(ms: number): string {
  const minutes = Math.max(0, Math.round(ms / minuteMs));
  if (minutes < 120) return count(minutes, 'minute');
  return minutes < 48 * 60 ? count(Math.round(minutes / 60), 'hour') : count(Math.round(minutes / 1440), 'day');
}
