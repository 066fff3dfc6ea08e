import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import type { Child } from './child.ts';
import { startChild, waitFor } from './child.ts';

export type EnvoyProcess = {
  readonly child: Child;
  /** The port that the listener got. */
  readonly port: number;
  /** A GET on the admin interface. */
  admin(path: string): Promise<string>;
};

/** Starts Envoy and waits until its listener stands and the processor is healthy. */
export async function startEnvoy(options: {
  binary: string;
  configFile: string;
  adminSocket: string;
  logFile: string;
}): Promise<EnvoyProcess> {
  // --base-id: two Envoys on one machine must not share memory.
  const args = ['-c', options.configFile, '--use-dynamic-base-id', '--concurrency', '1', '--log-level', 'warning'];
  const child = startChild(options.binary, args, options.logFile);
  const admin = (path: string) => adminGet(options.adminSocket, path);
  try {
    const port = await waitFor('Envoy', child, () => listenerPort(admin).catch(() => undefined));
    await waitFor('the processor, as Envoy sees it,', child, () => processorHealth(admin).catch(() => undefined));
    return { child, port, admin };
  } catch (error) {
    await child.stop();
    const lastLines = readFileSync(options.logFile, 'utf8').trimEnd().split('\n').slice(-5).join('\n');
    throw new Error(`${error instanceof Error ? error.message : error}\n${lastLines}`, { cause: error });
  }
}

async function listenerPort(admin: EnvoyProcess['admin']): Promise<number | undefined> {
  const listeners = JSON.parse(await admin('/listeners?format=json')) as {
    listener_statuses?: { local_address?: { socket_address?: { port_value?: number } } }[];
  };
  return listeners.listener_statuses?.[0]?.local_address?.socket_address?.port_value;
}

async function processorHealth(admin: EnvoyProcess['admin']): Promise<true | undefined> {
  const clusters = JSON.parse(await admin('/clusters?format=json')) as {
    cluster_statuses?: { name: string; host_statuses?: { health_status?: { eds_health_status?: string } }[] }[];
  };
  const hosts = clusters.cluster_statuses?.find(({ name }) => name === 'skilltape')?.host_statuses ?? [];
  const healthy = hosts.some((host) => JSON.stringify(host.health_status ?? {}) === '{"eds_health_status":"HEALTHY"}');
  return healthy ? true : undefined;
}

function adminGet(socketPath: string, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const call = request({ socketPath, path, headers: { host: 'admin' } }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk) => {
        text += chunk;
      });
      response.on('end', () => resolve(text));
      response.on('error', reject);
    });
    call.on('error', reject);
    call.end();
  });
}
