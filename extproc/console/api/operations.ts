/** What the API can do: the one list of which both its routes and its OpenAPI document are made. */
import { z } from 'zod';
import { accessDecisionBody, askingBody, glassBody } from '../asking.ts';
import { decisionBody } from '../decision.ts';
import { cursorPattern } from '../pages/ids.ts';
import { liftBody, stopBody, stoppedId } from '../stopping.ts';
import { accessDocument, glassDocument } from './access-document.ts';
import { problemDocument } from './problem.ts';
import { stopDocument, stopListDocument } from './stop-document.ts';
import { ticketDocument } from './ticket-document.ts';

export const apiPrefix = '/api/v1';

const ticketId = z
  .string()
  .regex(/^[A-Za-z0-9-]{1,64}$/, 'is no id of a ticket')
  .describe('Id of the ticket, such as t-teqkx5-6f0a4c2f81.');

const accessRequestId = z
  .string()
  .regex(/^[A-Za-z0-9-]{1,64}$/, 'is no id of a request for access')
  .describe('Id of the request for access, such as g-teqkx5-6f0a4c2f81.');

const glassId = accessRequestId.describe('Id of the break-glass, such as g-teqkx5-6f0a4c2f81.');

const limitMax = 100;

/** What a query says is text. */
const limit = z
  .string()
  .regex(/^\d{1,3}$/)
  .transform(Number)
  .refine((value) => value >= 1 && value <= limitMax, `has to be from 1 to ${limitMax}`)
  .default(limitMax)
  .describe(`Most of one answer, 1 to ${limitMax}.`);

const cursor = z
  .string()
  .regex(cursorPattern, 'is no cursor of a list')
  .optional()
  .describe('`next` of the answer before: for you, this list and this console until it is started anew.');

export const listQuery = z.strictObject({
  state: z
    .enum(['live', 'all'])
    .default('live')
    .describe('`live`: those that wait or can still be used, the oldest first. `all`: the newest first.'),
  limit,
  after: cursor,
});

export const accessListQuery = z.strictObject({
  whose: z
    .enum(['any', 'own'])
    .default('any')
    .describe('`any`: what you may see. `own`: what is for you, the newest first.'),
  state: z
    .enum(['live', 'all'])
    .default('live')
    .describe('`live`: what waits or is in force, the oldest first. `all`: the newest first.'),
  limit,
  after: cursor,
});

export const accessListDocument = z.strictObject({
  accessRequests: z.array(accessDocument),
  next: z.string().nullable().describe('Give it as `after` for what comes next; null: that was all.'),
});

export const glassListDocument = z.strictObject({
  breakGlass: z.array(glassDocument),
  next: z.string().nullable().describe('Give it as `after` for what comes next; null: that was all.'),
});

export const listDocument = z.strictObject({
  approvals: z.array(ticketDocument),
  next: z.string().nullable().describe('Give it as `after` for what comes next; null: that was all.'),
});

export const meDocument = z.strictObject({
  issuer: z.string(),
  subject: z.string(),
  name: z.string(),
  groups: z.array(z.string()),
  csrfToken: z.string().nullable().describe('For `x-csrf-token` of a POST that is sent with the cookie of a session.'),
});

/** By name, as the OpenAPI document refers to them. */
export const schemas = {
  AccessAsking: askingBody,
  AccessDecision: accessDecisionBody,
  AccessRequest: accessDocument,
  AccessRequestList: accessListDocument,
  Approval: ticketDocument,
  ApprovalList: listDocument,
  BreakGlass: glassDocument,
  BreakGlassBegin: glassBody,
  BreakGlassList: glassListDocument,
  Decision: decisionBody,
  Lift: liftBody,
  Me: meDocument,
  Problem: problemDocument,
  Stop: stopDocument,
  StopList: stopListDocument,
  StopWish: stopBody,
} as const;

export type SchemaName = keyof typeof schemas;

/**
 * @property path below the prefix, with `{ticket}`, `{accessRequest}`, `{breakGlass}` or `{session}` for a parameter
 * @property problems statuses beside those that every operation may have
 */
export type Operation = {
  id:
    | 'getMe'
    | 'listApprovals'
    | 'getApproval'
    | 'decideApproval'
    | 'listAccessRequests'
    | 'askForAccess'
    | 'getAccessRequest'
    | 'decideAccessRequest'
    | 'listBreakGlass'
    | 'beginBreakGlass'
    | 'getBreakGlass'
    | 'decideBreakGlass'
    | 'listStops'
    | 'makeStop'
    | 'liftSession'
    | 'getOpenApi';
  method: 'GET' | 'POST';
  path: string;
  summary: string;
  query?: typeof listQuery | typeof accessListQuery;
  body?: 'Decision' | 'AccessAsking' | 'AccessDecision' | 'BreakGlassBegin' | 'StopWish' | 'Lift';
  answer: SchemaName | null;
  problems: readonly number[];
  isOpen?: true;
};

