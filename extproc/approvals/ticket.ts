/** One approval request from its first state to its last, as a list of events; the state is what they add up to. */
import { type ApprovalTerms, type ScopeKind, scopeKinds } from '../exchange/approval-desk.ts';

/** Somebody by their token. */
export type PersonId = { issuer: string; subject: string };

/**
 * Who decides: an account of the operating system, with who its holder is by token as far as policy `console` says so; or
 * a person whom the console or its API knows by their token. `name` is for people. `address` is where they came from,
 * `authenticatedMs` when they last proved who they are, where the identity provider said so.
 */
export type Approver =
  | { kind: 'os'; name: string; uid: number; persons?: readonly PersonId[] }
  | ({
      kind: 'person';
      name: string;
      via: 'console' | 'api';
      address: string;
      authenticatedMs: number | null;
    } & PersonId);

/** One person who has two ways of deciding is one. */
export function isSameApprover(a: Approver, b: Approver): boolean {
  if (a.kind === 'os' && b.kind === 'os' && a.uid === b.uid) return true;
  return personsOf(a).some((one) =>
    personsOf(b).some(({ issuer, subject }) => one.issuer === issuer && one.subject === subject),
  );
}

/** Whoever decides is in one group of each list. */
export function approverListsOf({ approvers, approverLists }: ApprovalTerms): string[][] {
  if (approverLists !== undefined) return approverLists.map((groups) => [...groups]);
  return approvers.length === 0 ? [] : [[...approvers]];
}

/** How a record names them: by what stays theirs, and is no mail address that masking takes out. */
export function recordedNameOf(by: Approver): string {
  return by.kind === 'os' ? by.name : by.subject;
}

function personsOf(approver: Approver): readonly PersonId[] {
  return approver.kind === 'os' ? (approver.persons ?? []) : [approver];
}

/** How many uses a grant of more than one request has at the most (inv. 10). */
export const usesMax = 1_000;

export type Grant = { scope: ScopeKind; uses: number; untilMs: number };

/**
 * - `opened`, then `waiting` and `left` for each exchange that asks for it and goes without an answer
 * - `approved` and `denied` by a person; `granted` when as many approved as the policy wants
 * - `used` by an exchange, which goes to the upstream; `given_back` when nothing of it went there after all
 * - `expired`: nobody decided in time, or the grant was not used in time; `revoked` by a person
 * - `notified`, `not_notified`: what became of telling a target of an occasion (extproc/notify); it decides nothing
 */
export type TicketEvent = { timeMs: number } & (
  | { kind: 'opened' }
  | { kind: 'waiting'; exchangeId: string }
  | { kind: 'left'; exchangeId: string }
  | { kind: 'approved'; by: Approver; reason: string; grant: Grant }
  | { kind: 'granted'; grant: Grant }
  | { kind: 'denied'; by: Approver; reason: string }
  | { kind: 'used'; exchangeId: string }
  | { kind: 'given_back'; exchangeId: string }
  | { kind: 'expired' }
  | { kind: 'revoked'; by: Approver; reason: string }
  | { kind: 'notified'; target: string; occasion: string }
  | { kind: 'not_notified'; target: string; occasion: string; why: string }
);

/** `forMs`: for how long, from the time on at which as many approved as have to. */
export type Approval = { by: Approver; grant: Grant; forMs: number };

export type TicketState =
  | { kind: 'pending'; approvals: readonly Approval[]; untilMs: number }
  | { kind: 'granted'; grant: Grant; usesLeft: number }
  | { kind: 'used'; grant: Grant }
  | { kind: 'denied'; by: Approver; reason: string; sinceMs: number }
  | { kind: 'expired'; wasGranted: boolean; sinceMs: number }
  | { kind: 'revoked'; sinceMs: number };

/** What the events add up to at a time: what nobody wrote down as expired is so all the same. */
export function stateOf(events: readonly TicketEvent[], pendingUntilMs: number, nowMs: number): TicketState {
  let state: TicketState = { kind: 'pending', approvals: [], untilMs: pendingUntilMs };
  for (const event of events) state = after(state, event);
  const untilMs = deadlineOf(state);
  if (untilMs === null || untilMs > nowMs) return state;
  return { kind: 'expired', wasGranted: state.kind === 'granted', sinceMs: untilMs };
}

/** Null for a state that no time ends. */
export function deadlineOf(state: TicketState): number | null {
  if (state.kind === 'pending') return state.untilMs;
  return state.kind === 'granted' ? state.grant.untilMs : null;
}

function after(state: TicketState, event: TicketEvent): TicketState {
  switch (event.kind) {
    case 'opened':
    case 'waiting':
    case 'left':
    case 'notified':
    case 'not_notified':
      return state;
    case 'approved':
      if (state.kind !== 'pending') return state;
      return { ...state, approvals: [...state.approvals, approvalOf(event)] };
    case 'granted':
      return { kind: 'granted', grant: event.grant, usesLeft: event.grant.uses };
    case 'denied':
      return { kind: 'denied', by: event.by, reason: event.reason, sinceMs: event.timeMs };
    case 'used':
      return state.kind === 'granted' ? usedOnce(state) : state;
    case 'given_back':
      return usedOnceLess(state);
    case 'expired':
      return { kind: 'expired', wasGranted: state.kind === 'granted', sinceMs: event.timeMs };
    case 'revoked':
      return { kind: 'revoked', sinceMs: event.timeMs };
    default:
      return event satisfies never;
  }
}

function approvalOf({ by, grant, timeMs }: Extract<TicketEvent, { kind: 'approved' }>): Approval {
  return { by, grant, forMs: grant.untilMs - timeMs };
}

function usedOnce(state: Extract<TicketState, { kind: 'granted' }>): TicketState {
  return state.usesLeft <= 1 ? { kind: 'used', grant: state.grant } : { ...state, usesLeft: state.usesLeft - 1 };
}

function usedOnceLess(state: TicketState): TicketState {
  if (state.kind === 'granted') return { ...state, usesLeft: state.usesLeft + 1 };
  return state.kind === 'used' ? { kind: 'granted', grant: state.grant, usesLeft: 1 } : state;
}

/** The grant of which an exchange has a use to give back; null where it has none, or its time is over. */
export function returnable(
  { state, events }: { state: TicketState; events: readonly TicketEvent[] },
  exchangeId: string,
  nowMs: number,
): Grant | null {
  if (state.kind !== 'used' && state.kind !== 'granted') return null;
  const own = events.filter((event) => 'exchangeId' in event && event.exchangeId === exchangeId);
  const last = own.findLast(({ kind }) => kind === 'used' || kind === 'given_back');
  return last?.kind === 'used' && state.grant.untilMs > nowMs ? state.grant : null;
}

/** The least that all who approved agreed on. The last of them may come when the time of the first would be over. */
export function agreed(approvals: readonly Pick<Approval, 'grant' | 'forMs'>[], nowMs: number): Grant {
  const grants = approvals.map(({ grant }) => grant);
  const widths = grants.map(({ scope }) => scopeKinds.indexOf(scope));
  const scopes = new Set(grants.map(({ scope }) => scope));
  // Two scopes have nothing but the request in common.
  const scope = scopes.size === 1 ? (scopeKinds[widths[0] ?? 0] ?? 'request') : 'request';
  const uses = scope === 'request' ? 1 : Math.min(...grants.map((grant) => grant.uses));
  return { scope, uses, untilMs: nowMs + Math.min(...approvals.map(({ forMs }) => forMs)) };
}
