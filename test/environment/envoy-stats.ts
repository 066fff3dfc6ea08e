import type { EnvoyProcess } from '../../extproc/demo/envoy-process.ts';
import { waitUntil } from './wait.ts';

/** A counter or gauge of Envoy; 0 when it has none of that name. */
export async function envoyStat(envoy: EnvoyProcess, name: string): Promise<number> {
  const text = await envoy.admin(`/stats?filter=^${name.replaceAll('.', '\\.')}$`);
  return Number(/: (\d+)/.exec(text)?.[1] ?? 0);
}

/**
 * Two more rounds between Envoy and the processor have gone by: what either was about to do when this was called is
 * done. To be awaited before saying that something does not happen.
 */
export async function twoRounds(envoy: EnvoyProcess): Promise<void> {
  const rounds = () => envoyStat(envoy, 'cluster.skilltape.health_check.success');
  const before = await rounds();
  await waitUntil('two more answers of the health check', async () => (await rounds()) >= before + 2);
}
