import { join } from 'node:path';

/** Where it stands what operators stopped in a data directory. */
export function stopsFile(dataDirectory: string): string {
  return join(dataDirectory, 'stops.sqlite');
}
