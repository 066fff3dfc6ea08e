import type { Logger } from 'pino';
import { pino } from 'pino';

/**
 * Structured log on standard error. It takes ids, codes, counts and our own words only: what a caller or an upstream
 * wrote has no field here (inv. 6). `err` gives type, message and stack of our errors.
 */
export function createLog(level: string): Logger {
  return pino({ level, base: { service: 'skilltape' } }, pino.destination({ fd: 2, sync: false }));
}
