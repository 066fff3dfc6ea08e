import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '../config/config.ts';
import type { Identity } from '../exchange/identity.ts';
import { keyedHashWith } from '../keyed-hash.ts';
import { checkPolicies } from '../policy/check.ts';
import { compilePolicies } from '../policy/compile.ts';
import { createPolicyEngine } from '../policy/engine.ts';
import { unjudgedPrivacy } from '../policy/privacy-decision.ts';
import { resolveTool } from '../tools/resolve.ts';
import { pseudonymOf } from '../transcript/shown-person.ts';
import { judgedRequestsOf } from '../whatif/judged-requests.ts';
import { whatIf } from '../whatif/what-if.ts';
import { archiveOf } from './archive-of.ts';
import { journalsOf } from './recorded-of.ts';
import type { WhatIfDependencies } from './whatif.ts';

/** Over the archive and the journals of this node. */
export function whatIfOf(config: () => Config): WhatIfDependencies {
  return {
    async whatIf(policiesDirectory, range, onProgress) {
      const settings = config();
      const { dataDirectory, policies } = settings;
      await using opened = new AsyncDisposableStack();
      const { path: opaBinary } = await resolveTool('opa', { env: process.env });
      const { evaluationMaxMs } = policies;
      const { bundle } = await checkPolicies({ directory: policiesDirectory, opaBinary, evaluationMaxMs });
      const inForce = await compilePolicies({ directory: policies.directory, opaBinary });
      const policy = await createPolicyEngine(bundle);
      const archive = archiveOf(settings);
      opened.defer(() => archive.close());
      const journals = (await journalsOf(settings)).map(({ source }) => source);
      for (const source of journals) opened.defer(() => source.close());
      // As little as either asks for: a policy that is only tried must not name whom the one in force does not.
      const asks = [bundle, inForce].map(({ data }) => unjudgedPrivacy(data).person);
      const keyedHash = keyedHashWith(readFileSync(join(dataDirectory, 'keys', 'hash.key')));
      const shown = (identity: Identity) =>
        asks.includes('pseudonym') ? pseudonymOf(keyedHash, identity) : identity.email || identity.subject;
      return await whatIf(range, { requests: judgedRequestsOf(archive, journals), policy, shown, onProgress });
    },
  };
}
