/** Access that somebody asked for, and break-glass, as the API gives them. */
import { z } from 'zod';
import { type Actor, eventsForAsker, type ForAsker } from '../../grants/grant.ts';
import type { Grant } from '../../grants/grants.ts';

const text = z.string();
const time = z.iso.datetime().describe('RFC 3339, UTC.');
const count = z.int().min(0);
const minuteMs = 60_000;

const actorDocument = z.strictObject({
  name: text.describe('For people; proves nothing.'),
  issuer: text.optional(),
  subject: text.optional(),
});

const eventDocument = z.strictObject({
  kind: z.enum(['asked', 'approved', 'granted', 'denied', 'revoked', 'expired']),
  at: time,
  by: actorDocument.optional(),
  reason: text.optional(),
  minutes: count.optional().describe('For how long this one approves it.'),
  until: time.optional(),
});

export const accessDocument = z.strictObject({
  id: text,
  state: z.enum(['pending', 'in_force', 'denied', 'expired', 'revoked']),
  askedAt: time,
  until: time.nullable().describe('When it ends by itself; null: it has ended.'),
  person: z
    .strictObject({ issuer: text, subject: text, name: text, email: text })
    .nullable()
    .describe('Whom it is for.'),
  connection: text.nullable().describe('null: each connection.'),
  skill: text.nullable().describe('With neither skill nor model the connection itself is meant.'),
  model: text.nullable(),
  minutes: count.describe('How long it was asked for.'),
  grantMaxMinutes: count.describe('The longest time that policy lets it be given for.'),
  approvals: count.describe('How many have approved, of `quorum`.'),
  quorum: count,
  approvers: z.array(z.array(text)).describe('Whoever decides is in a group of each of these lists.'),
  givenBy: z.array(actorDocument).describe('Who approved it.'),
  events: z.array(eventDocument).describe('Everything that happened, in order.'),
});

/** The thing is always a connection, or each of them; null for `person` is everybody with a valid token. */
export const glassDocument = accessDocument.omit({ skill: true, model: true });

export type AccessDocument = z.infer<typeof accessDocument>;

/** Whoever asked sees it too: where approvers logged in from stays in the record. */
export function accessDocumentOf({ id, askedMs, wanted, terms, events, state }: Grant): AccessDocument {
  const { holder, connection, skill, model, forMs } = wanted;
  const givenBy = events.flatMap((event) => (event.kind === 'approved' ? [byOf(event.by)] : []));
  return {
    ...{ id, state: state.kind, askedAt: timeOf(askedMs), connection, skill, model, givenBy },
    until: state.kind === 'pending' || state.kind === 'in_force' ? timeOf(state.untilMs) : null,
    person: holder && { issuer: holder.issuer, subject: holder.subject, name: holder.name, email: holder.email },
    ...{ minutes: Math.ceil(forMs / minuteMs), grantMaxMinutes: Math.floor(terms.grantMaxMs / minuteMs) },
    ...{ approvals: givenBy.length, quorum: terms.quorum, approvers: terms.approvers.map((groups) => [...groups]) },
    events: eventsForAsker(events).map(eventOf),
  };
}

export function glassDocumentOf(grant: Grant): z.infer<typeof glassDocument> {
  const { skill: _skill, model: _model, ...document } = accessDocumentOf(grant);
  return document;
}

function eventOf(event: ForAsker): AccessDocument['events'][number] {
  return {
    ...{ kind: event.kind, at: timeOf(event.timeMs) },
    ...('by' in event && { by: byOf(event.by), reason: event.reason }),
    ...('forMs' in event && { minutes: Math.ceil(event.forMs / minuteMs) }),
    ...('untilMs' in event && { until: timeOf(event.untilMs) }),
  };
}

function byOf({ name, person }: Actor): z.infer<typeof actorDocument> {
  return person === null ? { name } : { name, issuer: person.issuer, subject: person.subject };
}

function timeOf(ms: number): string {
  return new Date(ms).toISOString();
}
