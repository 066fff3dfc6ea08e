import type { Look } from './look-log.ts';

/** `persons` are the pseudonyms of the people whose values are asked for, `values` how many are asked for. */
export type RevealAttempt = { uid: number; persons: readonly string[]; values: number };

/** Values that were shown in the last hour: to this operator, and of these people by whomever (the most of one of them). */
export type LastHour = { operatorValues: number; personValues: number };

/** `look` is recorded whether or not something is shown. */
export type RevealVerdict = { isShown: boolean; look: Look };

/**
 * The record of what was revealed. `attempt` asks `decide` with the counts as they are at that moment, nobody else counting
 * meanwhile, and returns what it said once the look is on disk. Throws SkilltapeError `look_failed`; nothing may be shown then.
 */
export type RevealLog = {
  attempt<V extends RevealVerdict>(attempt: RevealAttempt, decide: (lastHour: LastHour) => V): V;
};
