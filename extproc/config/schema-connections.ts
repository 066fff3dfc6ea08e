/** The sections of `skilltape.yaml` that say where requests go and who may send them; `skilltape envoy render` reads them. */
import { isIP } from 'node:net';
import { z } from 'zod';
import { baseUrlRule, isBaseUrl, milliseconds, path } from './units.ts';

/** Reading a claim path such as `realm.__proto__` would leave the token's payload. */
const forbiddenClaimSegments = new Set(['__proto__', 'constructor', 'prototype']);

const namePattern = /^[a-z0-9-]{1,63}$/;

function isClaimPath(text: string): boolean {
  return text.split('.').every((segment) => segment !== '' && !forbiddenClaimSegments.has(segment));
}

function claim(byDefault: string, description: string) {
  return z
    .string()
    .min(1)
    .max(256)
    .refine(isClaimPath, 'must name a claim; a dotted path such as `realm_access.roles` reaches a nested one')
    .default(byDefault)
    .meta({ description });
}

const hostPattern = /^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/;

/** A DNS name or an IP address. It stands in Envoy's configuration, so it has no room for anything else. */
function host(description: string) {
  return z
    .string()
    .refine((text) => isIP(text) !== 0 || hostPattern.test(text), 'must be a host name in lower case or an IP address')
    .meta({ description });
}

const upstream = z.strictObject({
  host: host('Where Envoy reaches the upstream, over TLS.'),
  port: z.int().min(1).max(65535).default(443).meta({ description: 'Its TCP port.' }),
  serverName: host('Name that is asked for (SNI), that its certificate must have (SAN), and that is sent as `host`.')
    .optional()
    .meta({ derived: '<upstream.host>' }),
  caFile: path('Authorities that may vouch for it, PEM, as Envoy sees the file.')
    .optional()
    .meta({ derived: '<envoy.caFile>' }),
});

/** `/`, or names with a slash before each and none behind: what Envoy takes off is exactly this. */
const routePrefixPattern = /^\/$|^(?:\/[a-z0-9][a-z0-9_-]*){1,8}$/;

/** Printable and without a percent sign, which begins a command in a header that Envoy sets. */
const pinnedValuePattern = /^[\x21-\x24\x26-\x7e]{1,256}$/;

function pinned(header: string) {
  return z
    .string()
    .regex(pinnedValuePattern, 'must be 1 to 256 printable characters without spaces and %')
    .optional()
    .meta({
      description: `The value of \`${header}\` on each request to this upstream, whatever the caller sends; without it the caller's passes.`,
    });
}

const connectionLimits = z.strictObject({
  requestBodyMaxBytes: ownLimit('requestBodyMaxBytes', 'bytes'),
  heldBodyPerCallerMaxBytes: ownLimit('heldBodyPerCallerMaxBytes', 'bytes'),
  openExchangesPerCallerMax: ownLimit('openExchangesPerCallerMax', 'exchanges'),
});

function ownLimit(name: string, unit: string) {
  return z
    .int()
    .min(1)
    .max(2 ** 50)
    .optional()
    .meta({ description: `The same as \`limits.${name}\` for this connection, at most that.`, unit })
    .meta({ derived: `<limits.${name}>` });
}

/** It is in each input document and so in each record. */
export const policyDataMaxBytes = 4096;

/** API versions, each with its way of carrying a credential. */
export const dialects = ['2023-06-01', '2026-10-21'] as const;

const connection = z.strictObject({
  identityProviders: z
    .array(z.string().min(1).max(63))
    .min(1)
    .max(16)
    .meta({ description: 'The entries of `identityProviders` whose tokens count on this connection.' }),
  upstream: upstream.optional(),
  routePrefix: z
    .string()
    .max(256)
    .regex(routePrefixPattern, 'must be / or names such as /research, each with a slash before it and none behind')
    .optional()
    .meta({
      description:
        'Paths of the gateway that are this connection; `/` takes what no other does. Upstream it is taken off.',
      derived: '/<name>',
    }),
  dialect: z.enum(dialects).default('2023-06-01').meta({
    description:
      'API version whose way of carrying a credential the upstream takes: `x-api-key` in `2023-06-01`, `authorization: Bearer` in `2026-10-21`. Callers may speak either.',
  }),
  credentialFile: path(
    'Envoy secret (SDS) with the credential, as Envoy sees the file; the processor never reads it. The secret has the name of the file without its ending.',
  )
    .optional()
    .meta({ derived: '<envoy.sdsDirectory>/<name>_credential.yaml' }),
  workspaceId: pinned('anthropic-workspace-id'),
  userProfileId: pinned('anthropic-user-profile-id'),
  recording: z.enum(['full', 'metadata']).default('full').meta({
    description:
      'What of its exchanges can be read and searched, unless a policy keeps less: all, or the metadata alone. The sealed record is always whole.',
  }),
  limits: connectionLimits.prefault({}),
  policyData: z
    .record(z.string(), z.unknown())
    .refine((data) => Buffer.byteLength(JSON.stringify(data)) <= policyDataMaxBytes, {
      message: `must be at most ${policyDataMaxBytes} bytes of JSON`,
    })
    .default({})
    .meta({ description: 'A section of your own that policies see as `input.connection.data`.' }),
  streamHolds: z.boolean().default(false).meta({
    description:
      'Whether the answer to a held streaming request begins at once, with comments until people decided; its status is then 200, whatever comes. Needs `approvals.streamed.releaseSocket`.',
  }),
  publicUrl: z
    .string()
    .max(2048)
    .refine(isBaseUrl, baseUrlRule)
    .meta({
      description: 'Base URL by which callers reach this connection through the gateway, with the prefix of its route.',
      unit: 'URL',
    })
    .optional(),
  rewriteResultsUrl: z.boolean().default(false).meta({
    description:
      'Whether the `results_url` of a batch is changed to lead below `publicUrl`, so that its download comes through the gateway.',
  }),
  lists: z.enum(['denied', 'filtered']).default('denied').meta({
    description:
      'Whether lists of what everybody with the same credential made are `denied`, where the policy closes them, or `filtered`: callers are given the entries that are their own.',
  }),
});

