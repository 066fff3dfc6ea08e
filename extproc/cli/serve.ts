import { Command } from 'commander';
import type { Config } from '../config/config.ts';
import type { FileSystem } from '../journal/fs.ts';
import { openPolicies } from '../live-edit.ts';
import type { Log } from '../log.ts';
import { createLog, endOnFault } from '../log.ts';
import { currentOperator } from '../looks/operator.ts';
import { startOperationsServer } from '../operations/http.ts';
import { Operations } from '../operations/operations.ts';
import { startProcessor } from '../processor.ts';
import { resolveTool } from '../tools/resolve.ts';
import { startSweeping } from './sweeping.ts';

/** `skilltape serve`: the processor, until a signal ends it. */
export function serveCommand(
  config: () => Config,
  fileSystem: FileSystem,
  configFile: () => string | undefined = () => undefined,
): Command {
  return new Command('serve')
    .description('run the external processor that Envoy talks to')
    .addHelpText(
      'after',
      '\nA second signal ends it at once, without waiting for open exchanges.\nExit codes: 0 ended by a signal, 1 failed or ended at once, 2 the configuration or command line is wrong.',
    )
    .action(() => serve(config(), fileSystem, configFile()));
}

/** Resolves after SIGTERM or SIGINT, when open streams are drained and everything is on disk. */
export async function serve(config: Config, fileSystem: FileSystem, configFile?: string): Promise<void> {
  await using served = new AsyncDisposableStack();
  const log = createLog(config.log.level);
  endOnFault(log, () => process.exit(1));
  const operations = new Operations(Object.keys(config.connections));
  // Before the rest, which may take its time, and gone after it: whoever waits for us can ask.
  served.defer(await serveOperations(config, operations, log));
  const opa = await resolveTool('opa', { env: process.env });
  const { osUser, uid } = currentOperator();
  const policies = await openPolicies({ config, opaBinary: opa.path, account: { osUser, uid }, log, operations });
  const processor = await startProcessor({
    config,
    policy: policies.policy,
    log,
    fileSystem,
    operations,
    onPoison: (err) => {
      // What the disk holds is unknown after a failed sync: only recovery from the disk itself can tell.
      log.fatal({ err }, 'the journal cannot be written; ending');
      process.exit(1);
    },
  });
  const { registry } = operations.metrics;
  served.defer(startSweeping({ config, configFile, log, registry, env: process.env }));
  const endLiveEdit = policies.follow((policy) => processor.usePolicy(policy));
  const signal = await new Promise<string>((resolve) => {
    for (const name of ['SIGTERM', 'SIGINT'] as const) process.once(name, () => resolve(name));
  });
  log.info({ signal }, 'draining');
  for (const name of ['SIGTERM', 'SIGINT'] as const) {
    process.once(name, () => {
      log.fatal({ signal: name }, 'a second signal: ending at once, what is open is interrupted');
      processor.kill();
      process.exit(1);
    });
  }
  await endLiveEdit();
  await processor.stop();
  log.info('ended');
}

/** Returns what ends it. */
async function serveOperations(
  { operations: settings }: Config,
  operations: Operations,
  log: Log,
): Promise<() => Promise<void>> {
  if (!settings.enabled) return async () => {};
  const source = { ready: () => operations.ready(), metrics: () => operations.exposition() };
  const { address, port, close } = await startOperationsServer(settings, source);
  log.info({ address, port }, 'health and metrics are served');
  return close;
}
