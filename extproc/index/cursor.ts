import { SkilltapeError } from '../errors.ts';

/** The place of one hit in the order of time and id; both belong to the document, so a rebuilt index keeps it. */
export type SearchPosition = { timeMs: number; id: string };

export function encodeCursor({ timeMs, id }: SearchPosition): string {
  return Buffer.from(`${timeMs}.${id}`).toString('base64url');
}

/** Throws SkilltapeError `usage` for a text that no page gave. */
export function decodeCursor(cursor: string): SearchPosition {
  const match = /^(-?\d{1,16})\.(.+)$/s.exec(Buffer.from(cursor, 'base64url').toString());
  if (match?.[1] === undefined || match[2] === undefined)
    throw new SkilltapeError('usage', 'the place to go on from is not one that a search gave', {
      remedy: 'copy it whole from the page before, or leave it out to begin with the newest',
    });
  return { timeMs: Number(match[1]), id: match[2] };
}
