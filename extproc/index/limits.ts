/** What both indices refuse in the same words, and how much they hold in memory at once. */
import { SkilltapeError } from '../errors.ts';
import { searchLimitDefault, searchLimitMax, type UsageKey, usageKeys } from './port.ts';

/** A person reads far fewer. */
export const usageRowsMax = 100_000;

/** Throws SkilltapeError `usage`. */
export function checkedLimit(limit: number = searchLimitDefault): number {
  if (Number.isInteger(limit) && limit >= 1 && limit <= searchLimitMax) return limit;
  throw new SkilltapeError('usage', `the limit must be a whole number from 1 to ${searchLimitMax}`);
}

/** Throws SkilltapeError `usage`. */
export function checkUsageKeys(by: readonly UsageKey[]): void {
  const isWhole = by.length > 0 && new Set(by).size === by.length && by.every((key) => usageKeys.includes(key));
  if (isWhole) return;
  throw new SkilltapeError('usage', 'the sums need keys to group by, each once', {
    remedy: `group by some of ${usageKeys.join(', ')}`,
  });
}

export function tooManyUsageRows(): SkilltapeError {
  return new SkilltapeError('usage', `the sums have more than ${usageRowsMax} rows`, {
    remedy: 'ask for a shorter time, or group by fewer keys',
  });
}
