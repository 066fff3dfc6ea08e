/**
 * What `skilltape serve` does with policies, and nothing else: says on the channel to its parent which revision is in force,
 * at the start and after each edit. Arguments: the data directory, the policy directory, OPA.
 */
import type { Config } from '../../extproc/config/config.ts';
import { openPolicies } from '../../extproc/live-edit.ts';
import { createLog } from '../../extproc/log.ts';
import { Operations } from '../../extproc/operations/operations.ts';

const [dataDirectory = '', directory = '', opaBinary = ''] = process.argv.slice(2);
const policies = { directory, liveEdit: true, settleMs: 20, pollIntervalMs: 200 };
const limits = { evaluationMaxMs: 5_000, keptVersionsMax: 100 };
const config = { dataDirectory, policies: { ...policies, ...limits } } as Config;
const account = { osUser: 'tester', uid: 1 };
const log = createLog('silent');
const opened = await openPolicies({ config, opaBinary, account, log, operations: new Operations(['claude']) });
process.once('disconnect', () => process.exit());
process.send?.(opened.policy.revision);
opened.follow(async ({ revision }) => {
  process.send?.(revision);
});
