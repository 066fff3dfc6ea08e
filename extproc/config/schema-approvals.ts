import { z } from 'zod';
import { notify } from './schema-notify.ts';
import { milliseconds } from './units.ts';

/** Who approves what is said by policies; this is how long and how much is held for it. */
export const approvals = z.strictObject({
  holdMaxMs: milliseconds(
    1_000,
    280_000,
    240_000,
    'Longest time that a request is kept open while people are asked about it; then its client is told to send it again, and the same request waits on. Clients give up after 300 s.',
  ),
  ticketsMax: z.int().min(1).max(1_000_000).default(10_000).meta({
    description: 'Requests for an approval that wait or can still be used, at once; one more is refused.',
    unit: 'tickets',
  }),
  ticketsPerCallerMax: z.int().min(1).max(1_000_000).default(100).meta({
    description: 'The same of one caller on one connection.',
    unit: 'tickets',
  }),
  notify: notify.prefault({}),
});
