/** What people do with grants, as the command line and a console call it: policy is asked first, then it is written down. */
import type { ConsoleDecision, ConsoleInput } from '../policy/console.ts';
import { type Actor, isSamePerson, type Login, type Person, type Wanted } from './grant.ts';
import type { Grant, GrantAsked, GrantDecided, GrantDecision, Grants } from './grants.ts';

export type GrantDeskParts = {
  grants: Pick<Grants, 'ask' | 'decide' | 'read'>;
  policy: { console(input: ConsoleInput): ConsoleDecision };
  /** Longest times, whatever policy says. */
  limits: { accessMaxMs: number; breakGlassMaxMs: number };
  /** Names of the configured connections. */
  connections: readonly string[];
};

/** A person by a token that was verified. */
export type Asker = Person & { name: string; email: string; groups: readonly string[] };

export type Thing = { connection: string | null; skill: string | null; model: string | null };

/**
 * Who does it: the account or login that does, and who that is by their token where it is known without the list of
 * operators (`person` of an entry says it of an account).
 */
export type Doer = { operator: ConsoleInput['operator']; person: Person | null; login?: Login };

export type DeskAnswer =
  | Exclude<GrantAsked, { kind: 'full' }>
  | GrantDecided
  | { kind: 'full'; limit: string }
  /** In words for whoever asked. `rules`: those of policy; none where it cannot be, whatever policy says. */
  | { kind: 'not_allowed'; reasons: readonly string[]; rules: ConsoleDecision['reasons'] };

const minuteMs = 60_000;

/** A person asks for access for themselves. */
export function askForAccess(
  parts: GrantDeskParts,
  asking: { asker: Asker; doer: Doer; thing: Thing; forMs: number; reason: string },
  nowMs: number,
): DeskAnswer {
  const { asker, doer, thing, forMs, reason } = asking;
  const { issuer, subject, name, email } = asker;
  const wanted: Wanted = { kind: 'access', holder: { issuer, subject, name, email }, ...thing, forMs };
  const cannot = whyNot(parts, wanted);
  if (cannot !== null) return impossible(cannot);
  const person = { issuer, subject, email, groups: [...asker.groups] };
  const decision = parts.policy.console(questionOf('ask', wanted, { doer, person, reason, nowMs }));
  const by = actor(doer, email || name || subject, { issuer, subject });
  return record(parts, decision, { wanted, by, reason }, nowMs);
}

/** The first of two people breaks glass; nothing is lifted until another one approves. */
export function breakGlass(
  parts: GrantDeskParts,
  asking: { doer: Doer; holder: Wanted['holder']; connection: string | null; forMs: number; reason: string },
  nowMs: number,
): DeskAnswer {
  const { doer, holder, connection, forMs, reason } = asking;
  const wanted: Wanted = { kind: 'break_glass', holder, connection, skill: null, model: null, forMs };
  const cannot = whyNot(parts, wanted);
  if (cannot !== null) return impossible(cannot);
  const decision = parts.policy.console(questionOf('break_glass', wanted, { doer, person: null, reason, nowMs }));
  const who = actorOf(doer, decision);
  if (who === null) return unknownPerson;
  return record(parts, decision, { wanted, by: who, reason }, nowMs);
}

/** Whether policy lets somebody begin it at all, for whatever connection it lets them. */
export function mayBreakGlass(
  { policy, connections }: Pick<GrantDeskParts, 'policy' | 'connections'>,
  { doer, reason }: { doer: Doer; reason: string },
  nowMs: number,
): boolean {
  return [null, ...connections].some((connection) => {
    const wanted: Wanted = { kind: 'break_glass', holder: null, connection, skill: null, model: null, forMs: minuteMs };
    const question = questionOf('break_glass', wanted, { doer, person: null, reason, nowMs });
    return policy.console(question).verdict === 'allow';
  });
}

/** Another person approves or denies; who may do that for others can take it back, also what is their own. */
export function decideGrant(
  parts: GrantDeskParts,
  deciding: { id: string; kind: GrantDecision['kind']; doer: Doer; reason: string; forMs?: number | undefined },
  nowMs: number,
): DeskAnswer {
  const { id, kind, doer, reason, forMs } = deciding;
  const grant = parts.grants.read(id, nowMs);
  if (grant === null) return { kind: 'refused', why: 'not_found', state: '' };
  const decision = judgeGrant(parts, grant, { kind, doer, reason }, nowMs);
  if (decision.verdict !== 'allow') return notAllowed(decision);
  const by = actorOf(doer, decision);
  if (by === null) return unknownPerson;
  const how: GrantDecision = kind === 'approve' ? { kind, by, reason, forMs } : { kind, by, reason };
  return parts.grants.decide(id, how, nowMs);
}

