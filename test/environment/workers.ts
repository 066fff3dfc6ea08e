import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { journalDirectory } from '../../extproc/journal/places.ts';
import type { TestGateway } from './gateway.ts';
import { waitUntil } from './wait.ts';

/** The process that writes the journal of this worker now; undefined while there is none. */
export function workerPid(gateway: Pick<TestGateway, 'dataDirectory'>, worker: number): number | undefined {
  try {
    const { pid } = JSON.parse(readFileSync(join(journalDirectory(gateway.dataDirectory, worker), 'lock'), 'utf8'));
    return isAlive(pid) ? pid : undefined;
  } catch {
    return undefined;
  }
}

/** Waits for one that is a process of its own; `not` is the one that was there before. */
export function runningWorker(gateway: TestGateway, worker: number, not?: number): Promise<number> {
  return waitUntil(`worker ${worker} running`, () => {
    const pid = workerPid(gateway, worker);
    return pid !== undefined && pid !== not && pid !== gateway.processor.pid && pid;
  });
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

type Host = { address: string; healthy: boolean; activeStreams: number };

/** Envoy's view of the workers, in the order of its configuration. */
export async function workerHosts(gateway: Pick<TestGateway, 'envoy'>): Promise<Host[]> {
  const clusters = JSON.parse(await gateway.envoy.admin('/clusters?format=json')) as {
    cluster_statuses: {
      name: string;
      host_statuses: {
        address: { pipe?: { path: string } };
        health_status?: { eds_health_status?: string; failed_active_health_check?: boolean };
        stats: { name: string; value?: string }[];
      }[];
    }[];
  };
  const hosts = clusters.cluster_statuses.find(({ name }) => name === 'skilltape')?.host_statuses ?? [];
  return hosts.map(({ address, health_status: health, stats }) => ({
    address: address.pipe?.path ?? '',
    healthy: health?.failed_active_health_check !== true,
    activeStreams: Number(stats.find(({ name }) => name === 'rq_active')?.value ?? 0),
  }));
}

export function allHealthy(gateway: TestGateway): Promise<boolean> {
  return waitUntil('every worker healthy', async () => {
    const hosts = await workerHosts(gateway);
    return hosts.every(({ healthy }) => healthy);
  });
}
