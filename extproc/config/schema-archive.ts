/** The section of `skilltape.yaml` for the record that stays. */
import { z } from 'zod';
import { bytes, MiB, milliseconds, path } from './units.ts';

export const archive = z.strictObject({
  segmentMaxBytes: bytes(
    65_536,
    64 * MiB,
    'Size at which a segment file of the archive is ended and the next begun; also at the end of a day and at a stop.',
  ),
  checkpointIntervalMs: milliseconds(
    1_000,
    86_400_000,
    60_000,
    'Longest time between two signed checkpoints while exchanges come; what came after the last one can be cut off unseen.',
  ),
  checkpointFile: path(
    'File outside the data directory that every checkpoint is appended to; best on a disk or machine that whoever can change the archive cannot change.',
  ).optional(),
  checkpointsInIndex: z.boolean().optional().meta({
    description:
      'Whether every checkpoint is put into the index too, where it is added once and never changed; worth something where others look after the index than after this disk.',
    derived: 'true with Elasticsearch',
  }),
  signingKeyFile: path('Ed25519 key that signs checkpoints; made at the first start.')
    .optional()
    .meta({ derived: '<dataDirectory>/keys/archive-signing.key' }),
});
