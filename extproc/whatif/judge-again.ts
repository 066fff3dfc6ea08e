/** What another policy says of a request that was judged before. */
import type { Verdict } from '../exchange/ports.ts';
import { bothOf } from '../exchange/verdicts.ts';
import { wallClocks } from '../exchange/wall-clock.ts';
import type { PolicyEngine } from '../policy/engine.ts';
import { type AccessInput, accessInput, type RequestInput } from '../policy/input.ts';
import type { JudgedRequest } from './judged-requests.ts';

/**
 * `unknown`: `access` denied it then and does not now; its body was never read, so nobody can say what `request` would.
 */
export type JudgedAgain = Pick<Verdict, 'verdict' | 'reasons'> | 'unknown';

const accessKeys = Object.keys(accessInput.shape) as (keyof AccessInput)[];

/** Both stages, as an exchange asks them. */
export function judgedAgain(
  { input: recorded, decided }: Pick<JudgedRequest, 'input' | 'decided'>,
  policy: Pick<PolicyEngine, 'access' | 'request' | 'timeZones'>,
): JudgedAgain {
  const input = { ...recorded, clock: clockFor(recorded, policy.timeZones) };
  const access = policy.access(accessPartOf(input));
  if (access.verdict === 'deny') return access;
  if (decided.stage === 'access') return 'unknown';
  return bothOf(access.verdict === 'hold' ? access : null, policy.request(input));
}

/** With the zones that this policy looks at; the input has those of the policy that judged it then. */
function clockFor({ time, clock }: AccessInput, timeZones: readonly string[]): AccessInput['clock'] {
  const timeMs = Date.parse(time);
  return Number.isNaN(timeMs) ? clock : wallClocks(timeMs, timeZones);
}

function accessPartOf(input: RequestInput): AccessInput {
  return Object.fromEntries(accessKeys.map((key) => [key, input[key]])) as AccessInput;
}
