/** Puts the console together from the configuration. */
import { readFileSync } from 'node:fs';
import { ticketsFile } from '../approvals/places.ts';
import { Tickets } from '../approvals/tickets.ts';
import type { Config } from '../config/config.ts';
import type { ConsolePolicy } from '../console/approvals.ts';
import { bearerOf } from '../console/bearer.ts';
import type { Console } from '../console/server.ts';
import { startConsole } from '../console/server.ts';
import { signInAt } from '../console/sign-in.ts';
import { SkilltapeError } from '../errors.ts';
import type { IdentityProvider } from '../exchange/identity.ts';
import { Grants } from '../grants/grants.ts';
import { grantsFile } from '../grants/places.ts';
import { fingerprintOf } from '../live/fingerprint.ts';
import type { Log } from '../log.ts';
import { SqliteLookLog } from '../looks/sqlite-look-log.ts';
import type { Masked } from '../masking/masked.ts';
import type { Masker } from '../masking/masker.ts';
import { compilePolicies } from '../policy/compile.ts';
import { createPolicyEngine } from '../policy/engine.ts';
import { rootOf } from '../policy/sources.ts';
import { tokenGroupFaults } from '../policy/token-groups.ts';
import { readCertificates, readSecret } from '../secret-file.ts';
import { stopsFile } from '../stops/places.ts';
import { Stops } from '../stops/stops.ts';
import { resolveTool } from '../tools/resolve.ts';

type ConsoleSection = NonNullable<Config['console']>;

/** @throws SkilltapeError `usage`, `config_invalid`: no section, or a file that cannot be used; `policy_invalid` */
export async function openConsole(config: Config, masker: () => Masker, log: Log): Promise<Console> {
  const section = config.console;
  if (section === undefined) {
    throw new SkilltapeError('usage', 'The configuration has no section console', {
      remedy: 'add one with publicUrl, identityProvider and clientId; docs/console.md tells how',
    });
  }
  const opa = await resolveTool('opa', { env: process.env });
  const policy = freshPolicy(config.policies.directory, opa.path, {
    people: issuersOf(config, section),
    all: [...new Set(Object.values(config.identityProviders).map(({ issuer }) => issuer))],
  });
  // A fault is told at the start and not to the first who looks.
  await policy();
  const ca = section.caFile === undefined ? null : readCertificates(section.caFile);
  const desk = new Tickets(ticketsFile(config.dataDirectory), config.approvals);
  const grants = new Grants(grantsFile(config.dataDirectory), config.grants);
  const stops = new Stops(stopsFile(config.dataDirectory));
  const lookLog = new SqliteLookLog(config.dataDirectory);
  const signIn = signInOf(config, section, ca);
  const bearer = bearerOf({ providers: bearerProviders(config), audiences: section.apiAudiences, ca });
  const served = await startConsole({
    ...{ desk, grants, stops, lookLog, policy, log, signIn, bearer },
    ...{ limits: config.grants, connections: Object.keys(config.connections) },
    homeIssuer: providerOf(config, section.identityProvider).issuer,
    mask: maskOf(masker),
    now: () => Date.now(),
    settings: {
      ...{ listen: section.listen, origin: section.publicUrl, trustedProxies: section.trustedProxies },
      ...{ cookieName: section.cookieName, sessionMaxMs: section.sessionMaxMs, sessionsMax: section.sessionsMax },
      tls: tlsOf(section),
    },
  });
  return {
    ...served,
    async close() {
      await served.close();
      await Promise.all([signIn.close(), bearer.close()]);
      desk.close();
      grants.close();
      stops.close();
      lookLog.close();
    },
  };
}

/** Its key is there once the processor has run. */
function maskOf(masker: () => Masker): (text: string) => Masked<string> {
  let known: Masker | undefined;
  return (text) => {
    known ??= masker();
    return known.text(text, 'look').value;
  };
}

function signInOf(config: Config, section: ConsoleSection, ca: string | null) {
  const { clientSecretFile: secretFile, clientId, scope, publicUrl, sessionMaxMs } = section;
  return signInAt({
    ...{ provider: providerOf(config, section.identityProvider), origin: publicUrl, clientId, scope, ca },
    clientSecret: secretFile === undefined ? null : readSecret(secretFile),
    maxAgeSeconds: Math.floor(sessionMaxMs / 1_000),
    now: () => Date.now(),
  });
}

function providerOf({ identityProviders }: Config, name: string): IdentityProvider {
  const found = identityProviders[name];
  if (found === undefined) throw new SkilltapeError('internal', 'the configuration was checked before');
  const { issuer, kind, claims } = found;
  return { name, issuer, kind, claims };
}

/** Of people alone: it is for people to decide, and a program that holds a token of its own is none. */
function bearerProviders(config: Config) {
  return Object.entries(config.identityProviders)
    .filter(([, { kind }]) => kind === 'person')
    .map(([name, { jwksUri }]) => ({ provider: providerOf(config, name), jwksUri: jwksUri ?? null }));
}

/** Of the people who can come: who logs in, and where the API takes tokens, whoever has one. */
function issuersOf(config: Config, { identityProvider, apiAudiences }: ConsoleSection): string[] {
  const byToken = apiAudiences.length === 0 ? [] : bearerProviders(config).map(({ provider }) => provider.issuer);
  return [...new Set([providerOf(config, identityProvider).issuer, ...byToken])];
}

function tlsOf({ tls }: ConsoleSection) {
  if (tls === undefined) return null;
  return {
    certificate: textOf('console.tls.certificateFile', tls.certificateFile),
    privateKey: textOf('console.tls.privateKeyFile', tls.privateKeyFile),
  };
}

function textOf(key: string, file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (thrown) {
    throw new SkilltapeError('usage', `${key} cannot be read: ${SkilltapeError.from(thrown).message}`, {
      cause: thrown,
      remedy: 'name a file that the account of the console may read',
    });
  }
}

/** The files are looked at again when somebody asks and this long has gone by: whoever was taken off a list is off it. */
const policyAgeMaxMs = 1_000;

/**
 * The policy as it is in the files; while they have a fault there is none, and nobody sees or decides anything.
 * @param issuers of the people who can come, and all that are configured
 */
export function freshPolicy(
  directory: string,
  opaBinary: string,
  issuers: { people: readonly string[]; all: readonly string[] },
): () => Promise<ConsolePolicy> {
  let known: { fingerprint: string; policy: Promise<ConsolePolicy> } | undefined;
  let lookedAtMs = Number.NEGATIVE_INFINITY;
  let looking: Promise<ConsolePolicy> | undefined;
  const look = async (): Promise<ConsolePolicy> => {
    const { value: fingerprint } = await fingerprintOf(() => rootOf(directory));
    lookedAtMs = performance.now();
    if (known?.fingerprint !== fingerprint) {
      const policy = compilePolicies({ opaBinary, directory }).then((bundle) => {
        const faults = tokenGroupFaults(bundle.data, issuers.people, issuers.all);
        if (faults.length > 0) throw new SkilltapeError('policy_invalid', faults.join('\n'));
        return createPolicyEngine(bundle);
      });
      known = { fingerprint, policy };
      policy.catch((thrown) => {
        // What is no fault of the files may pass.
        if (SkilltapeError.from(thrown).code !== 'policy_invalid') known = undefined;
      });
    }
    return known.policy;
  };
  return () => {
    if (known !== undefined && performance.now() - lookedAtMs < policyAgeMaxMs) return known.policy;
    looking ??= look().finally(() => {
      looking = undefined;
    });
    return looking;
  };
}
