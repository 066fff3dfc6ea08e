import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type FakeClaude, startFakeClaude } from '../../../test/fakes/claude.ts';
import { type IdentityProvider, startIdentityProvider } from '../../../test/fakes/identity-provider.ts';
import { people } from '../people.ts';
import { audience, consoleClientId, consoleOriginOf, type Places } from './places.ts';

/** The demo's people, who sign in without a password: for trying only. */
export function startComposeIdentityProvider(places: Places): Promise<IdentityProvider> {
  const { root, identityProvider } = places;
  return startIdentityProvider({
    listen: identityProvider,
    tls: certificateIn(root, 'identity-provider'),
    users: people,
    audience,
    userClientSecret: userClientSecret(root),
    webClient: {
      ...{ clientId: consoleClientId, origin: consoleOriginOf(places) },
      clientSecret: secretIn(root, 'console-client.secret'),
    },
  });
}

export function startComposeClaude({ root, claude }: Places): Promise<FakeClaude> {
  const apiKey = secretIn(root, 'claude.api-key');
  return startFakeClaude({ listen: claude, tls: certificateIn(root, 'claude'), apiKey });
}

export function userClientSecret(root: string): string {
  return secretIn(root, 'user-client.secret');
}

export function fakesCaFile(root: string): string {
  return join(root, 'fakes', 'ca.crt');
}

function secretIn(root: string, name: string): string {
  return readFileSync(join(root, 'fakes', name), 'utf8').trim();
}

function certificateIn(root: string, name: string): { certificatePem: string; privateKeyPem: string } {
  return { certificatePem: secretIn(root, `${name}.crt`), privateKeyPem: secretIn(root, `${name}.key`) };
}

/** Keeps a service running until it is told to end. */
export async function untilSignal(close: () => Promise<void>): Promise<void> {
  await new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
  });
  await close();
}
