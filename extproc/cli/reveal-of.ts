import { existsSync } from 'node:fs';
import type { Config } from '../config/config.ts';
import { openOpener } from '../keys/opener.ts';
import { operatorGroups } from '../looks/operator-groups.ts';
import { SqliteRevealLog } from '../looks/sqlite-reveal-log.ts';
import { compilePolicies } from '../policy/compile.ts';
import { createPolicyEngine } from '../policy/engine.ts';
import { readSealed, revealFile } from '../reveal/store.ts';
import { resolveTool } from '../tools/resolve.ts';
import { masterOf } from './master-of.ts';
import type { RevealDependencies } from './reveal.ts';

/** Policy, keys and sealed values of the configured data directory. */
export function revealOf(config: () => Config, environment: NodeJS.ProcessEnv): RevealDependencies {
  return {
    get revealLog() {
      return new SqliteRevealLog(config().dataDirectory);
    },
    groups: () => operatorGroups(),
    readSealed(session, tokens) {
      const { dataDirectory } = config();
      // Nothing was ever kept.
      return existsSync(revealFile(dataDirectory)) ? readSealed(dataDirectory, session, tokens) : [];
    },
    opener() {
      return openOpener({ dataDirectory: config().dataDirectory, master: masterOf(config()) });
    },
    // As it is in the files now: whoever was taken off the list is off it.
    async policy() {
      const opa = await resolveTool('opa', { env: environment });
      return createPolicyEngine(await compilePolicies({ opaBinary: opa.path, directory: config().policies.directory }));
    },
  };
}