const identityProvider = z.strictObject({
  issuer: z.string().max(2048).refine(isBaseUrl, baseUrlRule).meta({
    description: 'Issuer of the tokens, as in their `iss` claim; each provider has its own.',
    unit: 'URL',
  }),
  kind: z.enum(['person', 'workload']).default('person').meta({
    description:
      'Whom its tokens stand for: people, or workloads such as CI and services. Policies see it as `input.identity.kind`.',
  }),
  audiences: z
    .array(z.string().min(1).max(512))
    .min(1)
    .max(16)
    .default(['skilltape'])
    .meta({ description: 'A token must be for one of these (`aud`).' }),
  jwksUri: z.string().max(2048).refine(isBaseUrl, baseUrlRule).optional().meta({
    description: 'Where Envoy fetches the public keys of the provider (`jwks_uri` of its discovery document).',
    unit: 'URL',
  }),
  jwksCacheMs: milliseconds(
    1_000,
    86_400_000,
    600_000,
    'How long fetched keys are used, and so how long a withdrawn one is still believed.',
  ),
  caFile: path('Authorities that may vouch for the provider, PEM, as Envoy sees the file.')
    .optional()
    .meta({ derived: '<envoy.caFile>' }),
  claims: z
    .strictObject({
      subject: claim('sub', 'Claim that identifies the caller for good.'),
      name: claim('name', 'Claim with the name to show.'),
      email: claim('email', 'Claim with the mail address.'),
      groups: claim(
        'groups',
        'Claim with the groups that policies see: a list, or one as a text. A dotted path reaches a nested claim. A token that has them in another form, or elsewhere, is refused.',
      ),
    })
    .prefault({}),
});

function named<T extends z.ZodType>(entry: T, description: string) {
  return z.record(z.string().regex(namePattern), entry).meta({ description });
}

export const connections = named(
  connection,
  'The upstreams by name, as the Envoy routes name them; at least one.',
).refine((entries) => Object.keys(entries).length > 0, 'must name at least one connection');

export const identityProviders = named(identityProvider, 'Who vouches for callers, by name.');

/** How Envoy reaches a processor that listens on TCP (`listen.tcp`). */
const processor = z.strictObject({
  host: host('Where Envoy reaches the processor; the port is that of `listen.tcp`.'),
  serverName: host('Name that its certificate must have (SAN).').optional().meta({ derived: '<processor.host>' }),
  certificateFile: path('Certificate by which Envoy is known to the processor, PEM.'),
  privateKeyFile: path('Private key of that certificate, PEM.'),
  caFile: path('Authorities that may vouch for the processor, PEM.'),
});

/** Paths here are as Envoy sees them, which may be another machine. */
export const envoy = z.strictObject({
  listen: z
    .strictObject({
      address: z
        .string()
        .refine((text) => isIP(text) !== 0, 'must be an IP address such as 0.0.0.0 or ::1')
        .default('0.0.0.0')
        .meta({ description: 'Address that callers connect to.', unit: 'IP address' }),
      port: z.int().min(0).max(65535).default(8443).meta({ description: 'TCP port that callers connect to.' }),
    })
    .prefault({}),
  sdsDirectory: path(
    'Folder of the Envoy secrets; a file that is renamed into it is taken up without a restart.',
  ).default('/etc/skilltape/sds'),
  certificateFile: path(
    'Envoy secret (SDS) with the certificate of the listener; the secret has the name of the file without its ending.',
  )
    .optional()
    .meta({ derived: '<envoy.sdsDirectory>/gateway_certificate.yaml' }),
  caFile: path('Authorities that may vouch for upstreams and identity providers, PEM.').default(
    '/etc/ssl/certs/ca-certificates.crt',
  ),
  adminSocket: path('Unix socket of the admin interface.').default('/run/skilltape/envoy-admin.sock'),
  accessLogFile: path('Access log, as Envoy sees it.').default('/var/log/skilltape/access.log'),
  processor: processor.optional(),
});

/** Bounds what requests that are refused by their headers alone can leave behind (inv. 5). */
export const refusals = z.strictObject({
  recordsPerMinute: z.int().min(0).max(100_000).default(60).meta({
    description:
      'Requests without a valid token, of one source in one minute, that get a record of their own; one record counts the rest. Workers share it.',
    unit: 'records',
  }),
  recordsPerMinuteAllSources: z.int().min(0).max(1_000_000).default(600).meta({
    description: 'The same for all sources together.',
    unit: 'records',
  }),
  sourcesMax: z.int().min(1).max(100_000).default(100).meta({
    description: 'Sources of one minute that are counted apart; what comes from more is counted together.',
    unit: 'sources',
  }),
  callerRecordsPerMinute: z.int().min(1).max(1_000_000).default(600).meta({
    description:
      'Requests of one verified caller on one connection in one minute that policy `access` denied and that get a record of their own; one record counts the rest. Workers share it.',
    unit: 'records',
  }),
});
