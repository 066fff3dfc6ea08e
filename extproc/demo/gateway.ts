import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { type createAuthority, writeCertificate } from '../../test/fakes/certificates.ts';
import type { IdentityProvider } from '../../test/fakes/identity-provider.ts';
import { startIdentityProvider } from '../../test/fakes/identity-provider.ts';
import { loadConfig } from '../config/load.ts';
import { envoyPlanOf, type TlsTarget } from '../envoy/plan.ts';
import { renderEnvoy } from '../envoy/render.ts';
import { runtime } from '../tools/runtime.ts';
import type { Child } from './child.ts';
import { startChild } from './child.ts';
import { type DemoConsole, prepareConsole, startConsoleProcess } from './console.ts';
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
  /** The console is served on this port of the loopback address; without it there is none. */
  consolePort?: number;
  /** Processes that take streams, each an endpoint of Envoy's cluster. */
  workers?: number;
  /** Keys of skilltape.yaml beside the ones that the places decide; connections and providers are added to ours. */
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
  /** Null without a `consolePort`. */
  console: { url: string; child: Child } | null;
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
  const console = await consoleOf(options);
  const identityProvider = await startIdentityProvider({
    listen: { host: '127.0.0.1', port: 0 },
    tls: await authority.issue({ commonName: 'identity provider', ...names }),
    users: people,
    audience,
    userClientSecret: options.userClientSecret,
    ...(console !== null && { webClient: console.client }),
  });
  started.defer(() => identityProvider.close());
  await writeSecrets(options, await authority.issue({ commonName: 'gateway', ...names }));
  const processorSocket = join(directory, 'extproc.sock');
  const place = await processorPlace(options, processorSocket, caFile);
  const configFile = writeConfig(options, { ...place, console: console?.section }, identityProvider);
  const envoyFile = writeEnvoyConfig(options, configFile);
  const running = { processor: startServe(options, configFile) };
  started.defer(() => running.processor.stop());
  const accessLogFile = join(directory, 'access.log');
  const envoy = await startEnvoy({
    ...{ binary: options.envoyBinary, configFile: envoyFile, adminSocket: join(directory, 'envoy-admin.sock') },
    ...{ logFile: join(directory, 'envoy.log'), processor: running.processor },
  });
  started.defer(() => envoy.child.stop());
  const served = await startConsoleOf(options, configFile, console);
  started.defer(async () => served?.child.stop());
  const all = started.move();
  return {
    ...{ url: `https://localhost:${envoy.port}`, caFile, configFile, accessLogFile, processorSocket, envoy },
    ...{ dataDirectory: join(directory, 'data'), identityProvider, console: served },
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

function consoleOf({ directory, authority, consolePort }: GatewayOptions): Promise<DemoConsole> | null {
  return consolePort === undefined ? null : prepareConsole(directory, consolePort, authority);
}

async function startConsoleOf(options: GatewayOptions, configFile: string, console: DemoConsole | null) {
  if (console === null) return null;
  const { directory, opaBinary, authority } = options;
  const places = { directory, configFile, opaBinary, url: console.url, caPem: authority.certificatePem };
  return { url: console.url, child: await startConsoleProcess(places) };
}

/** What skilltape.yaml renders to. */
function writeEnvoyConfig({ directory, changeEnvoyConfig }: GatewayOptions, configFile: string): string {
  const file = join(directory, 'envoy.yaml');
  const text = renderEnvoy(envoyPlanOf(loadConfig(configFile, {})));
  writeFileSync(file, changeEnvoyConfig?.(text) ?? text, { mode: 0o600 });
  return file;
}

/** The `listen` section of skilltape.yaml, and where Envoy is told to find it over TCP. */
async function processorPlace(
  { directory, authority, processorPort: port }: GatewayOptions,
  socket: string,
  caFile: string,
): Promise<{ listen: unknown; processor?: unknown }> {
  if (port === undefined) return { listen: { socket } };
  const host = '127.0.0.1';
  const server = await authority.issue({ commonName: 'processor', ipAddresses: [host] });
  const client = await authority.issue({ commonName: 'envoy', purpose: 'client' });
  const tls = { ...(await writeCertificate(directory, 'processor', server)), clientCaFile: caFile };
  const processor = { host, caFile, ...(await writeCertificate(directory, 'envoy', client)) };
  return { listen: { tcp: { address: host, port, tls } }, processor };
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

function writeConfig(
  options: GatewayOptions,
  { listen, processor, console }: { listen: unknown; processor?: unknown; console: unknown },
  { issuer, jwksUri }: IdentityProvider,
): string {
  const { directory, settings = {} } = options;
  const file = join(directory, 'skilltape.yaml');
  const config = {
    dataDirectory: 'data',
    listen,
    ...(options.workers !== undefined && { workers: options.workers }),
    policies: { directory: policiesDirectory },
    // Several gateways may run on this machine.
    operations: { port: 0 },
    coverage: { accessLogFile: 'access.log', lagMaxMs: 5_000 },
    ...(console !== undefined && { console }),
    ...settings,
    identityProviders: { idp: { issuer, audiences: [audience], jwksUri }, ...sectionOf(settings, 'identityProviders') },
    connections: connectionsOf(options),
    envoy: {
      listen: { address: '127.0.0.1', port: options.listenerPort ?? 0 },
      sdsDirectory: 'sds',
      caFile: 'ca.pem',
      adminSocket: 'envoy-admin.sock',
      accessLogFile: 'access.log',
      ...(processor !== undefined && { processor }),
    },
  };
  writeFileSync(file, stringify(config), { mode: 0o600 });
  return file;
}

/** Each upstream with what the settings say of it; connections that only the settings have share the first upstream. */
function connectionsOf({ upstreams, settings = {} }: GatewayOptions): Record<string, unknown> {
  const own = sectionOf(settings, 'connections');
  const [first] = upstreams;
  const names = new Set([...upstreams.map(({ name }) => name), ...Object.keys(own)]);
  return Object.fromEntries(
    [...names].map((name) => {
      const { host, port, serverName, caFile } = upstreams.find((upstream) => upstream.name === name) ?? first ?? {};
      return [
        name,
        {
          ...{ identityProviders: ['idp'], upstream: { host, port, serverName, caFile } },
          ...(name === 'claude' && { routePrefix: '/' }),
          credentialFile: 'sds/claude_credential.yaml',
          ...(own[name] as object | undefined),
        },
      ];
    }),
  );
}

function sectionOf(settings: Record<string, unknown>, name: string): Record<string, unknown> {
  return (settings[name] ?? {}) as Record<string, unknown>;
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
