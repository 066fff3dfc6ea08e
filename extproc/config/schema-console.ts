/** The section of `skilltape.yaml` of the console, where people decide; without it there is none. */
import { isIP } from 'node:net';
import { z } from 'zod';
import { isBaseUrl, milliseconds, path } from './units.ts';

/** An origin: cookies are for all of it, so nothing else may live below another path of it. */
function isOrigin(text: string): boolean {
  return isBaseUrl(text) && new URL(text).origin === text;
}

function isNetwork(text: string): boolean {
  const [address = '', bits, ...more] = text.split('/');
  const version = isIP(address);
  if (version === 0 || more.length > 0) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128));
}

const tls = z.strictObject({
  certificateFile: path('Certificate chain of the console, PEM.'),
  privateKeyFile: path('Private key of that certificate, PEM, readable by the console alone.'),
});

export const consoleSection = z.strictObject({
  listen: z
    .strictObject({
      address: z
        .string()
        .refine((text) => isIP(text) !== 0, 'must be an IP address such as 127.0.0.1 or ::1')
        .default('127.0.0.1')
        .meta({ description: 'Address to listen on.', unit: 'IP address' }),
      port: z.int().min(1).max(65535).default(8480).meta({ description: 'TCP port to listen on.' }),
    })
    .prefault({}),
  tls: tls.optional(),
  publicUrl: z
    .string()
    .max(2048)
    .refine(isOrigin, 'must be https:// and a host, with nothing behind them; http only for this machine')
    .meta({
      description: 'Where people reach it. The identity provider sends them back to `/login/callback` below it.',
      unit: 'URL',
    }),
  trustedProxies: z
    .array(z.string().refine(isNetwork, 'must be an IP address or a network such as 10.0.0.0/8'))
    .max(64)
    .default([])
    .meta({
      description:
        'Proxies before it, whose `x-forwarded-for` says where people come from; without them it is who connects.',
    }),
  identityProvider: z.string().min(1).max(63).meta({
    description:
      'The entry of `identityProviders` where people log in. It has to be one of people, and its claims say who they are, as for their requests.',
  }),
  caFile: path('Authorities that may vouch for identity providers, PEM; without it those of the system.').optional(),
  clientId: z.string().min(1).max(512).meta({ description: 'Client of the console at that provider.' }),
  clientSecretFile: path(
    'Its secret, readable by the console alone; without one it is a public client, which has PKCE alone.',
  ).optional(),
  scope: z.string().min(6).max(1024).default('openid profile email').meta({
    description: 'Scopes to ask for; the ID token then has to hold the claims of the provider, also the groups.',
  }),
  cookieName: z
    .string()
    .regex(/^[a-z0-9-]{1,32}$/, 'must be 1 to 32 of the characters a-z, 0-9 and -')
    .default('skilltape')
    .meta({ description: 'Begin of the names of its cookies; two consoles of one host need different ones.' }),
  sessionMaxMs: milliseconds(
    60_000,
    86_400_000,
    28_800_000,
    'Longest time that a login counts; groups are as they were at it.',
  ),
  sessionsMax: z.int().min(1).max(100_000).default(1_000).meta({
    description: 'People logged in at once; at it the oldest login ends.',
    unit: 'sessions',
  }),
  apiAudiences: z.array(z.string().min(1).max(512)).max(16).default(['skilltape-console']).meta({
    description:
      'Tokens for the API must be for one of these (`aud`); none: it takes no tokens. Not an audience of the gateway: whoever gets hold of a token for requests must not decide with it.',
  }),
});
