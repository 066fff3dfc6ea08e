/** The console of a gateway on one machine: its client at the identity provider, its configuration, its process. */
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Agent, fetch } from 'undici';
import { type createAuthority, writeCertificate } from '../../test/fakes/certificates.ts';
import { runtime } from '../tools/runtime.ts';
import { type Child, startChild, waitFor } from './child.ts';

export type DemoConsole = {
  url: string;
  /** What the identity provider has to know of it. */
  client: { clientId: string; clientSecret: string; origin: string };
  /** The section `console` of skilltape.yaml. */
  section: Record<string, unknown>;
};

/** A port of the loopback address that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer();
  const port = await new Promise<number>((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
  await new Promise((resolve) => server.close(resolve));
  return port;
}

const mainScript = fileURLToPath(new URL('../main.ts', import.meta.url));

/** Writes its secret and its certificate into the folder. */
export async function prepareConsole(
  directory: string,
  port: number,
  authority: Awaited<ReturnType<typeof createAuthority>>,
): Promise<DemoConsole> {
  const url = `https://localhost:${port}`;
  const clientSecret = randomBytes(24).toString('base64url');
  writeFileSync(join(directory, 'console.secret'), clientSecret, { mode: 0o600 });
  const names = { dnsNames: ['localhost'], ipAddresses: ['127.0.0.1'] };
  const tls = await writeCertificate(directory, 'console', await authority.issue({ commonName: 'console', ...names }));
  return {
    url,
    client: { clientId: 'skilltape-console', clientSecret, origin: url },
    section: {
      listen: { address: '127.0.0.1', port },
      ...{ tls, publicUrl: url, identityProvider: 'idp', caFile: 'ca.pem' },
      ...{ clientId: 'skilltape-console', clientSecretFile: 'console.secret', scope: 'openid profile email groups' },
    },
  };
}

/** Resolves when it answers. */
export async function startConsoleProcess(options: {
  directory: string;
  configFile: string;
  opaBinary: string;
  url: string;
  caPem: string;
}): Promise<Child> {
  const { directory, configFile, opaBinary, url, caPem } = options;
  const child = startChild({
    name: 'the console',
    command: process.execPath,
    args: [...runtime.arguments, mainScript, 'console', '--config', configFile],
    logFile: join(directory, 'console.log'),
    env: { ...runtime.environment, ...process.env, OPA_BIN: opaBinary },
  });
  const dispatcher = new Agent({ connect: { ca: caPem } });
  try {
    await waitFor('the console does not answer', [child], async () => {
      const response = await fetch(`${url}/healthz`, { dispatcher }).catch(() => undefined);
      return response?.ok === true ? true : undefined;
    });
    return child;
  } catch (thrown) {
    await child.stop();
    throw thrown;
  } finally {
    await dispatcher.destroy();
  }
}
