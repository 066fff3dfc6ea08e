import { z } from 'zod';
import { notify } from './schema-notify.ts';
import { bytes, MiB, milliseconds, path } from './units.ts';

/** For connections with `streamHolds`. */
const streamed = z.strictObject({
  releaseSocket: path(
    'Unix socket on which Envoy takes released requests and adds the credential; Envoy makes it, for its own user alone. Needed where a connection has `streamHolds`.',
  ).optional(),
  maxMs: milliseconds(
    1_000,
    10_800_000,
    3_600_000,
    'Longest time that an answer is kept open with comments while people are asked; then it ends with an error that names the ticket.',
  ),
  commentIntervalMs: milliseconds(
    100,
    120_000,
    12_000,
    'How often a comment is sent meanwhile. Clients and Envoy give up after minutes of silence.',
  ),
  holdsMax: z.int().min(1).max(100_000).default(2_000).meta({
    description: 'Held requests whose answers are open at once, in one worker; one more is held in silence.',
    unit: 'requests',
  }),
  heldMaxBytes: bytes(
    1,
    512 * MiB,
    'Bytes of the bodies of those requests, in memory and in the journal, all of a worker together; one more is held in silence.',
  ),
  answerMaxBytes: bytes(
    1,
    64 * MiB,
    'Largest answer that follows a held request; a larger one is cut. Nothing slows it down for a client that does not read, so Envoy may hold as much of each.',
  ),
});

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
  streamed: streamed.prefault({}),
});
