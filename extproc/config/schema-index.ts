import { z } from 'zod';
import { baseUrlRule, bytes, isBaseUrl, MiB, milliseconds, path } from './units.ts';

/** A dash would make the indices of `tape-test` look like those of `tape`. */
const indexPrefixPattern = /^[a-z][a-z0-9_]{0,62}$/;

const elasticsearch = z.strictObject({
  nodes: z
    .array(z.string().max(2048).refine(isBaseUrl, baseUrlRule))
    .min(1)
    .max(64)
    .meta({ description: 'The nodes of the cluster, such as `https://es.example.com:9200`.', unit: 'URL' }),
  caFile: path(
    'Certificate authority that signed the certificates of the nodes, PEM; without it those of the system are trusted.',
  ).optional(),
  apiKeyFile: path('API key for shipping, as Elasticsearch encodes it.').optional(),
  usernameFile: path('User for shipping, in place of an API key; together with `passwordFile`.').optional(),
  passwordFile: path('Password of that user.').optional(),
  readApiKeyFile: path('API key for searching; without one the credential for shipping is used.').optional(),
  readUsernameFile: path('User for searching, in place of an API key; together with `readPasswordFile`.').optional(),
  readPasswordFile: path('Password of that user.').optional(),
  remaskApiKeyFile: path(
    'API key for `skilltape remask`, which reads and replaces documents; without one the credential for shipping is used.',
  ).optional(),
  remaskUsernameFile: path(
    'User for `skilltape remask`, in place of an API key; together with `remaskPasswordFile`.',
  ).optional(),
  remaskPasswordFile: path('Password of that user.').optional(),
  retentionApiKeyFile: path(
    'API key for `skilltape retention`, `hold` and `erase`, which read, reduce and delete documents; without one the credential for shipping is used.',
  ).optional(),
  retentionUsernameFile: path(
    'User for those commands, in place of an API key; together with `retentionPasswordFile`.',
  ).optional(),
  retentionPasswordFile: path('Password of that user.').optional(),
  prefix: z
    .string()
    .regex(indexPrefixPattern, 'must begin with a letter and hold 1 to 63 of the characters a-z, 0-9 and _')
    .default('skilltape')
    .meta({ description: 'Begin of the names of the indices: `<prefix>-<retention class>-2026.11.22`.' }),
  numberOfReplicas: z.int().min(0).max(10).default(1).meta({
    description: 'Copies of each index; 0 for a cluster of one node. Takes effect with `skilltape index setup`.',
    unit: 'copies',
  }),
  refreshIntervalMs: milliseconds(
    1_000,
    600_000,
    5_000,
    'Longest time until a stored exchange is found. Takes effect with `skilltape index setup`.',
  ),
  requestTimeoutMs: milliseconds(1_000, 600_000, 30_000, 'Longest time one request to the cluster may take.'),
});

/** What is searched. */
export const index = z.strictObject({
  kind: z.enum(['sqlite', 'elasticsearch']).default('sqlite').meta({
    description: 'What holds the searchable copy. SQLite is embedded and serves one node.',
  }),
  textMaxChars: z.int().min(1).max(10_000_000).default(100_000).meta({
    description:
      'Longest single text in the index; of a longer one head and tail are kept, and the document says so. At most 900,000 with Elasticsearch.',
    unit: 'characters',
  }),
  rememberedDays: z.int().min(1).max(36_500).default(365).meta({
    description:
      'How long shipping remembers what was indexed (keyed hashes, no content). A conversation that goes on after it is indexed whole once more, and is not linked to what came before.',
    unit: 'days',
  }),
  rejectsMaxBytes: bytes(
    64 * MiB,
    256 * MiB,
    'Size of the list of documents that the index refused (`skilltape rejects`); beyond it the oldest leave the list.',
  ),
  yieldMaxMs: milliseconds(
    0,
    60_000,
    10_000,
    'Longest time that an ended exchange waits for archive and index while a thread that answers Envoy is busy, see docs/operations.md; 0: shipping never gives way.',
  ),
  elasticsearch: elasticsearch.optional(),
});

const names = z.strictObject({
  url: z.string().max(2048).refine(isBaseUrl, baseUrlRule).meta({
    description:
      'Where a model that finds names in texts is asked; docs/masking.md has the contract. Its texts are not masked yet, secrets among them. Where it cannot be asked, or answers amiss, only metadata of the exchange can be read.',
    unit: 'URL',
  }),
  timeoutMs: milliseconds(1, 120_000, 10_000, 'Longest wait for the model, over all questions about one document.'),
  requestMaxChars: z.int().min(1_000).max(1_000_000).default(64_000).meta({
    description: 'Most text in one question; of a longer document several are asked.',
    unit: 'characters',
  }),
});

export const masking = z.strictObject({
  exchangeBudgetMs: milliseconds(
    1,
    600_000,
    30_000,
    'Longest processor time that the masking of one exchange may take, all documents of a batch together; beyond it only metadata of the exchange can be read, see `skilltape remask`.',
  ),
  names: names.optional(),
});
