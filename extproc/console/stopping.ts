/** What a form or a call of the API says when somebody stops what runs, or lifts it. */
import { z } from 'zod';
import { reason } from './decision.ts';

/** As headers, records and Kibana have them; nothing in it acts on a page or a terminal. */
export const stoppedId = z
  .string({ error: 'Give the id.' })
  .trim()
  .regex(/^[A-Za-z0-9._:-]{1,128}$/, 'That is no id.');

export const stopBody = z.strictObject({
  kind: z
    .enum(['session', 'exchange'], { error: 'Say what is to be stopped: a session or an exchange.' })
    .describe('`session`: all that runs of it, and what comes of it until it is lifted. `exchange`: one that runs.'),
  id: stoppedId.describe('As x-skilltape-session or x-skilltape-exchange of an answer has it.'),
  reason,
});

export const liftBody = z.strictObject({ reason });

export const tooManyStopped =
  'As many sessions are stopped as can be. Lift those that need not be any more; a policy denies whom it lists without a bound.';
