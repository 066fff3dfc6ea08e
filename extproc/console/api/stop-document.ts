/** What was stopped, as the API gives it. */
import { z } from 'zod';
import type { StoppedBy, StopTarget } from '../../stops/stops.ts';
import type { Incident } from '../incidents.ts';

const text = z.string();
const time = z.iso.datetime().describe('RFC 3339, UTC.');

const byDocument = z
  .strictObject({
    name: text.describe('For people; proves nothing.'),
    issuer: text.optional(),
    subject: text.optional(),
  })
  .describe('A person by their token, or the name of an account of the machine.');

/** One that was recorded just now. */
export const stopDocument = z.strictObject({
  kind: z.enum(['session', 'exchange']),
  id: text,
  by: byDocument,
  reason: text.describe('Masked.'),
  at: time,
});

export const stopListDocument = z.strictObject({
  stoppedSessions: z
    .array(stopDocument)
    .describe('Those whose requests are refused now, the newest first, at most 100.'),
  recent: z
    .array(stopDocument.extend({ ended: z.array(text).describe('The exchanges that it ended.') }))
    .describe('What was stopped lately, also what was lifted since, the newest first, at most 100.'),
});

type Stopped = { by: StoppedBy; reason: string; timeMs: number };

export function stopDocumentOf(
  { kind, id }: StopTarget,
  { by, reason, timeMs }: Stopped,
): z.infer<typeof stopDocument> {
  return { kind, id, by: byOf(by), reason, at: new Date(timeMs).toISOString() };
}

export function stopListOf({ stopped, recent }: Incident): z.infer<typeof stopListDocument> {
  return {
    stoppedSessions: stopped.map((one) => stopDocumentOf({ kind: 'session', id: one.session }, one)),
    recent: recent.map((one) => ({ ...stopDocumentOf(one.target, one), ended: one.ended })),
  };
}

/** Where people came from stays in the record. */
function byOf(by: StoppedBy): z.infer<typeof byDocument> {
  if ('osUser' in by) return { name: by.osUser };
  return { name: by.name, issuer: by.issuer, subject: by.subject };
}
