import { once } from 'node:events';
import type { Config } from '../config/config.ts';
import { erasedPersons } from '../keys/erased-person.ts';
import { operatorGroups } from '../looks/operator-groups.ts';
import { compilePolicies } from '../policy/compile.ts';
import { createPolicyEngine } from '../policy/engine.ts';
import { Pending } from '../retention/erase.ts';
import { resolveTool } from '../tools/resolve.ts';
import type { ExportDependencies } from './export.ts';
import { retentionOf } from './retention-of.ts';
import { version } from './version.ts';

/** Out of the index that the configuration names. */
export function exportOf(config: () => Config, environment: NodeJS.ProcessEnv): ExportDependencies {
  return {
    version,
    groups: () => operatorGroups(),
    // As it is in the files now: whoever was taken off the list is off it.
    async policy() {
      const opa = await resolveTool('opa', { env: environment });
      return createPolicyEngine(await compilePolicies({ opaBinary: opa.path, directory: config().policies.directory }));
    },
    async erased() {
      const erasedMs = await erasedPersons(config().dataDirectory);
      // An index that was away when somebody was erased has their documents still, perhaps under a pseudonym.
      const waiting = await retentionOf(config)(async (parts) =>
        (await new Pending(parts).list()).map((person) => ({ ...person, ids: parts.idsOf(person) })),
      );
      return ({ '@timestamp': time, user }) => {
        if (user === null) return false;
        const person = { issuer: user.domain, subject: user.id };
        if (Date.parse(time) < (erasedMs(person) ?? 0)) return true;
        return waiting.some(
          ({ issuer, ids, beforeMs }) => issuer === user.domain && ids.includes(user.id) && Date.parse(time) < beforeMs,
        );
      };
    },
    async writeOut(text) {
      if (process.stdout.listenerCount('error') === 0) process.stdout.on('error', endedByReader);
      if (!process.stdout.write(text)) await once(process.stdout, 'drain');
    },
  };
}

/** A reader that went away has not all of it. */
function endedByReader(error: NodeJS.ErrnoException): void {
  if (error.code === 'EPIPE') process.exit(1);
  throw error;
}
