/** What one person may stop and see while something is going wrong; pages and API do nothing with stops but by this. */
import { createHash } from 'node:crypto';
import { SkilltapeError } from '../errors.ts';
import { judgeGrant } from '../grants/desk.ts';
import type { Grant } from '../grants/grants.ts';
import type { LookKind } from '../looks/look-log.ts';
import type { Masked } from '../masking/masked.ts';
import type { NumberedStop, StoppedBy, StoppedSession, StopTarget } from '../stops/stops.ts';
import type { AccessParts } from './access.ts';
import type { Reason } from './approvals.ts';
import { lookingPerson, nameOf, operatorOf, type Person } from './person.ts';

/** What is stopped on this node (extproc/stops). */
export type StopDesk = {
  readonly version: number;
  readonly lastNumber: number;
  stop(target: StopTarget, by: StoppedBy, reason: string, timeMs: number): number;
  lift(session: string, by: StoppedBy, reason: string, timeMs: number): boolean;
  stopped(limit: number): StoppedSession[];
  since(number: number): NumberedStop[];
};

export type IncidentParts = Pick<AccessParts, 'grants' | 'lookLog' | 'mask' | 'policy' | 'homeIssuer' | 'now'> & {
  stops: StopDesk;
};

/** An exchange or session that was stopped, and which exchanges that ended. */
export type RecentStop = {
  number: number;
  target: StopTarget;
  by: StoppedBy;
  reason: string;
  timeMs: number;
  ended: string[];
};

/**
 * @property mayStop false: neither stops are shown nor forms to stop, and `whyNot` says why
 * @property glass break-glass that waits or is in force, as far as the person could take it back
 */
export type Incident = {
  mayStop: boolean;
  whyNot: readonly Reason[];
  stopped: StoppedSession[];
  recent: RecentStop[];
  glass: Grant[];
};

export type StopOutcome =
  | { kind: 'recorded'; by: StoppedBy; reason: string; timeMs: number }
  | { kind: 'denied'; reasons: readonly Reason[] }
  /** To be lifted, and not stopped. */
  | { kind: 'not_stopped' }
  /** As many sessions are stopped as can be. */
  | { kind: 'full' };

/** Of each so many are shown, the newest (inv. 10). */
export const shownStopsMax = 100;
const recentEventsMax = 500;
const grantsScannedMax = 500;

const anyReason = 'x'.repeat(500);

/** Another one for whatever the page would show otherwise; says nothing beside that. */
export function incidentGlanceOf({ mayStop, stopped, recent, glass }: Incident): string {
  const parts = [
    String(mayStop),
    ...stopped.map(({ session, timeMs }) => `${session} ${timeMs}`),
    ...recent.map(({ number, ended }) => `${number} ${ended.length}`),
    ...glass.map(({ id, state }) => `${id} ${state.kind}`),
  ];
  return createHash('sha256').update(parts.join('\n')).digest('base64url').slice(0, 16);
}

export class Incidents {
  readonly #parts: IncidentParts;

  constructor(parts: IncidentParts) {
    this.#parts = parts;
  }

  /** Records the look, and gives what the person may see. */
  async list(person: Person): Promise<Incident> {
    this.#look(person, 'stop', 'stopped sessions');
    return this.#visible(person);
  }

