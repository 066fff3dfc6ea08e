/** What an operation of the API is given, and what it says. */
import type { FastifyRequest } from 'fastify';
import type { Person } from '../person.ts';
import { type Problem, problemOf } from './problem.ts';

/** Who calls. `isTrusted`: a POST of theirs was not sent by a page of somebody else. */
export type Caller = { person: Person; csrfToken: string | null; isTrusted: boolean };

/** What is answered: a document, or a problem. */
export type Answer = { ok: object } | { problem: Problem };

export type Handler = (request: FastifyRequest, caller: Caller) => Promise<Answer>;

export function problemAnswer(...problem: Parameters<typeof problemOf>): { problem: Problem } {
  return { problem: problemOf(...problem) };
}

export const unknownCursor =
  '`after` is no `next` of this list that this console gave you since it was started. Begin without it.';
