/** The lists of what people can allow for a time: `lists/access_requests` and `lists/break_glass`. */
import { z } from 'zod';
import { alwaysEnforced } from './observe-list.ts';

const patterns = z
  .array(
    z
      .string()
      .min(1)
      .regex(/^[^*]*\*?$/, 'must be a whole name, or a beginning with a * at its end'),
  )
  .min(1);

/** A month; what is needed for longer belongs into a list. */
const minutesMax = 31 * 24 * 60;
const quorum = z.int().min(1).max(10);
const minutes = z.int().min(1).max(minutesMax);

/** What can be asked for, by whom, and what giving it takes. */
const offer = z
  .strictObject({
    groups: z.array(z.string().min(1)).min(1).optional(),
    /** Who gives those groups, where it is not the provider at which people log in to the console. */
    issuer: z.string().min(1).optional(),
    connections: patterns.optional(),
    skills: patterns.optional(),
    models: patterns.optional(),
    /** Groups of whoever may give it, beside being listed for it; without it whoever is listed. */
    approvers: z.array(z.string().min(1).max(200)).max(100).optional(),
    quorum,
    open_minutes: minutes,
    grant_minutes: minutes,
  })
  .refine((entry) => ['connections', 'skills', 'models'].some((key) => Object.hasOwn(entry, key)), {
    error: 'must name connections, skills or models',
    when: ({ value }) => typeof value === 'object' && value !== null,
  });

export const accessRequestsList = z.strictObject({ rules: z.array(offer) });

/** Rules that no grant lifts, with the reason; the same as in `lib/grants/grants.rego`. */
export const neverLifted: Readonly<Record<string, string>> = {
  ...alwaysEnforced,
  'access/deny_list': 'who stands on it is out until somebody takes them off it',
};

const liftedRule = z.string().superRefine((name, context) => {
  const why = neverLifted[name];
  if (why !== undefined) context.addIssue(`${name} cannot be lifted: ${why}`);
  else if (name.startsWith('skilltape/')) context.addIssue(`${name} is a fault of the policy and cannot be lifted`);
  else if (name.startsWith('record/')) context.addIssue(`${name} refuses nothing, so it cannot be lifted`);
  else if (!/^(?:access|request)\/\w+$/.test(name)) context.addIssue('must be a rule such as request/budget');
});

export const breakGlassList = z.strictObject({
  lifts: z.array(liftedRule),
  /** How long it waits to be confirmed. */
  open_minutes: minutes,
  /** How long it is in force at the most; `grants.breakGlassMaxMs` of skilltape.yaml stands above it. */
  grant_minutes: minutes,
});
