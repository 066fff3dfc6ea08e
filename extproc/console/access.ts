/** What one person may ask for, see and decide of access on request, or of break-glass; pages and API do nothing with grants but by this. */
import { createHash } from 'node:crypto';
import {
  askForAccess,
  breakGlass,
  type DeskAnswer,
  type Doer,
  decideGrant,
  judgeGrant,
  mayBreakGlass,
  type Thing,
} from '../grants/desk.ts';
import { eventsForAsker, type GrantKind, isSamePerson, type Person as PersonId } from '../grants/grant.ts';
import type { Grant, GrantDecision, GrantRefusal, Grants } from '../grants/grants.ts';
import type { LookKind, LookLog } from '../looks/look-log.ts';
import type { Masked } from '../masking/masked.ts';
import type { ConsolePolicy, Reason } from './approvals.ts';
import { lookingPerson, operatorOf, type Person } from './person.ts';
import { VisiblePages } from './visible.ts';

export type AccessParts = {
  grants: Pick<Grants, 'version' | 'ask' | 'decide' | 'read' | 'list' | 'listOf'>;
  /** Longest times, whatever policy says. */
  limits: { accessMaxMs: number; breakGlassMaxMs: number };
  /** Names of the configured connections. */
  connections: readonly string[];
  lookLog: Pick<LookLog, 'record'>;
  mask(text: string): Masked<string>;
  /** As for tickets: with a fault in the files nobody asks, sees or decides anything. */
  policy(): Promise<ConsolePolicy>;
  homeIssuer: string;
  now(): number;
};

/** What a person wants to have. */
export type AccessWish = { thing: Thing; forMs: number; reason: string };

/** What is to be lifted; `holder` null: for everybody, `connection` null: on each. */
export type GlassWish = { holder: PersonId | null; connection: string | null; forMs: number; reason: string };

/** `forMs`: a shorter time than was asked for. */
export type AccessDecision = { kind: GrantDecision['kind']; reason: string; forMs?: number | undefined };

/** @property whose `own`: the newest first, whatever the state; `any`: with those that policy lets them decide about */
export type AccessQuery = { whose: 'own' | 'any'; which: 'live' | 'all'; limit: number; after?: string | undefined };

/** `hidden`: there is none, or they may not see it; the two are not told apart. */
export type SeenAccess =
  | { kind: 'grant'; grant: Grant; mayApprove: boolean; mayRevoke: boolean; whyNot: readonly Reason[] }
  | { kind: 'hidden' };

export type AccessOutcome =
  | { kind: 'recorded'; grant: Grant }
  | { kind: 'hidden' }
  | { kind: 'denied'; reasons: readonly Reason[] }
  /** Whatever policy says: in words. */
  | { kind: 'impossible'; why: string }
  | { kind: 'full' }
  /** What it was already when this came. */
  | { kind: 'conflict'; why: Exclude<GrantRefusal, 'not_found'>; grant: Grant };

/** `next`: the cursor of what comes next; null: that was all. */
export type ListedAccess = { grants: Grant[]; next: string | null };

/** Stands in for a reason when it is asked whether somebody could decide at all. */
const anyReason = 'x'.repeat(500);

/** Another one for whatever a page would show otherwise; says nothing beside that. */
export function accessGlanceOf(grants: readonly Grant[]): string {
  const states = grants.map(({ id, state, events }) => `${id} ${state.kind} ${eventsForAsker(events).length}`);
  return createHash('sha256').update(states.join('\n')).digest('base64url').slice(0, 16);
}

export function isOwn({ wanted }: Grant, { identity }: Person): boolean {
  return isSamePerson(wanted.holder, identity);
}

/** Of one kind of grants: the other one is not there. */
export class AccessRequests {
  readonly #parts: AccessParts;
  readonly #kind: GrantKind;
  readonly #pages = new VisiblePages();

