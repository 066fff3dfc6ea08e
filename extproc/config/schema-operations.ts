/** The sections of `skilltape.yaml` by which operators watch it. */
import { isIP } from 'node:net';
import { z } from 'zod';
import { bytes, milliseconds, path } from './units.ts';

/** Nobody is asked who they are there: what it shows holds no content, no person and no secret. */
export const operations = z.strictObject({
  enabled: z.boolean().default(true).meta({
    description: 'Whether `/healthz`, `/readyz` and `/metrics` are served, over HTTP and to whoever can reach them.',
  }),
  address: z
    .string()
    .refine((text) => isIP(text) !== 0, 'must be an IP address such as 127.0.0.1 or ::1')
    .default('127.0.0.1')
    .meta({ description: 'Address to serve them on.', unit: 'IP address' }),
  port: z.int().min(0).max(65535).default(9464).meta({
    description:
      'TCP port to serve them on; each processor of a machine needs its own. 0: the system chooses, the log says.',
  }),
});

export const coverage = z.strictObject({
  accessLogFile: path(
    'Access log of Envoy, as the processor sees it; without it nothing is compared. See docs/coverage.md.',
  ).optional(),
  lagMaxMs: milliseconds(
    100,
    86_400_000,
    60_000,
    'How long record and log may be behind each other before what one of them lacks counts as missing. More than the flush interval of Envoy (10 s unless told otherwise).',
  ),
  lineMaxBytes: bytes(1024, 64 * 1024, 'Longest line of the log that is read; a longer one counts as unreadable.'),
  linesWaitingMax: z.int().min(1_000).max(10_000_000).default(100_000).meta({
    description: 'Lines that wait for their exchange to be shipped; at it the log is not read on.',
    unit: 'lines',
  }),
  gapsKeptMax: z.int().min(1).max(1_000_000).default(10_000).meta({
    description: 'Gaps of each kind that are kept for a look, the newest ones; counts have all.',
    unit: 'gaps',
  }),
  recordsPerMinute: z.int().min(0).max(100_000).default(60).meta({
    description:
      'Requests of one source in one minute that get a record of their own after Envoy refused them; one record counts the rest.',
    unit: 'records',
  }),
});