  /** Says nothing but whether what `list` gives is as it was. */
  async glance(person: Person): Promise<string> {
    return incidentGlanceOf(await this.#visible(person));
  }

  /** Ends what runs of it, and of a session refuses what comes. The attempt is recorded before policy is asked. */
  stop(person: Person, target: StopTarget, given: string): Promise<StopOutcome> {
    return this.#decide(person, { what: `stop ${target.kind} ${target.id}`, target, given }, (by, reason, timeMs) => {
      this.#parts.stops.stop(target, by, reason, timeMs);
      return true;
    });
  }

  /** Requests of the session are taken again. */
  lift(person: Person, session: string, given: string): Promise<StopOutcome> {
    const target: StopTarget = { kind: 'session', id: session };
    return this.#decide(person, { what: `lift session ${session}`, target, given }, (by, reason, timeMs) =>
      this.#parts.stops.lift(session, by, reason, timeMs),
    );
  }

  async #decide(
    person: Person,
    { what, target, given }: { what: string; target: StopTarget; given: string },
    write: (by: StoppedBy, reason: string, timeMs: number) => boolean,
  ): Promise<StopOutcome> {
    const reason = this.#parts.mask(given);
    this.#look(person, 'stop', what, reason);
    const { verdict, reasons } = (await this.#parts.policy()).console(this.#asked(person, target, given));
    if (verdict !== 'allow') {
      this.#look(person, 'stop', `refused: ${what} (${reasons.map(({ rule }) => rule).join(', ')})`);
      return { kind: 'denied', reasons };
    }
    const [by, timeMs] = [stopperOf(person), this.#parts.now()];
    try {
      if (write(by, reason, timeMs)) return { kind: 'recorded', by, reason, timeMs };
    } catch (thrown) {
      if (SkilltapeError.from(thrown).code !== 'usage') throw thrown;
      this.#look(person, 'stop', `refused: ${what} (too many are stopped)`);
      return { kind: 'full' };
    }
    this.#look(person, 'stop', `refused: ${what} (not stopped)`);
    return { kind: 'not_stopped' };
  }

  async #visible(person: Person): Promise<Incident> {
    const { stops, grants, now } = this.#parts;
    const policy = await this.#parts.policy();
    const { verdict, reasons } = policy.console(this.#asked(person, null, anyReason));
    const mayStop = verdict === 'allow';
    const doer = { operator: operatorOf(person, this.#parts.homeIssuer), person: person.identity };
    const mayTakeBack = (grant: Grant) =>
      judgeGrant({ policy }, grant, { kind: 'revoke', doer, reason: anyReason }, now()).verdict === 'allow';
    return {
      ...{ mayStop, whyNot: mayStop ? [] : reasons },
      stopped: mayStop ? stops.stopped(shownStopsMax) : [],
      recent: mayStop ? recentOf(stops) : [],
      glass: grants
        .list('live', grantsScannedMax, now())
        .filter((grant) => grant.wanted.kind === 'break_glass' && mayTakeBack(grant)),
    };
  }

  /** What runs is in no index yet, so neither whose it is nor by which connection is known here. */
  #asked(person: Person, target: StopTarget | null, reason: string) {
    return {
      ...{ version: 1 as const, action: 'stop' as const, operator: operatorOf(person, this.#parts.homeIssuer) },
      ...{ person: null, connection: '', retention_class: '' },
      session: target?.kind === 'session' ? target.id : '',
      exchange: target?.kind === 'exchange' ? target.id : '',
      ...{ types: [], values: 0, reason, last_hour: { operator_values: 0, person_values: 0 } },
      time: new Date(this.#parts.now()).toISOString(),
    };
  }

  #look(person: Person, what: LookKind, subject: string, why?: Masked<string>): void {
    const { lookLog, mask } = this.#parts;
    lookLog.record({ who: lookingPerson(person), what, subject: mask(subject), why });
  }
}

/** What was stopped among the last events, the newest first, with what each ended. */
function recentOf(stops: StopDesk): RecentStop[] {
  const recent = new Map<number, RecentStop>();
  for (const { number, event } of stops.since(Math.max(0, stops.lastNumber - recentEventsMax))) {
    if (event.kind === 'stopped') {
      const { target, by, reason, timeMs } = event;
      recent.set(number, { number, target, by, reason, timeMs, ended: [] });
    } else if (event.kind === 'ended') recent.get(event.stop)?.ended.push(event.exchangeId);
  }
  return [...recent.values()].reverse().slice(0, shownStopsMax);
}

function stopperOf({ identity, address, authenticatedMs }: Person): StoppedBy {
  const { issuer, subject } = identity;
  return { issuer, subject, name: nameOf(identity), address, authenticatedMs };
}
