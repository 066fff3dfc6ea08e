import { join } from 'node:path';

/** Where what has to be told waits. */
export function noticesFile(dataDirectory: string): string {
  return join(dataDirectory, 'notices.sqlite');
}
