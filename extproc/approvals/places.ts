import { join } from 'node:path';

/** Where the tickets of a data directory are. */
export function ticketsFile(dataDirectory: string): string {
  return join(dataDirectory, 'approvals.sqlite');
}
