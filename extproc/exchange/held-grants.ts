/** What people allowed a caller for a time, as an exchange needs it (extproc/grants has it). */
import type { AccessInput } from '../policy/input.ts';
import type { Lifted, Verdict } from './ports.ts';

/** A grant that holds now. `by` are the names of who gave it; `reason` is what whoever asked for it said. */
export type HeldGrant = {
  id: string;
  kind: 'access' | 'break_glass';
  skill: string | null;
  model: string | null;
  untilMs: number;
  by: readonly string[];
  reason: string;
};

/** Whoever knows them. Answers at once, from memory: it is asked for every exchange. */
export type HeldGrants = {
  /** Of an identity on a connection; none of nobody. */
  holding(identity: AccessInput['identity'], connection: string, nowMs: number): readonly HeldGrant[];
  /** Told that an exchange was let through by these. */
  used(grants: readonly HeldGrant[]): void;
};

export function grantFacts(grants: readonly HeldGrant[]): AccessInput['grants'] {
  return grants.map(({ id, kind, skill, model, untilMs }) => ({
    ...{ id, kind, skill: skill ?? '', model: model ?? '' },
    until: new Date(untilMs).toISOString(),
  }));
}

/** What was lifted at both stages together: the record of the last verdict has all of it. */
export function liftedTogether(access: Lifted | undefined, request: Lifted | undefined): Lifted | undefined {
  if (access === undefined || request === undefined) return access ?? request;
  return {
    grants: [...new Set([...access.grants, ...request.grants])],
    reasons: [...access.reasons, ...request.reasons],
  };
}

/** The verdict with the grants themselves, where something was lifted. */
export function withGrants(verdict: Verdict, held: readonly HeldGrant[]): Verdict {
  const ids = verdict.lifted?.grants ?? [];
  return ids.length === 0 ? verdict : { ...verdict, liftedBy: held.filter(({ id }) => ids.includes(id)) };
}
