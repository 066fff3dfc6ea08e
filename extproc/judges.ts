import type { Config } from './config/config.ts';
import type { Judge } from './exchange/ports.ts';
import type { Log } from './log.ts';
import { meteredJudge } from './operations/metered-judge.ts';
import type { Operations } from './operations/operations.ts';
import type { PolicyBundle } from './policy/bundle.ts';
import { createPolicyEngine } from './policy/engine.ts';
import { KeptVersions } from './versions/kept.ts';

export type JudgesParts = { config: Config; log: Log; operations: Operations };

export type Judges = {
  /** Of exchanges that begin now; each keeps the one it began with. */
  current(): Judge;
  /** @throws SkilltapeError `policy_invalid` when it cannot be loaded; then the one before stays */
  use(policy: PolicyBundle): Promise<void>;
};

/** The policy that judges in this process, and how another one takes its place. */
export async function judgesWith(parts: JudgesParts, first: PolicyBundle): Promise<Judges> {
  const { log } = parts;
  let judge = await judgeOf(parts, first);
  return {
    current: () => judge,
    async use(policy) {
      if (policy.revision === judge.revision) return;
      // Whatever is made from a policy's rules and lists is made first, then all of it is put in force at once.
      const next = await judgeOf(parts, policy);
      judge = next;
      log.info({ policy: policy.revision }, 'a policy is in force');
    },
  };
}

/** The policy, timed; that it gives no decision is told to the operator, the caller only hears a denial. */
async function judgeOf({ config, operations, log }: JudgesParts, policy: PolicyBundle): Promise<Judge> {
  const { exchange: metrics } = operations.metrics;
  const looksAtFindings = policy.looksAtFindings || config.policies.requestFindings === 'always';
  const engine = await createPolicyEngine(
    { ...policy, looksAtFindings },
    {
      onFailure(err) {
        metrics.policyFailures.inc();
        log.error({ err }, 'a policy gave no decision: the request is denied');
      },
    },
  );
  return markingUse(meteredJudge(engine, metrics), config);
}

/** Records name the revisions that judged: among those that are kept the others go first. */
function markingUse(judge: Judge, { dataDirectory, policies }: Config): Judge {
  let isMarked = false;
  const mark = (): void => {
    if (isMarked) return;
    isMarked = true;
    const kept = new KeptVersions(dataDirectory, 'policies', policies.keptVersionsMax);
    // What cannot be marked is only removed sooner.
    kept.markUsed(judge.revision.replace(/^sha256:/, '')).catch(() => {});
  };
  return {
    ...judge,
    access(input) {
      mark();
      return judge.access(input);
    },
  };
}
