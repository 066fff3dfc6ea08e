import { readFileSync } from 'node:fs';

/** Of skilltape, as its package says. */
export function version(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  return String((manifest as { version?: string }).version);
}
