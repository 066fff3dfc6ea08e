/** What a form or a call of the API says when somebody asks for access or begins break-glass, or decides about either. */
import { z } from 'zod';
import type { AccessDecision, AccessWish, GlassWish } from './access.ts';
import { reason } from './decision.ts';

const minuteMs = 60_000;
/** A month, as the configuration may allow at the most. */
const minutesMax = 31 * 24 * 60;
const nameMaxChars = 256;

function name(what: string, description: string) {
  const error = `The name of the ${what} has to have 1 to ${nameMaxChars} characters.`;
  return z.string({ error }).trim().min(1, error).max(nameMaxChars, error).optional().describe(description);
}

const minutesError = `The number of minutes has to be a whole one from 1 to ${minutesMax}.`;
const minutes = z.int({ error: minutesError }).min(1, minutesError).max(minutesMax, minutesError);

/** A person asks for themselves alone: the body names nobody. What two fields say together, the OpenAPI document does not tell. */
export const askingBody = z
  .strictObject({
    connection: name('connection', 'The connection itself; with a skill or a model: there alone.'),
    skill: name('skill', 'A skill, by its id.'),
    model: name('model', 'A model, by its whole name.'),
    minutes: minutes.describe('How long; not longer than policy allows.'),
    reason,
  })
  .refine(
    ({ skill, model }) => skill === undefined || model === undefined,
    'Ask for a skill and a model each by itself.',
  )
  .refine(
    ({ connection, skill, model }) => (connection ?? skill ?? model) !== undefined,
    'Say what you ask for: a connection, a skill or a model.',
  );

function personName(what: string, maxChars: number) {
  const error = `The ${what} has to have 1 to ${maxChars} characters.`;
  return z.string({ error }).trim().min(1, error).max(maxChars, error);
}

const everywhereError = 'Name the connection, or null for each of them.';

/** Nothing is meant by leaving it out: what is lifted for everybody, or everywhere, is said so. */
export const glassBody = z.strictObject({
  connection: z
    .string({ error: everywhereError })
    .trim()
    .min(1, everywhereError)
    .max(nameMaxChars, everywhereError)
    .nullable()
    .describe('On which connection; null: on each.'),
  person: z
    .strictObject(
      { issuer: personName('issuer', 2_048), subject: personName('subject', nameMaxChars) },
      'Name the person by the issuer and the subject of their tokens, or null for everybody.',
    )
    .nullable()
    .describe('For whom, as their tokens name them; null: for everybody with a valid token.'),
  minutes: minutes.describe('How long; not longer than policy allows.'),
  reason,
});

export function glassWishOf({ connection, person, ...body }: z.output<typeof glassBody>): GlassWish {
  return { connection, holder: person, forMs: body.minutes * minuteMs, reason: body.reason };
}

export const accessDecisionBody = z.discriminatedUnion('decision', [
  z.strictObject({
    decision: z.literal('approve'),
    reason,
    minutes: minutes.optional().describe('A shorter time than was asked for.'),
  }),
  z.strictObject({ decision: z.literal('deny'), reason }),
  z.strictObject({ decision: z.literal('revoke'), reason }),
]);

export function accessWishOf({ connection, skill, model, ...body }: z.output<typeof askingBody>): AccessWish {
  const thing = { connection: connection ?? null, skill: skill ?? null, model: model ?? null };
  return { thing, forMs: body.minutes * minuteMs, reason: body.reason };
}

export function accessDecisionOf(body: z.output<typeof accessDecisionBody>): AccessDecision {
  const { decision: kind, reason: why } = body;
  if (body.decision !== 'approve' || body.minutes === undefined) return { kind, reason: why };
  return { kind, reason: why, forMs: body.minutes * minuteMs };
}
