/** Ids of tickets and grants, and cursors of their lists, as links and forms name them. */
import type { FastifyRequest } from 'fastify';

export const idPattern = /^[A-Za-z0-9-]{1,64}$/;

/** What a list goes on behind, as `VisiblePages` seals it. */
export const cursorPattern = /^[A-Za-z0-9_-]{1,256}$/;

/** Of a parameter of the path; null where it is none. */
export function idIn({ params }: FastifyRequest, name: string): string | null {
  const id = (params as Record<string, string>)[name] ?? '';
  return idPattern.test(id) ? id : null;
}
