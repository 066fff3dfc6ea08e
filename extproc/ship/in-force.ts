import { ownTypesOf } from '../masking/detector-list.ts';
import { DetectionInForce, type OwnDetection } from '../masking/own-detection.ts';
import type { PolicyBundle } from '../policy/bundle.ts';
import { RecordPolicies } from '../policy/record-policies.ts';
import type { FindingCounter } from './finding-counter.ts';

/**
 * What shipping takes from policies: each exchange is asked of the one it began with, and is masked by the detectors in
 * force, so that a name that was added protects at once.
 */
export type InForce = {
  policy: RecordPolicies;
  detection: () => OwnDetection;
  use(bundle: PolicyBundle): Promise<void>;
};

/** `policies`: oldest first. */
export async function inForceWith(policies: readonly PolicyBundle[], findings: FindingCounter): Promise<InForce> {
  const policy = new RecordPolicies();
  const detection = new DetectionInForce();
  const use = async (bundle: PolicyBundle): Promise<void> => {
    await policy.use(bundle);
    detection.use(bundle.detectors);
    findings.know(ownTypesOf(bundle.detectors));
  };
  for (const earlier of policies.slice(0, -1)) await policy.use(earlier);
  for (const last of policies.slice(-1)) await use(last);
  return { policy, detection: () => detection.current, use };
}
