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

/** Starts Envoy and waits until its listener stands and the processor beside it is healthy. */
export async function startEnvoy(options: {
  binary: string;
  configFile: string;
  adminSocket: string;
  logFile: string;
  processor: Child;
}): Promise<EnvoyProcess> {
  const { binary, configFile, adminSocket, logFile, processor } = options;
  // --use-dynamic-base-id: two Envoys on one machine must not share memory.
  // The flush interval is Envoy's own of 10 s otherwise: nobody waits that long for a demo's access log.
  const args = ['-c', configFile, '--use-dynamic-base-id', '--concurrency', '1', '--log-level', 'warning'];
  args.push('--file-flush-interval-msec', '500');
  const child = startChild({ name: 'Envoy', command: binary, args, logFile });
  const both = [processor, child];
  const admin = (path: string) => adminGet(adminSocket, path);
  try {
    const port = await waitFor('Envoy has no listener', both, () => listenerPort(admin).catch(() => undefined));
    await waitFor('Envoy cannot reach the processor', both, () => processorHealth(admin).catch(() => undefined));
    return { child, port, admin };
  } catch (error) {
    await child.stop();
    throw error;
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
  const healthy = hosts.every((host) => JSON.stringify(host.health_status ?? {}) === '{"eds_health_status":"HEALTHY"}');
  return healthy && hosts.length > 0 ? true : undefined;
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
