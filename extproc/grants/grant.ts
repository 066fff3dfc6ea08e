/** One grant from being asked for to its end, as a list of events; the state is what they add up to. */

/**
 * - `access`: lifts the rules that say of themselves that access to a thing can be asked for
 * - `break_glass`: lifts the rules that `lists.break_glass` names, for a short time, loudly
 */
export const grantKinds = ['access', 'break_glass'] as const;
export type GrantKind = (typeof grantKinds)[number];

/** As a token names somebody. */
export type Person = { issuer: string; subject: string };

/** How somebody came who logged in: by pages or API, from which address, and when they last proved who they are. */
export type Login = { via: 'console' | 'api'; address: string; authenticatedMs: number | null };

/**
 * Who asks or decides: an account of this machine, a person by their token, or an account of which the person is known.
 * @property uid null: no account of this machine
 */
export type Actor = { name: string; uid: number | null; person: Person | null; login?: Login };

/**
 * What is asked for.
 * @property holder whom it is for; null is everybody who comes with a valid token (break-glass alone)
 * @property connection null is every connection
 * @property skill with neither it nor `model` the connection itself is meant
 */
export type Wanted = {
  kind: GrantKind;
  holder: (Person & { name: string; email: string }) | null;
  connection: string | null;
  skill: string | null;
  model: string | null;
  forMs: number;
};

/** What giving it takes, by policy. Whoever decides is in one group of each list of `approvers`. */
export type GrantTerms = {
  quorum: number;
  openMs: number;
  grantMaxMs: number;
  approvers: readonly (readonly string[])[];
};

/**
 * - `asked`, then `approved` by as many people as the terms say, with the time that each gives, and `granted` with the last
 * - `denied`, or `expired` when nobody decided in time
 * - a grant ends by `revoked`, or by its time, which is written down as `expired`
 * - `notified`, `not_notified`: what became of telling a target of an occasion (extproc/notify); it decides nothing
 */
export type GrantEvent = { timeMs: number } & (
  | { kind: 'asked'; by: Actor; reason: string }
  | { kind: 'approved'; by: Actor; reason: string; forMs: number }
  | { kind: 'granted'; untilMs: number }
  | { kind: 'denied'; by: Actor; reason: string }
  | { kind: 'revoked'; by: Actor; reason: string }
  | { kind: 'expired' }
  | { kind: 'notified'; target: string; occasion: string }
  | { kind: 'not_notified'; target: string; occasion: string; why: string }
);

/** Without those about who was told, which is for operators and not for whoever asked. */
export function eventsForAsker(events: readonly GrantEvent[]): ForAsker[] {
  return events.filter((event): event is ForAsker => !('occasion' in event));
}

export type ForAsker = Exclude<GrantEvent, { occasion: string }>;

export type GrantState =
  | { kind: 'pending'; approvals: readonly { by: Actor; forMs: number }[]; untilMs: number }
  | { kind: 'in_force'; fromMs: number; untilMs: number }
  | { kind: 'denied'; by: Actor; reason: string }
  | { kind: 'expired'; wasGranted: boolean; sinceMs: number }
  | { kind: 'revoked'; by: Actor; reason: string; sinceMs: number };

/** What the events add up to at a time: what nobody wrote down as expired is so all the same. */
export function stateOf(events: readonly GrantEvent[], pendingUntilMs: number, nowMs: number): GrantState {
  let state: GrantState = { kind: 'pending', approvals: [], untilMs: pendingUntilMs };
  for (const event of events) state = after(state, event);
  if (state.kind !== 'pending' && state.kind !== 'in_force') return state;
  if (state.untilMs > nowMs) return state;
  return { kind: 'expired', wasGranted: state.kind === 'in_force', sinceMs: state.untilMs };
}

function after(state: GrantState, event: GrantEvent): GrantState {
  switch (event.kind) {
    case 'asked':
    case 'notified':
    case 'not_notified':
      return state;
    case 'approved':
      if (state.kind !== 'pending') return state;
      return { ...state, approvals: [...state.approvals, { by: event.by, forMs: event.forMs }] };
    case 'granted':
      return { kind: 'in_force', fromMs: event.timeMs, untilMs: event.untilMs };
    case 'denied':
      return { kind: 'denied', by: event.by, reason: event.reason };
    case 'revoked':
      return { kind: 'revoked', by: event.by, reason: event.reason, sinceMs: event.timeMs };
    case 'expired':
      return { kind: 'expired', wasGranted: state.kind === 'in_force', sinceMs: event.timeMs };
    default:
      return event satisfies never;
  }
}

export function isSamePerson(one: Person | null, other: Person | null): boolean {
  return one !== null && other !== null && one.issuer === other.issuer && one.subject === other.subject;
}

/** One account is one person, whatever a list says of it. */
export function isSameActor(one: Actor, other: Actor): boolean {
  return (one.uid !== null && one.uid === other.uid) || isSamePerson(one.person, other.person);
}