/** What policy says of a decision. Whoever may take something back may see it too. */
export function judgeGrant(
  { policy }: Pick<GrantDeskParts, 'policy'>,
  grant: Grant,
  deciding: { kind: GrantDecision['kind']; doer: Doer; reason: string },
  nowMs: number,
): ConsoleDecision {
  return policy.console(questionAbout(grant, { ...deciding, nowMs }));
}

/** Taking something back is no approval: it is not held against anybody that it is their own. */
function questionAbout(
  { wanted, terms, events }: Grant,
  { kind, doer, reason, nowMs }: { kind: GrantDecision['kind']; doer: Doer; reason: string; nowMs: number },
): ConsoleInput {
  const action = wanted.kind === 'access' ? 'grant' : 'break_glass';
  const asked = events.find((event) => event.kind === 'asked');
  const person = asked === undefined || kind === 'revoke' ? null : (asked.by.person ?? null);
  const whose = person === null ? null : { ...person, email: wanted.holder?.email ?? '', groups: [] };
  const { grant, ...question } = questionOf(action, wanted, { doer, person: whose, reason, nowMs });
  // A list that was shortened since must not keep anybody from ending it.
  if (kind === 'revoke') return question;
  return { ...question, ...(grant && { grant }), approvers: terms.approvers.map((groups) => [...groups]) };
}

function questionOf(
  action: 'ask' | 'grant' | 'break_glass',
  { connection, skill, model, forMs }: Wanted,
  { doer, person, reason, nowMs }: { doer: Doer; person: ConsoleInput['person']; reason: string; nowMs: number },
): ConsoleInput {
  const thing = { connection: connection ?? '', skill: skill ?? '', model: model ?? '' };
  return {
    ...{ version: 1, action, operator: doer.operator, person },
    ...{ connection: thing.connection, session: '', exchange: '', retention_class: '' },
    ...{ types: [], values: 0, reason, last_hour: { operator_values: 0, person_values: 0 } },
    time: new Date(nowMs).toISOString(),
    // Whoever gives it was not asked how long.
    ...(action === 'grant' ? {} : { grant: { ...thing, minutes: Math.ceil(forMs / minuteMs) } }),
  };
}

function record(
  { grants }: GrantDeskParts,
  decision: ConsoleDecision,
  { wanted, by, reason }: { wanted: Wanted; by: Actor; reason: string },
  nowMs: number,
): DeskAnswer {
  const { terms } = decision;
  if (decision.verdict !== 'allow' || terms === undefined) return notAllowed(decision);
  const { quorum, approvers } = terms;
  const [openMs, grantMaxMs] = [terms.open_minutes * minuteMs, terms.grant_minutes * minuteMs];
  return grants.ask({ wanted, terms: { quorum, approvers, openMs, grantMaxMs }, by, reason }, nowMs);
}

/** What the configuration does not allow, in words; null when nothing stands against it. */
function whyNot(
  { limits, connections }: GrantDeskParts,
  { kind, connection, skill, model, forMs }: Wanted,
): string | null {
  // Policy is asked about one thing, and the grant would lift both.
  if (skill !== null && model !== null) return 'A skill and a model are two things: ask for each by itself.';
  const maxMs = kind === 'access' ? limits.accessMaxMs : limits.breakGlassMaxMs;
  if (forMs < minuteMs) return 'The shortest time is one minute.';
  if (forMs > maxMs) return `The longest time is ${Math.floor(maxMs / minuteMs)} minutes.`;
  if (connection === null || connections.includes(connection)) return null;
  return `There is no connection ${connection}: it may be ${connections.join(', ')}.`;
}

/** Null for an account of which the list says that it is several people, or nobody. */
function actorOf(doer: Doer, { persons = [] }: ConsoleDecision): Actor | null {
  const [first = doer.person, ...others] = persons;
  if (first === null || others.some((other) => !isSamePerson(first, other))) return null;
  return actor(doer, doer.operator.name, first);
}

/** A person who is known by their token has no account: two of them must not look like one. */
function actor({ operator: { kind, uid }, login }: Doer, name: string, person: Person): Actor {
  return { name, uid: kind === 'os' ? uid : null, person, ...(login !== undefined && { login }) };
}

function impossible(why: string): DeskAnswer {
  return { kind: 'not_allowed', reasons: [why], rules: [] };
}

const unknownPerson: DeskAnswer = {
  kind: 'not_allowed',
  reasons: ['The list of operators does not say who you are by your token, or says that you are several people.'],
  rules: [],
};

function notAllowed({ reasons }: ConsoleDecision): DeskAnswer {
  return { kind: 'not_allowed', reasons: reasons.map(({ rule, message }) => `${message} (${rule})`), rules: reasons };
}

/** Grants and tickets are told apart by their ids. */
export function isGrantId(id: string): boolean {
  return id.startsWith('g-');
}
