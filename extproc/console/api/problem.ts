/** Errors of the API as application/problem+json (RFC 9457). */
import { STATUS_CODES } from 'node:http';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { sanitisedJson } from '../../terminal/sanitise.ts';
import { accessDocument, glassDocument } from './access-document.ts';
import { ticketDocument } from './ticket-document.ts';

const reasonDocument = z.strictObject({
  rule: z.string().describe('The rule of policy that denies.'),
  message: z.string(),
});

export const problemDocument = z.strictObject({
  type: z.string().describe('Names the kind of problem, as a URI.'),
  title: z.string(),
  status: z.int(),
  detail: z.string().describe('What is wrong in this case, for people.'),
  reasons: z.array(reasonDocument).optional().describe('Why policy denies it.'),
  approval: ticketDocument.optional().describe('What was decided before.'),
  accessRequest: accessDocument.optional().describe('The same, of a request for access.'),
  breakGlass: glassDocument.optional().describe('The same, of break-glass.'),
});

export type Problem = z.infer<typeof problemDocument>;

/** Nothing is served under it: it is a name (RFC 9457 section 3.1.1). */
const typePrefix = 'urn:skilltape:problem:';

const kinds: Readonly<Record<number, string>> = {
  400: 'malformed',
  401: 'not_authenticated',
  403: 'denied',
  404: 'not_found',
  409: 'decided_already',
  413: 'too_large',
  415: 'wrong_media_type',
  422: 'invalid',
  429: 'too_many',
  503: 'unavailable',
};

type ProblemMore = Pick<Problem, 'reasons' | 'approval' | 'accessRequest' | 'breakGlass'>;

export function problemOf(status: number, detail: string, more: ProblemMore = {}): Problem {
  const type = `${typePrefix}${kinds[status] ?? 'failed'}`;
  return { type, title: STATUS_CODES[status] ?? 'Error', status, detail, ...more };
}

export function problem(reply: FastifyReply, body: Problem): FastifyReply {
  return reply.code(body.status).type('application/problem+json').send(sanitisedJson(body));
}
