import { createHash } from 'node:crypto';
import { stringify } from 'yaml';
import type { Config } from './config/config.ts';
import { SkilltapeError } from './errors.ts';
import { fingerprintOf } from './live/fingerprint.ts';
import type { EditOutcome } from './live/live-policies.ts';
import { followPolicies } from './live/live-policies.ts';
import type { Log } from './log.ts';
import type { Operations } from './operations/operations.ts';
import { policyMetrics } from './operations/policy-metrics.ts';
import type { PolicyBundle } from './policy/bundle.ts';
import type { CheckedPolicies } from './policy/check.ts';
import { checkSources } from './policy/check.ts';
import { Rehearsals } from './policy/rehearsal.ts';
import { type PolicySources, readSources, rootOf } from './policy/sources.ts';
import type { Account, Cause } from './versions/versions.ts';
import { Versions } from './versions/versions.ts';

export type LiveEditParts = {
  config: Config;
  opaBinary: string;
  /** Who runs this process. */
  account: Account;
  log: Log;
  operations: Operations;
};

export type LiveEdit = {
  /** In force at the start. */
  policy: PolicyBundle;
  /** Puts in force what is saved from now on. Returns what ends it. */
  follow(use: (policy: PolicyBundle) => Promise<void>): () => Promise<void>;
};

/**
 * Finds the policy to start with, and keeps it and the configuration. Files with a fault do not end a gateway that
 * restarts: the last policy that was in force goes on, and it is said so.
 * @throws SkilltapeError `policy_invalid` when there is none; `tool_missing`
 */
export async function openPolicies(parts: LiveEditParts): Promise<LiveEdit> {
  const { config, account } = parts;
  const { directory, evaluationMaxMs, keptVersionsMax, settleMs, pollIntervalMs, liveEdit } = config.policies;
  const passedTests = { digest: null };
  const rehearsals = new Rehearsals();
  const look = () => fingerprintOf(() => rootOf(directory));
  const check = (sources: PolicySources, from = directory) =>
    checkSources(sources, { opaBinary: parts.opaBinary, directory: from, evaluationMaxMs, passedTests, rehearsals });
  const policies = new Versions(config.dataDirectory, 'policies', { keptMax: keptVersionsMax, account });
  const keep = async ({ bundle, sources }: CheckedPolicies, cause: Cause): Promise<void> => {
    await policies.putInForce(hashOf(bundle.revision), filesOf(sources), { cause, directory });
  };
  const fingerprint = await look();
  const began = await startFrom(parts, policies, check);
  // Its thread is begun again when files change; until then its memory is for exchanges.
  await rehearsals.close();
  await keep(began.checked, began.fault === null ? 'start' : 'kept_at_start');
  await keepConfiguration(parts);
  const inForce = began.checked.bundle;
  return {
    policy: inForce,
    follow(use) {
      const tell = teller(parts);
      if (began.fault !== null) tell({ kind: 'refused', revision: inForce.revision, fault: began.fault });
      if (!liveEdit) return async () => {};
      const followed = followPolicies(
        {
          look,
          prepare: () => rehearsals.prepare(),
          read: () => readSources(directory),
          check,
          keep: (checked) => keep(checked, 'edit'),
          use: ({ bundle }) => use(bundle),
        },
        { directory, settleMs, pollIntervalMs, inForce: inForce.revision, fingerprint, onOutcome: tell },
      );
      return async () => {
        await followed.close();
        await rehearsals.close();
      };
    },
  };
}

type Began = { checked: CheckedPolicies; fault: SkilltapeError | null };

async function startFrom(
  { config, log }: LiveEditParts,
  policies: Versions,
  check: (sources: PolicySources, from?: string) => Promise<CheckedPolicies>,
): Promise<Began> {
  try {
    return { checked: await check(await readSources(config.policies.directory)), fault: null };
  } catch (thrown) {
    const fault = SkilltapeError.from(thrown);
    const last = fault.code === 'policy_invalid' ? await policies.last() : null;
    if (last === null) throw fault;
    log.error(
      { err: fault, policy: last.hash },
      'the policy files have a fault: the last policy in force is started with',
    );
    const checked = await check(await readSources(last.folder), last.folder);
    if (hashOf(checked.bundle.revision) === last.hash) return { checked, fault };
    throw new SkilltapeError(
      'policy_invalid',
      `${fault.message}\n${last.folder}: is not what was in force: it was changed`,
    );
  }
}

/** With all defaults, since those were in force too. There is no secret in it: it names files that hold them. */
async function keepConfiguration({ config, account }: LiveEditParts): Promise<void> {
  const { keptVersionsMax: keptMax } = config.policies;
  const content = Buffer.from(stringify(config));
  const versions = new Versions(config.dataDirectory, 'configurations', { keptMax, account });
  const hash = createHash('sha256').update(content).digest('hex');
  await versions.putInForce(hash, new Map([['skilltape.yaml', content]]), { cause: 'start', directory: null });
}

function filesOf({ compiled, tests, capabilities }: PolicySources): Map<string, Buffer> {
  return new Map([
    ...compiled,
    ...tests,
    ...(capabilities === null ? [] : [['capabilities.json', capabilities] as const]),
  ]);
}

function hashOf(revision: string): string {
  return revision.replace(/^sha256:/, '');
}

/** Tells operators what came of each change: in the log, by figures and by readiness. */
function teller({ log, operations }: LiveEditParts): (outcome: EditOutcome) => void {
  const { metrics, readiness } = operations;
  const figures = policyMetrics(metrics.registry);
  figures.inForceSince(Date.now());
  return (outcome) => {
    figures.count(outcome.kind);
    switch (outcome.kind) {
      case 'in_force': {
        figures.inForceSince(Date.now());
        readiness.ok('policies');
        const { revision, previous, tookMs } = outcome;
        log.info({ policy: revision, previous, tookMs: Math.round(tookMs) }, 'edited policies are in force');
        return;
      }
      case 'unchanged':
        readiness.ok('policies');
        log.info({ policy: outcome.revision }, 'the policy files say what is in force');
        return;
      case 'refused': {
        const { revision, fault } = outcome;
        readiness.degraded(
          'policies',
          `the policy files have a fault, the policy before is in force: ${inShort(fault)}`,
        );
        log.error({ err: fault, policy: revision }, 'the policy files have a fault: the policy before stays in force');
        return;
      }
      default:
        outcome satisfies never;
    }
  };
}

const faultShownMaxChars = 500;

/** The first fault: the log has all of them. */
function inShort({ message }: SkilltapeError): string {
  const [first = '', ...others] = message.split('\n');
  const more = others.length === 0 ? '' : ` (and ${others.length} lines more in the log)`;
  return `${first.slice(0, faultShownMaxChars)}${more}`;
}
