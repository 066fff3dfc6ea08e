/** The sections of `skilltape.yaml` about the keys of people, and the values that can be turned back with them. */
import { z } from 'zod';
import { bytes, MiB } from './units.ts';

export const keys = z.strictObject({
  backupMaxAgeDays: z.int().min(1).max(3_650).default(30).meta({
    description:
      'Age from which `skilltape keys restore` refuses a backup: with an older one, people who were erased meanwhile could be read again.',
    unit: 'days',
  }),
});

export const reveal = z.strictObject({
  keptDays: z.int().min(0).max(3_650).default(30).meta({
    description:
      'How long the values behind tokens are kept, sealed to the people whom they are of, for `skilltape reveal`. 0: none are kept.',
    unit: 'days',
  }),
  maxBytes: bytes(4 * MiB, 256 * MiB, 'Size of those sealed values; beyond it the oldest go.'),
});
