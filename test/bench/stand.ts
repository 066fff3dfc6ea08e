import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Child } from '../../extproc/demo/child.ts';
import { startChild, waitFor } from '../../extproc/demo/child.ts';
import { startEnvoy } from '../../extproc/demo/envoy-process.ts';
import { startGateway } from '../../extproc/demo/gateway.ts';
import { resolveTool } from '../../extproc/tools/resolve.ts';
import { createAuthority, writeCertificate } from '../fakes/certificates.ts';
import { envoyVariant } from './envoy-variant.ts';
import type { VariantName } from './options.ts';

/** Envoy in front of one variant, and the processor behind it where it has one. */
export type Variant = { name: VariantName; url: string; envoyPid: number; processorPid: number | undefined };

/** Everything that is measured, up at the same time: what differs between two runs is what answers Envoy. */
export type Stand = {
  directory: string;
  caFile: string;
  variants: readonly Variant[];
  token(): Promise<string>;
  stop(): Promise<void>;
};

const apiKey = 'sk-ant-api03-bench-0123456789abcdefghijklmnopqrstuvwxyz';
const stopTimeoutMs = 30_000;

export async function startStand(options: {
  binary: string;
  variants: readonly VariantName[];
  /** Makes Node write a CPU profile of each thread of the processor at its end. */
  profile: string | undefined;
  /** A module that each thread of the processor loads first. */
  preload?: string;
  /** Keys of skilltape.yaml, and what is done to the folder of all files before anything starts in it. */
  settings?: Record<string, unknown>;
  prepare?: (directory: string) => void;
}): Promise<Stand> {
  await using started = new AsyncDisposableStack();
  const directory = mkdtempSync(join(tmpdir(), 'skilltape-bench-'));
  started.defer(() => rmSync(directory, { recursive: true, force: true }));
  options.prepare?.(directory);
  const authority = await createAuthority('bench authority');
  const tls = await authority.issue({ commonName: 'claude', dnsNames: ['localhost'], ipAddresses: ['127.0.0.1'] });
  const upstream = startUpstream(options.binary, directory, await writeCertificate(directory, 'upstream', tls));
  started.defer(() => upstream.stop());
  const caFile = join(directory, 'ca.pem');
  const host = { host: '127.0.0.1', serverName: 'localhost', caFile };
  const envoyBinary = (await resolveTool('envoy', { env: process.env })).path;
  // The only way to a child that the demo starts; Node writes the profiles when the processor ends.
  const { NODE_OPTIONS: ours } = process.env;
  process.env.NODE_OPTIONS = nodeOptions(options, ours);
  const gateway = await startGateway({
    ...{ directory, envoyBinary, authority, upstreamKey: apiKey, userClientSecret: 'bench' },
    ...(options.settings !== undefined && { settings: options.settings }),
    opaBinary: (await resolveTool('opa', { env: process.env })).path,
    upstreams: [{ name: 'claude', ...host, port: await portOf(upstream) }],
  });
  process.env.NODE_OPTIONS = ours ?? '';
  started.defer(() => gateway.stop());
  // Before the gateway's own end, which leaves too little time for what is still to be shipped.
  started.defer(() => gateway.processor.stop(stopTimeoutMs));
  const pids = { envoyPid: gateway.envoy.child.pid, processorPid: gateway.processor.pid };
  const own: Variant = { name: 'skilltape', url: gateway.url, ...pids };
  const others = options.variants.filter((name) => name !== 'skilltape');
  const variants = [own, ...(await startOthers(others, { ...options, directory, envoyBinary }, started))];
  const all = started.move();
  return {
    directory,
    caFile,
    variants: options.variants.flatMap((name) => variants.filter((variant) => variant.name === name)),
    token: () => gateway.identityProvider.token('alice'),
    stop: () => all.disposeAsync(),
  };
}

function nodeOptions({ profile, preload }: { profile: string | undefined; preload?: string }, ours = ''): string {
  const profiling = profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${JSON.stringify(profile)}`];
  const loading = preload === undefined ? [] : ['--import', JSON.stringify(preload)];
  return [ours, ...profiling, ...loading].join(' ').trim();
}

/** From the configuration that the gateway was rendered with, so that they cannot differ in anything else. */
async function startOthers(
  names: readonly VariantName[],
  parts: { binary: string; directory: string; envoyBinary: string },
  started: AsyncDisposableStack,
): Promise<Variant[]> {
  if (names.length === 0) return [];
  const { binary, directory, envoyBinary } = parts;
  const socket = join(directory, 'empty.sock');
  const logFile = join(directory, 'empty.log');
  const args = ['processor', '--socket', socket];
  const processor = startChild({ name: 'the empty processor', command: binary, args, logFile });
  started.defer(() => processor.stop());
  const rendered = readFileSync(join(directory, 'envoy.yaml'), 'utf8');
  const variants: Variant[] = [];
  for (const name of names) {
    const places = { adminSocket: join(directory, `variant-${name}-admin.sock`), processorSocket: socket };
    const accessLogFile = join(directory, `variant-${name}-access.log`);
    const configFile = join(directory, `variant-${name}.yaml`);
    // Envoy alone keeps the cluster, and with it the health check, which sends nothing along with an exchange.
    writeFileSync(configFile, envoyVariant(rendered, { ...places, accessLogFile, hasProcessor: name === 'empty' }));
    const logFile = join(directory, `variant-${name}.log`);
    const { adminSocket } = places;
    const envoy = await startEnvoy({ binary: envoyBinary, configFile, adminSocket, logFile, processor });
    started.defer(() => envoy.child.stop());
    const processorPid = name === 'empty' ? processor.pid : undefined;
    variants.push({ name, url: `https://localhost:${envoy.port}`, envoyPid: envoy.child.pid, processorPid });
  }
  return variants;
}

function startUpstream(
  binary: string,
  directory: string,
  files: { certificateFile: string; privateKeyFile: string },
): Child {
  return startChild({
    name: 'the upstream',
    command: binary,
    args: [
      ...['upstream', '--api-key', apiKey],
      ...['--certificate', files.certificateFile, '--private-key', files.privateKeyFile],
    ],
    logFile: join(directory, 'upstream.log'),
  });
}

/** Its only line says the port. */
async function portOf(upstream: Child): Promise<number> {
  return waitFor('the upstream has no port', [upstream], async () => {
    const line = readFileSync(upstream.logFile, { encoding: 'utf8', flag: 'a+' });
    return line.endsWith('\n') ? Number(line) : undefined;
  });
}
