import { z } from 'zod';
import { milliseconds } from './units.ts';

const hourMs = 3_600_000;

/** Who may ask for and give what is said by policies; this bounds how long and how much. */
export const grants = z.strictObject({
  accessMaxMs: milliseconds(
    60_000,
    31 * 24 * hourMs,
    7 * 24 * hourMs,
    'Longest time that access can be given for on request, whatever a policy says.',
  ),
  breakGlassMaxMs: milliseconds(
    60_000,
    24 * hourMs,
    hourMs,
    'Longest time that break-glass is in force, whatever a policy says.',
  ),
  grantsMax: z.int().min(1).max(10_000).default(1_000).meta({
    description: 'Requests for access that wait and grants in force, at once; one more is refused.',
    unit: 'grants',
  }),
  grantsPerPersonMax: z.int().min(1).max(100).default(20).meta({
    description: 'The same that one person asked for.',
    unit: 'grants',
  }),
});
