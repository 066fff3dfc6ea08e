import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { type createAuthority, writeCertificate } from '../../test/fakes/certificates.ts';
import type { IdentityProvider } from '../../test/fakes/identity-provider.ts';
import { startIdentityProvider } from '../../test/fakes/identity-provider.ts';
import type { ProcessorAddress, TlsTarget } from '../envoy/render.ts';
import { renderEnvoy } from '../envoy/render.ts';
import runtime from '../tools/runtime.json' with { type: 'json' };
import { socketOf } from '../workers/places.ts';
import type { Child } from './child.ts';
import { startChild } from './child.ts';
import type { EnvoyProcess } from './envoy-process.ts';
import { startEnvoy } from './envoy-process.ts';
import { people } from './people.ts';

export type GatewayOptions = {
  directory: string;
  envoyBinary: string;
  opaBinary: string;
  /** The connection `claude` is required; others are reached under `/<name>/`. */
  upstreams: readonly (TlsTarget & { name: string })[];
  /** The key that Envoy puts in. */
  upstreamKey: string;
  listenerPort?: number;
  userClientSecret: string;
  /** Envoy reaches the processor on this port of the loopback address, with mutual TLS, instead of the socket. */
  processorPort?: number;
  /** Processes that take streams, each an endpoint of Envoy's cluster. */
  workers?: number;
  /** Keys of skilltape.yaml beside the ones that the places decide. */
  settings?: Record<string, unknown>;
  /** A test's change to the rendered configuration of Envoy. */
  changeEnvoyConfig?: (text: string) => string;
  /** Started instead of `main.ts serve`: a test's program that puts a fault in. */
  serveScript?: string;
  /** The authority that the upstreams' certificates were issued by, and that issues the gateway's. */
  authority: Awaited<ReturnType<typeof createAuthority>>;
};

export type Gateway = {
  /** Base URL for Claude clients. */
  url: string;
  caFile: string;
  configFile: string;
  dataDirectory: string;
  accessLogFile: string;
  processorSocket: string;
  identityProvider: IdentityProvider;
  envoy: EnvoyProcess;
  processor: Child;
  /** Starts the processor again after it was stopped or killed. */
  restartProcessor(): Promise<Child>;
  stop(): Promise<void>;
};

const mainScript = fileURLToPath(new URL('../main.ts', import.meta.url));
const policiesDirectory = fileURLToPath(new URL('../../policies', import.meta.url));
const audience = 'skilltape';

/** A whole gateway on this machine: identity provider, processor and Envoy as the shipped configuration has them. */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  await using started = new AsyncDisposableStack();
  const { directory, authority } = options;
  mkdirSync(join(directory, 'sds'), { recursive: true, mode: 0o700 });
  const caFile = join(directory, 'ca.pem');
  writeFileSync(caFile, authority.certificatePem);
  const names = { dnsNames: ['localhost'], ipAddresses: ['127.0.0.1'] };
  const identityProvider = await startIdentityProvider({
    listen: { host: '127.0.0.1', port: 0 },
    tls: await authority.issue({ commonName: 'identity provider', ...names }),
    users: people,
    audience,
    userClientSecret: options.userClientSecret,
  });
  started.defer(() => identityProvider.close());
  await writeSecrets(options, await authority.issue({ commonName: 'gateway', ...names }));
  const processorSocket = join(directory, 'extproc.sock');
  const { listen, addresses } = await processorPlace(options, processorSocket, caFile);
  const configFile = writeConfig(options, listen, identityProvider.issuer);
  const running = { processor: startServe(options, configFile) };
  started.defer(() => running.processor.stop());
  const accessLogFile = join(directory, 'access.log');
  const envoy = await startEnvoyBefore(options, addresses, { ...running, caFile, accessLogFile, identityProvider });
  started.defer(() => envoy.child.stop());
  const all = started.move();
  return {
    ...{ url: `https://localhost:${envoy.port}`, caFile, configFile, accessLogFile, processorSocket, envoy },
    ...{ dataDirectory: join(directory, 'data'), identityProvider },
    get processor() {
      return running.processor;
    },
    async restartProcessor() {
      await running.processor.stop();
      running.processor = startServe(options, configFile);
      return running.processor;
    },
    stop: () => all.disposeAsync(),
  };
}

