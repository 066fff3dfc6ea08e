import { join } from 'node:path';

/** Where the grants of a data directory are. */
export function grantsFile(dataDirectory: string): string {
  return join(dataDirectory, 'grants.sqlite');
}
