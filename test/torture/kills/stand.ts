/** A gateway whose processor is killed again and again. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { serialize } from 'node:v8';
import { compilePolicies } from '../../../extproc/policy/compile.ts';
import { resolveTool } from '../../../extproc/tools/resolve.ts';
import type { TestGateway } from '../../environment/gateway.ts';
import { startTestGateway } from '../../environment/gateway.ts';
import { Spares } from './spares.ts';

export type KillStand = AsyncDisposable & {
  gateway: TestGateway;
  /** The only processors: none runs until one is begun. */
  spares: Spares;
  authorization: string;
  /** What of the journal is on disk, by `kill-preload.ts`. */
  durableFile: string;
};

const policiesDirectory = fileURLToPath(new URL('../../../policies', import.meta.url));

/** @param workers processes beside the one that is begun; without it there are none */
export async function startKillStand(settings: Record<string, unknown>, workers?: number): Promise<KillStand> {
  await using started = new AsyncDisposableStack();
  const gateway = await startTestGateway({ settings, ...(workers !== undefined && { workers }) });
  started.defer(() => gateway.stop());
  const authorization = `Bearer ${await gateway.token()}`;
  // The first processor showed that the gateway stands; from here on the spares are it.
  await gateway.processor.stop();
  const durableFile = join(gateway.directory, 'durable.txt');
  const policyFile = await compiledPolicy(gateway.directory);
  const logFile = join(gateway.directory, 'spares.log');
  const spares = new Spares({ configFile: gateway.configFile, policyFile, durableFile, logFile });
  started.defer(() => spares.endAll());
  const all = started.move();
  return { gateway, spares, authorization, durableFile, [Symbol.asyncDispose]: () => all.disposeAsync() };
}

/** Compiled once: doing it for each life would take most of its time. */
async function compiledPolicy(directory: string): Promise<string> {
  const { path: opaBinary } = await resolveTool('opa', { env: process.env });
  const file = join(directory, 'policy.bundle');
  writeFileSync(file, serialize(await compilePolicies({ opaBinary, directory: policiesDirectory })));
  return file;
}
