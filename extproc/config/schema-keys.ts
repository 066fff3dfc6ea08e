/** The sections of `skilltape.yaml` about the keys of people, and the values that can be turned back with them. */
import { isAbsolute } from 'node:path';
import { z } from 'zod';
import { bytes, MiB, milliseconds, path } from './units.ts';

/** A token must not go over a wire that others read. */
function isPrivateAddress(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, pathname, search } = new URL(text);
  const isHere = ['127.0.0.1', '[::1]', 'localhost'].includes(hostname);
  return (protocol === 'https:' || (protocol === 'http:' && isHere)) && pathname === '/' && search === '';
}

const name = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/, 'must be 1 to 64 letters, digits, _, . and -');

export const transit = z.strictObject({
  address: z
    .string()
    .refine(isPrivateAddress, 'must be https://host:port without a path; http only to this machine')
    .transform((text) => text.replace(/\/$/, ''))
    .meta({
      description:
        'A service for keys that has the master in place of a file, spoken to as the Transit engine of HashiCorp Vault. Whoever reads asks it; recording never does.',
    }),
  mount: name.default('transit').meta({ description: 'Where the engine is mounted there.' }),
  key: name.default('skilltape').meta({ description: 'Name of the key there; it is never deleted.' }),
  tokenFile: path('Token for it, mode 600, read for each request; it needs encrypt and decrypt of that key.'),
  timeoutMs: milliseconds(100, 60_000, 5_000, 'Longest time of one request to it.'),
});

export const command = z.strictObject({
  argv: z
    .array(
      z
        .string()
        .max(4_096)
        .refine((text) => !text.includes('\0'), 'must not contain a NUL character'),
    )
    .min(1)
    .max(64)
    .refine(([program = '']) => isAbsolute(program), 'must begin with the absolute path of a program')
    .meta({
      description:
        'A program that speaks to a service for keys that has the master in place of a file, with its arguments; started without a shell. Whoever reads starts it; recording never does.',
    }),
  passEnvironment: z
    .array(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,127}$/, 'must be the name of a variable'))
    .max(64)
    .default([])
    .meta({ description: 'Variables that it is given besides PATH, HOME, LANG and TZ.' }),
  timeoutMs: milliseconds(100, 120_000, 15_000, 'Longest time of one run of it; it is killed then.'),
});

export const keys = z
  .strictObject({
    transit: transit.optional(),
    command: command.optional(),
    backupMaxAgeDays: z.int().min(1).max(3_650).default(30).meta({
      description:
        'Age from which `skilltape keys restore` refuses a backup: with an older one, people who were erased meanwhile could be read again.',
      unit: 'days',
    }),
  })
  .refine((one) => one.transit === undefined || one.command === undefined, {
    path: ['command'],
    message: 'stands beside keys.transit: one service has the master',
  });

export const reveal = z.strictObject({
  keptDays: z.int().min(0).max(3_650).default(30).meta({
    description:
      'How long the values behind tokens are kept, sealed to the people whom they are of, for `skilltape reveal`. 0: none are kept.',
    unit: 'days',
  }),
  maxBytes: bytes(4 * MiB, 256 * MiB, 'Size of those sealed values; beyond it the oldest go.'),
});
