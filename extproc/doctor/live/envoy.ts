import { writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { type Child, startChild, waitFor } from '../../demo/child.ts';
import { listenerName } from './scratch.ts';

/** A scratch Envoy that runs. */
export type ScratchEnvoy = {
  /** Ports of the loopback address, in the order of the connection managers. */
  ports: readonly number[];
  /** Waits until a cluster's first host is healthy, or half of what a caller would wait is over. */
  healthy(cluster: string): Promise<boolean>;
  [Symbol.asyncDispose](): Promise<void>;
};

const startMaxMs = 15_000;
const healthMaxMs = 8_000;
const adminMaxMs = 2_000;

/**
 * Starts Envoy with a scratch configuration, whose `admin` is `admin.sock` in the directory.
 * @returns null when Envoy does not take the configuration
 */
export async function startScratchEnvoy(options: {
  binary: string;
  directory: string;
  name: string;
  config: unknown;
  listeners: number;
}): Promise<ScratchEnvoy | null> {
  const { binary, directory, name, config, listeners } = options;
  const [configFile, logFile] = [join(directory, `${name}.json`), join(directory, `${name}.log`)];
  writeFileSync(configFile, JSON.stringify(config), { mode: 0o600 });
  const args = ['-c', configFile, '--use-dynamic-base-id', '--concurrency', '1', '--log-level', 'warning'];
  const child = startChild({ name: 'Envoy', command: binary, args, logFile });
  const admin = join(directory, 'admin.sock');
  try {
    const check = () => portsOf(admin, listeners).catch(() => undefined);
    const ports = await waitFor('Envoy has no listener', [child], check, startMaxMs);
    return { ports, healthy: (cluster) => isHealthy(admin, cluster), [Symbol.asyncDispose]: () => end(child) };
  } catch {
    await end(child);
    return null;
  }
}

async function end(child: Child): Promise<void> {
  await child.stop(2_000);
}

async function portsOf(admin: string, count: number): Promise<number[] | undefined> {
  const listening = (await adminGet(admin, '/listeners?format=json')) as {
    listener_statuses?: { name?: string; local_address?: { socket_address?: { port_value?: number } } }[];
  };
  const ready = (await adminGet(admin, '/server_info')) as { state?: string };
  const ports = Array.from({ length: count }, (_, at) => {
    const status = listening.listener_statuses?.find(({ name }) => name === listenerName(at));
    return status?.local_address?.socket_address?.port_value ?? 0;
  });
  return ready.state === 'LIVE' && ports.every((port) => port > 0) ? ports : undefined;
}

async function isHealthy(admin: string, cluster: string): Promise<boolean> {
  const deadline = performance.now() + healthMaxMs;
  while (performance.now() < deadline) {
    const { cluster_statuses: statuses = [] } = (await adminGet(admin, '/clusters?format=json')) as {
      cluster_statuses?: { name: string; host_statuses?: { health_status?: object }[] }[];
    };
    const hosts = statuses.find(({ name }) => name === cluster)?.host_statuses ?? [];
    if (hosts.some((host) => JSON.stringify(host.health_status ?? {}) === '{"eds_health_status":"HEALTHY"}'))
      return true;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return false;
}

function adminGet(socketPath: string, path: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const call = request({ socketPath, path, headers: { host: 'admin' }, timeout: adminMaxMs }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () => {
        try {
          resolve(JSON.parse(text));
        } catch (error) {
          reject(error);
        }
      });
      response.on('error', reject);
    });
    call.on('timeout', () => call.destroy());
    call.on('error', reject);
    call.end();
  });
}