/** By the name that a path has. */
export const pathParameters: Readonly<Record<string, z.ZodType>> = {
  ticket: ticketId,
  accessRequest: accessRequestId,
  breakGlass: glassId,
  session: stoppedId.describe('Id of the session, as x-skilltape-session has it.'),
};

export const operations: readonly Operation[] = [
  {
    ...{ id: 'getMe', method: 'GET', path: '/me', answer: 'Me', problems: [] },
    summary: 'Who you are here.',
  },
  {
    ...{ id: 'listApprovals', method: 'GET', path: '/approvals', answer: 'ApprovalList', problems: [422] },
    summary: 'The held requests that you may see.',
    query: listQuery,
  },
  {
    ...{ id: 'getApproval', method: 'GET', path: '/approvals/{ticket}', answer: 'Approval', problems: [404] },
    summary: 'One held request with everything that happened to it.',
  },
  {
    ...{ id: 'decideApproval', method: 'POST', path: '/approvals/{ticket}/decisions', answer: 'Approval' },
    summary: 'Approve it, deny it, or take an approval back.',
    body: 'Decision',
    problems: [400, 403, 404, 409, 413, 415, 422],
  },
  {
    ...{ id: 'listAccessRequests', method: 'GET', path: '/access-requests', answer: 'AccessRequestList' },
    summary: 'Your own requests for access, and those of others about which policy lets you decide.',
    query: accessListQuery,
    problems: [422],
  },
  {
    ...{ id: 'askForAccess', method: 'POST', path: '/access-requests', answer: 'AccessRequest' },
    summary: 'Ask for access for yourself. What you ask for again while it is open is the same request.',
    body: 'AccessAsking',
    problems: [400, 403, 413, 415, 422],
  },
  {
    ...{ id: 'getAccessRequest', method: 'GET', path: '/access-requests/{accessRequest}', answer: 'AccessRequest' },
    summary: 'One request for access with everything that happened to it.',
    problems: [404],
  },
  {
    ...{ id: 'decideAccessRequest', method: 'POST', path: '/access-requests/{accessRequest}/decisions' },
    ...{ answer: 'AccessRequest', body: 'AccessDecision' },
    summary: 'Approve it, deny it, or take access back at once.',
    problems: [400, 403, 404, 409, 413, 415, 422],
  },
  {
    ...{ id: 'listBreakGlass', method: 'GET', path: '/break-glass', answer: 'BreakGlassList', problems: [422] },
    summary: 'Break-glass that you could take back.',
    query: listQuery,
  },
  {
    ...{ id: 'beginBreakGlass', method: 'POST', path: '/break-glass', answer: 'BreakGlass', body: 'BreakGlassBegin' },
    summary: 'Begin break-glass. Nothing is lifted until somebody else has approved it.',
    problems: [400, 403, 413, 415, 422],
  },
  {
    ...{ id: 'getBreakGlass', method: 'GET', path: '/break-glass/{breakGlass}', answer: 'BreakGlass', problems: [404] },
    summary: 'One break-glass with everything that happened to it.',
  },
  {
    ...{ id: 'decideBreakGlass', method: 'POST', path: '/break-glass/{breakGlass}/decisions', answer: 'BreakGlass' },
    summary: 'Approve it as the second of two people, deny it, or take it back at once.',
    body: 'AccessDecision',
    problems: [400, 403, 404, 409, 413, 415, 422],
  },
  {
    ...{ id: 'listStops', method: 'GET', path: '/stops', answer: 'StopList', problems: [403] },
    summary: 'The sessions that are stopped, and what was stopped lately with which exchanges that ended.',
  },
  {
    ...{ id: 'makeStop', method: 'POST', path: '/stops', answer: 'Stop', body: 'StopWish' },
    summary: 'Stop a session or a running exchange now.',
    problems: [400, 403, 413, 415, 422],
  },
  {
    ...{ id: 'liftSession', method: 'POST', path: '/stopped-sessions/{session}/lifts', answer: 'Stop', body: 'Lift' },
    summary: 'Take requests of a stopped session again. The answer says who lifted it, why and when.',
    problems: [400, 403, 404, 409, 413, 415, 422],
  },
  {
    ...{ id: 'getOpenApi', method: 'GET', path: '/openapi.json', answer: null, problems: [], isOpen: true },
    summary: 'This document.',
  },
];