async function startEnvoyBefore(
  options: GatewayOptions,
  processors: readonly ProcessorAddress[],
  parts: Pick<Gateway, 'caFile' | 'accessLogFile' | 'identityProvider' | 'processor'>,
): Promise<EnvoyProcess> {
  const { directory } = options;
  const { issuer, jwksUri, port } = parts.identityProvider;
  const adminSocket = join(directory, 'envoy-admin.sock');
  const configFile = join(directory, 'envoy.yaml');
  const provider = { host: '127.0.0.1', port, serverName: '127.0.0.1', caFile: parts.caFile };
  const text = renderEnvoy({
    listener: { address: '127.0.0.1', port: options.listenerPort ?? 0 },
    adminSocket,
    accessLogFile: parts.accessLogFile,
    sdsDirectory: join(directory, 'sds'),
    processors,
    identityProvider: { ...provider, issuer, audience, jwksUri },
    connections: options.upstreams,
  });
  writeFileSync(configFile, options.changeEnvoyConfig?.(text) ?? text, { mode: 0o600 });
  const logFile = join(directory, 'envoy.log');
  return startEnvoy({ binary: options.envoyBinary, configFile, adminSocket, logFile, processor: parts.processor });
}

/** The `listen` section of skilltape.yaml, and the same place as Envoy is told of it. */
async function processorPlace(
  { directory, authority, processorPort: port, workers: count = 1 }: GatewayOptions,
  socket: string,
  caFile: string,
): Promise<{ listen: unknown; addresses: readonly ProcessorAddress[] }> {
  const workers = Array.from({ length: count }, (_, at) => at + 1);
  if (port === undefined) {
    return { listen: { socket }, addresses: workers.map((worker) => ({ socket: socketOf(socket, worker) })) };
  }
  const host = '127.0.0.1';
  const server = await authority.issue({ commonName: 'processor', ipAddresses: [host] });
  const client = await authority.issue({ commonName: 'envoy', purpose: 'client' });
  const tls = { ...(await writeCertificate(directory, 'processor', server)), clientCaFile: caFile };
  const files = await writeCertificate(directory, 'envoy', client);
  const target = { host, serverName: host, caFile, ...files };
  const addresses = workers.map((worker) => ({ tcp: { ...target, port: port + worker - 1 } }));
  return { listen: { tcp: { address: host, port, tls } }, addresses };
}

function startServe(options: GatewayOptions, configFile: string): Child {
  const script = options.serveScript === undefined ? [mainScript, 'serve'] : [options.serveScript];
  return startChild({
    name: 'the processor',
    command: process.execPath,
    args: [...runtime.arguments, ...script, '--config', configFile],
    logFile: join(options.directory, 'processor.log'),
    env: { ...runtime.environment, ...process.env, OPA_BIN: options.opaBinary },
  });
}

function writeConfig(options: GatewayOptions, listen: unknown, issuer: string): string {
  const file = join(options.directory, 'skilltape.yaml');
  const config = {
    dataDirectory: 'data',
    listen,
    ...(options.workers !== undefined && { workers: options.workers }),
    identityProviders: { idp: { issuer } },
    connections: Object.fromEntries(options.upstreams.map(({ name }) => [name, { identityProvider: 'idp' }])),
    policies: { directory: policiesDirectory },
    // Several gateways may run on this machine.
    operations: { port: 0 },
    ...options.settings,
  };
  writeFileSync(file, stringify(config), { mode: 0o600 });
  return file;
}

/** The SDS files of envoy/README.md: Envoy reads them, skilltape never does. */
async function writeSecrets(
  options: GatewayOptions,
  certificate: { certificatePem: string; privateKeyPem: string },
): Promise<void> {
  const sds = join(options.directory, 'sds');
  const files = await writeCertificate(options.directory, 'gateway', certificate);
  const secrets: Record<string, unknown> = {
    gateway_certificate: {
      tls_certificate: {
        certificate_chain: { filename: files.certificateFile },
        private_key: { filename: files.privateKeyFile },
      },
    },
    claude_credential: { generic_secret: { secret: { inline_string: options.upstreamKey } } },
  };
  for (const [name, secret] of Object.entries(secrets)) {
    const type = 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret';
    const resource = { '@type': type, name, ...(secret as object) };
    writeFileSync(join(sds, `${name}.yaml`), stringify({ resources: [resource] }), { mode: 0o600 });
  }
}
