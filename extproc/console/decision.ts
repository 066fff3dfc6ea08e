/** What a form or a call of the API says when somebody decides. */
import { z } from 'zod';
import { usesMax } from '../approvals/ticket.ts';
import { scopeKinds } from '../exchange/approval-desk.ts';
import type { Wish } from './approvals.ts';

const minuteMs = 60_000;
/** A week, as policy may allow at the most. */
const minutesMax = 7 * 24 * 60;

export const reason = z
  .string({ error: 'Say why, in 1 to 500 characters.' })
  .trim()
  .min(1, 'Say why: a decision needs a reason.')
  .max(500, 'The reason is longer than 500 characters.')
  // Marks and characters that show nothing are no words, and policy counts them as characters.
  .regex(/[\p{L}\p{N}]/u, 'Say why in words.')
  .describe('Why; recorded with the decision, and told to whoever asked when it is a denial.');

const scope = z
  .enum(scopeKinds, { error: `The scope has to be one of ${scopeKinds.join(', ')}.` })
  .default('request')
  .describe('What the approval is good for, as far as policy offers it.');

function wholeNumber(name: string, max: number, byDefault: number, description: string) {
  const error = `The number of ${name} has to be a whole one from 1 to ${max}.`;
  return z.int({ error }).min(1, error).max(max, error).default(byDefault).describe(description);
}

export const decisionBody = z.discriminatedUnion('decision', [
  z.strictObject({
    decision: z.literal('approve'),
    reason,
    scope,
    uses: wholeNumber('requests', usesMax, 1, 'How many requests of a wider scope; this one alone is always one.'),
    minutes: wholeNumber('minutes', minutesMax, 30, 'How long it can be used; not longer than policy allows.'),
  }),
  z.strictObject({ decision: z.literal('deny'), reason }),
  z.strictObject({ decision: z.literal('revoke'), reason }),
]);

export function wishOf(body: z.output<typeof decisionBody>): Wish {
  if (body.decision !== 'approve') return { kind: body.decision, reason: body.reason };
  const { reason: why, scope: wanted, uses, minutes } = body;
  return { kind: 'approve', reason: why, scope: wanted, uses, forMs: minutes * minuteMs };
}

/** In our own words: what was typed is not repeated. */
export function faultsOf({ issues }: z.ZodError): string {
  return [...new Set(issues.map(({ message }) => message))].join(' ');
}
