/** The thread of rehearsals: loads a policy and has it judge every smoke case, telling which one it is at. */
import { parentPort } from 'node:worker_threads';
import { SkilltapeError } from '../errors.ts';
import { createPolicyEngine } from './engine.ts';
import type { RehearsalAsked, RehearsalReply } from './rehearsal.ts';
import { allCases, type SmokeExpectation } from './smoke.ts';

/** Made while the policy is compiled. */
const cases = allCases();

parentPort?.on('message', (asked: RehearsalAsked) => {
  rehearse(asked).then(reply, (thrown) => reply({ fault: SkilltapeError.from(thrown).message }));
});

function reply(message: RehearsalReply): void {
  parentPort?.postMessage(message);
}

async function rehearse({ policy, at, evaluationMaxMs }: RehearsalAsked): Promise<RehearsalReply> {
  let failure: SkilltapeError | undefined;
  const engine = await createPolicyEngine(policy, {
    remembers: false,
    onFailure: (error) => {
      failure = error;
    },
  });
  let slowestMs = 0;
  for (const [index, { stage, name, input, expected }] of cases.entries()) {
    at[0] = index + 1;
    failure = undefined;
    const startMs = threadCpuMs();
    const decision = engine[stage](input as never);
    const tookMs = threadCpuMs() - startMs;
    slowestMs = Math.max(slowestMs, tookMs);
    const fault = tookMs > evaluationMaxMs ? slow(tookMs, evaluationMaxMs) : faultOf(expected, decision, failure);
    if (fault !== null) return { fault: `${stage}, ${name}: ${fault}` };
  }
  return { cases: cases.length, slowestMs };
}

function slow(tookMs: number, evaluationMaxMs: number): string {
  return `took ${Math.round(tookMs)} ms of processor time, ${evaluationMaxMs} ms are allowed`;
}

function faultOf(expected: SmokeExpectation, decision: object, failure: SkilltapeError | undefined): string | null {
  switch (expected) {
    case 'in_time':
      // A decision of an odd shape is denied. What breaks the evaluator, by using up its memory, is a fault of the policy.
      return failure?.cause === undefined ? null : `ends without a decision: ${failure.message}`;
    case 'decision':
      return failure === undefined ? null : `no decision: ${failure.message}`;
    case 'denial': {
      const isDenied = 'verdict' in decision && decision.verdict === 'deny';
      return isDenied ? null : 'is not denied, and has to be';
    }
    default:
      return expected satisfies never;
  }
}

/** Of this thread alone: what else the machine does counts for nothing. */
function threadCpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}