  constructor(parts: AccessParts, kind: GrantKind) {
    this.#parts = parts;
    this.#kind = kind;
  }

  get connections(): readonly string[] {
    return this.#parts.connections;
  }

  /** Records the look, and gives what the person may see; null where `after` is no cursor of this list. */
  async list(person: Person, query: AccessQuery): Promise<ListedAccess | null> {
    const whose = query.whose === 'own' ? 'own grants' : query.which === 'live' ? 'grants in force' : 'all grants';
    this.#look(person, this.#kind, whose);
    return this.#visible(person, query);
  }

  /** Says nothing but whether what a person may see is as it was: one, or what `list` gives. */
  async glance(person: Person, of: { grant: string } | AccessQuery): Promise<string> {
    if (!('grant' in of)) return accessGlanceOf((await this.#visible(person, of))?.grants ?? []);
    const policy = await this.#parts.policy();
    return accessGlanceOf([this.#seen(policy, person, of.grant)].filter((grant) => grant !== null));
  }

  async read(person: Person, id: string): Promise<SeenAccess> {
    this.#look(person, this.#kind, id);
    const policy = await this.#parts.policy();
    const grant = this.#seen(policy, person, id);
    if (grant === null) return { kind: 'hidden' };
    const judge = (kind: GrantDecision['kind']) => this.#judge(policy, person, grant, kind);
    const [approve, revoke] = [judge('approve'), judge('revoke')];
    const mayRevoke = revoke.verdict === 'allow';
    return { kind: 'grant', grant, mayApprove: approve.verdict === 'allow', mayRevoke, whyNot: approve.reasons };
  }

  /** For themselves alone. The attempt is recorded before policy is asked. */
  async ask(person: Person, { thing, forMs, reason: given }: AccessWish): Promise<AccessOutcome> {
    const reason = this.#parts.mask(given);
    const what = `ask\n${JSON.stringify(thing)}`;
    this.#look(person, 'access', what, reason);
    const { grants, limits, connections, now } = this.#parts;
    const parts = { grants, limits, connections, policy: await this.#parts.policy() };
    const asking = { asker: person.identity, doer: this.#doerOf(person), thing, forMs, reason };
    return this.#outcomeOf(person, what, askForAccess(parts, asking, now()));
  }

  /** The first of two people. The attempt is recorded before policy is asked. */
  async breakGlass(person: Person, { holder, connection, forMs, reason: given }: GlassWish): Promise<AccessOutcome> {
    const reason = this.#parts.mask(given);
    const what = `begin\n${connection ?? 'all connections'}`;
    this.#look(person, 'break_glass', what, reason);
    const { grants, limits, connections, now } = this.#parts;
    const parts = { grants, limits, connections, policy: await this.#parts.policy() };
    const forWhom = holder && { ...holder, name: '', email: '' };
    const begin = { doer: this.#doerOf(person), holder: forWhom, connection, forMs, reason };
    return this.#outcomeOf(person, what, breakGlass(parts, begin, now()));
  }

  /** Whether there is anything for them to begin. */
  async mayBreakGlass(person: Person): Promise<boolean> {
    const parts = { policy: await this.#parts.policy(), connections: this.#parts.connections };
    return mayBreakGlass(parts, { doer: this.#doerOf(person), reason: anyReason }, this.#parts.now());
  }

  /** The attempt is recorded before anything is asked, and what was refused once more with why. */
  async decide(person: Person, id: string, { kind, reason: given, forMs }: AccessDecision): Promise<AccessOutcome> {
    const reason = this.#parts.mask(given);
    const what = `${kind} ${id}`;
    this.#look(person, 'decision', what, reason);
    const { grants, limits, connections, now } = this.#parts;
    const policy = await this.#parts.policy();
    if (this.#seen(policy, person, id) === null) {
      this.#refused(person, what, 'not to be seen');
      return { kind: 'hidden' };
    }
    const deciding = { id, kind, doer: this.#doerOf(person), reason, forMs };
    return this.#outcomeOf(person, what, decideGrant({ grants, limits, connections, policy }, deciding, now()), id);
  }

  #outcomeOf(person: Person, what: string, answer: DeskAnswer, id = ''): AccessOutcome {
    switch (answer.kind) {
      case 'recorded':
        return { kind: 'recorded', grant: answer.grant };
      case 'full':
        this.#refused(person, what, answer.limit);
        return { kind: 'full' };
      case 'not_allowed': {
        const { rules, reasons } = answer;
        this.#refused(person, what, rules.map(({ rule }) => rule).join(', ') || 'not possible');
        return rules.length > 0 ? { kind: 'denied', reasons: rules } : { kind: 'impossible', why: reasons.join(' ') };
      }
      case 'refused': {
        this.#refused(person, what, `${answer.why} ${answer.state}`.trim());
        const grant = this.#parts.grants.read(id, this.#parts.now());
        if (answer.why === 'not_found' || grant === null) return { kind: 'hidden' };
        return { kind: 'conflict', why: answer.why, grant };
      }
      default:
        return answer satisfies never;
    }
  }

  async #visible(person: Person, { whose, which, limit, after: cursor }: AccessQuery): Promise<ListedAccess | null> {
    const policy = await this.#parts.policy();
    const list = {
      name: `${whose} ${which}`,
      idOf: ({ id }: Grant) => id,
      read: (after: string | undefined, count: number) => this.#read(person, { whose, which }, after, count),
      isVisible: (grant: Grant) => this.#isWanted(grant, which) && this.#maySee(policy, person, grant),
    };
    const page = await this.#pages.page(person, list, limit, cursor);
    return page && { grants: page.items, next: page.next };
  }

  #read(
    { identity }: Person,
    { whose, which }: Pick<AccessQuery, 'whose' | 'which'>,
    after: string | undefined,
    count: number,
  ): Grant[] {
    const { grants, now } = this.#parts;
    if (whose === 'own') return grants.listOf(identity, count, now(), after);
    return grants.list(which, count, now(), after);
  }

  #seen(policy: ConsolePolicy, person: Person, id: string): Grant | null {
    const grant = this.#parts.grants.read(id, this.#parts.now());
    return grant !== null && this.#isWanted(grant, 'all') && this.#maySee(policy, person, grant) ? grant : null;
  }

  #isWanted({ wanted, state }: Grant, which: 'live' | 'all'): boolean {
    if (wanted.kind !== this.#kind) return false;
    return which === 'all' || state.kind === 'pending' || state.kind === 'in_force';
  }

  /** Access of their own always; and those that they could take back, which is no decision about themselves. */
  #maySee(policy: ConsolePolicy, person: Person, grant: Grant): boolean {
    const isAskedFor = this.#kind === 'access' && isOwn(grant, person);
    return isAskedFor || this.#judge(policy, person, grant, 'revoke').verdict === 'allow';
  }

  #judge(policy: ConsolePolicy, person: Person, grant: Grant, kind: GrantDecision['kind']) {
    return judgeGrant({ policy }, grant, { kind, doer: this.#doerOf(person), reason: anyReason }, this.#parts.now());
  }

  #doerOf(person: Person): Doer {
    const { identity, via, address, authenticatedMs } = person;
    const { issuer, subject } = identity;
    const operator = operatorOf(person, this.#parts.homeIssuer);
    return { operator, person: { issuer, subject }, login: { via, address, authenticatedMs } };
  }

  /** Writes down that something was not done. */
  #refused(person: Person, what: string, why: string): void {
    this.#look(person, 'decision', `refused: ${what} (${why})`);
  }

  #look(person: Person, what: LookKind, subject: string, why?: Masked<string>): void {
    const { lookLog, mask } = this.#parts;
    lookLog.record({ who: lookingPerson(person), what, subject: mask(subject), why });
  }
}
