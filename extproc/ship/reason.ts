import { SkilltapeError } from '../errors.ts';

/**
 * Why something failed, for logs and reports. Messages of the runtime and of libraries may quote what they choked on,
 * so of those only the kind is said (inv. 6).
 */
export function reasonOf(thrown: unknown): string {
  if (thrown instanceof SkilltapeError && thrown.code !== 'internal') return thrown.message;
  return thrown instanceof Error ? thrown.name : typeof thrown;
}
