/**
 * `skilltape serve` in two steps, so that a killed processor is replaced at once: everything is loaded first, and the
 * processor begins on the message `go`. Arguments: `--config FILE --policy FILE` (a bundle that `v8.serialize` wrote).
 */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { deserialize } from 'node:v8';
import { loadConfig } from '../../extproc/config/load.ts';
import { nodeFileSystem } from '../../extproc/journal/node-fs.ts';
import { createLog } from '../../extproc/log.ts';
import { Operations } from '../../extproc/operations/operations.ts';
import type { PolicyBundle } from '../../extproc/policy/bundle.ts';
import { startProcessor } from '../../extproc/processor.ts';
import type { KillPoint } from './kill-point.ts';
import { killPointVariable } from './kill-point.ts';

const { values } = parseArgs({ options: { config: { type: 'string' }, policy: { type: 'string' } }, strict: true });
const config = loadConfig(values.config ?? '', process.env);
const policy = deserialize(readFileSync(values.policy ?? '')) as PolicyBundle;

process.once('message', async ({ killPoint }: { killPoint: KillPoint | null }) => {
  if (killPoint !== null) process.env[killPointVariable] = JSON.stringify(killPoint);
  const log = createLog(config.log.level);
  const onPoison = (err: Error): never => {
    log.fatal({ err }, 'the journal cannot be written; ending');
    process.exit(1);
  };
  const operations = new Operations(Object.keys(config.connections));
  const parts = { config, policy, log, operations, fileSystem: nodeFileSystem };
  const processor = await startProcessor({ ...parts, onPoison });
  process.send?.('recording');
  process.once('SIGTERM', () => void processor.stop().then(() => process.exit(0)));
});
process.send?.('loaded');
