import { isIP } from 'node:net';
import { z } from 'zod';
import { approvals } from './schema-approvals.ts';
import { archive } from './schema-archive.ts';
import { connections, envoy, identityProviders, refusals } from './schema-connections.ts';
import { consoleSection } from './schema-console.ts';
import { grants } from './schema-grants.ts';
import { index, masking } from './schema-index.ts';
import { keys, reveal } from './schema-keys.ts';
import { coverage, operations } from './schema-operations.ts';
import { policies } from './schema-policies.ts';
import { retention } from './schema-retention.ts';
import { bytes, GiB, MiB, milliseconds, path } from './units.ts';

/**
 * The shape of `skilltape.yaml`. Every key carries its `description`, and its `unit` where it is a quantity; the page
 * docs/configuration.md is generated from them. `derived` names a default that depends on another key.
 */
const tls = z.strictObject({
  certificateFile: path('Certificate chain of the listener, PEM.'),
  privateKeyFile: path('Private key of that certificate, PEM, readable by the processor alone.'),
  clientCaFile: path(
    'Certificate authority that signed the client certificate of Envoy, PEM; other clients are refused.',
  ),
});

const tcp = z.strictObject({
  address: z
    .string()
    .refine((text) => isIP(text) !== 0, 'must be an IP address such as 127.0.0.1 or ::1')
    .meta({ description: 'Address to listen on.', unit: 'IP address' }),
  port: z.int().min(1).max(65535).meta({ description: 'TCP port to listen on.' }),
  tls,
});

const listen = z
  .strictObject({
    socket: path(
      'Unix socket that Envoy connects to. Needs no TLS; the permissions of its folder guard it.',
    ).optional(),
    tcp: tcp.optional(),
  })
  .meta({
    description: 'Where Envoy reaches the processor: exactly one of `socket` and `tcp`.',
  });

const limits = z.strictObject({
  requestBodyMaxBytes: bytes(1, 64 * MiB, 'Largest request body that is taken; a larger one is refused.'),
  heldBodyMaxBytes: bytes(
    1,
    16 * MiB,
    'Memory for bodies that are held, all exchanges of a worker together: requests until their verdict, answers that are changed or searched for ids. What of a request finds no room is read back from the journal.',
  ),
  spooledBodyMaxBytes: bytes(
    1,
    2 * GiB,
    'Bytes of request bodies that are held in the journal alone, all exchanges of a worker together; beyond it requests are refused. They keep their part of the journal from being freed.',
  ),
  heldBodyPerCallerMaxBytes: bytes(
    1,
    512 * MiB,
    'Bytes of request bodies that are held of one caller, in memory and in the journal; beyond it that caller is refused.',
  ),
  decodedBodyMaxBytes: bytes(
    1,
    64 * MiB,
    'Largest size that an encoded body may decode to. A request beyond it is refused; an answer passes and is recorded, but not read.',
  ),
  decodedRatioMax: z.int().min(1).max(100_000).default(100).meta({
    description: 'The same as a multiple of the size that came; up to 1 MiB is always taken.',
    unit: 'times',
  }),
  requestFindingsMaxChars: z.int().min(1).max(64_000_000).default(1_000_000).meta({
    description:
      'How much of a request is searched for secrets and personal data where policies ask for it, the newest first; of a longer one they are told that the search is not complete.',
    unit: 'characters',
  }),
  openExchangesMax: z.int().min(1).max(1_000_000).default(4096).meta({
    description: 'Exchanges open at once in one worker; one more is refused.',
    unit: 'exchanges',
  }),
  openExchangesPerCallerMax: z.int().min(1).max(1_000_000).default(1024).meta({
    description:
      'Exchanges of one caller open at once, by verified identity or else by source address; one more is refused.',
    unit: 'exchanges',
  }),
});

const journal = z.strictObject({
  journalMaxBytes: bytes(
    4096,
    8 * GiB,
    'Disk space for the journals; each worker has an equal part. When it is used up, requests are refused.',
  ),
  segmentMaxBytes: bytes(4096, 64 * MiB, 'Size at which a segment file of the journal is closed and the next begun.'),
  maxAgeHours: z.int().min(1).max(8_760).default(24).meta({
    description:
      'How long what archive and index have stays in the journal as well, where there is room: so long after an erasure or the end of retention it can still be read there.',
    unit: 'hours',
  }),
  volumeRefuseAtPercent: z.int().min(50).max(100).default(90).meta({
    description:
      'How full a volume with journals or archive may be; from there on new requests are refused, until it is 2 percent points below. At least 3 more than `retention.diskBudgetPercent`: a sweep makes room.',
    unit: 'percent',
  }),
  syncIntervalMs: milliseconds(1, 1000, 50, 'Longest time a written chunk of an answer may wait for its sync to disk.'),
  keyFile: path('Key that seals the journal; made at the first start.')
    .optional()
    .meta({ derived: '<dataDirectory>/keys/journal.key' }),
});

/** More than there are processors in a large machine is a mistake. */
export const workersMax = 64;

const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const;

export const configSchema = z.strictObject({
  dataDirectory: path('Folder for the journal, its keys and the embedded index.'),
  listen,
  workers: z.int().min(1).max(workersMax).default(1).meta({
    description:
      'Processes that take streams, each at a place and with a journal of its own; with 1, one process does everything. Each place is an endpoint of the cluster in envoy.yaml, see envoy/README.md.',
    unit: 'processes',
  }),
  connections,
  identityProviders,
  envoy: envoy.optional(),
  refusals: refusals.prefault({}),
  limits: limits.prefault({}),
  decisionTimeoutMs: milliseconds(
    1,
    600_000,
    30_000,
    'Longest time that one step of a held request may take (reading, judging, recording); after it the request is refused.',
  ),
  journal: journal.prefault({}),
  archive: archive.prefault({}),
  index: index.prefault({}),
  masking: masking.prefault({}),
  policies: policies.prefault({}),
  approvals: approvals.prefault({}),
  console: consoleSection.optional(),
  grants: grants.prefault({}),
  usage: z
    .strictObject({
      pricesFile: path(
        'Price table for `skilltape usage`, see deploy/prices.yaml; without one no cost is shown.',
      ).optional(),
    })
    .prefault({}),
  keys: keys.prefault({}),
  reveal: reveal.prefault({}),
  retention: retention.prefault({}),
  coverage: coverage.prefault({}),
  drainMaxMs: milliseconds(0, 3_600_000, 30_000, 'Longest time a stopping processor waits for open exchanges to end.'),
  operations: operations.prefault({}),
  log: z
    .strictObject({
      level: z.enum(logLevels).default('info').meta({ description: 'Least severe level that is logged.' }),
    })
    .prefault({}),
});

/** The file as written, with defaults filled in: paths still relative, derived defaults still absent. */
export type WrittenConfig = z.output<typeof configSchema>;
