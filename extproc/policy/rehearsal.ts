/**
 * Tries a policy in a thread of its own before it judges anybody: a module has no limit of time, so one that loops would
 * stop the thread that evaluates it.
 */
import { Worker } from 'node:worker_threads';
import { SkilltapeError } from '../errors.ts';
import type { PolicyBundle } from './bundle.ts';
import { allCases } from './smoke.ts';

export type RehearsalAsked = { policy: PolicyBundle; at: Int32Array; evaluationMaxMs: number };
export type RehearsalReply = { fault: string } | { cases: number; slowestMs: number };

/** `slowestMs` is processor time. */
export type Rehearsed = { cases: number; slowestMs: number };

/** For all cases together, by the clock. A usual policy takes a fraction of a second. */
const rehearsalMaxMs = 15_000;
const threadMemoryMaxMb = 128;

export type Rehearsal = {
  /**
   * Loads the policy and has it judge all smoke cases, once.
   * @throws SkilltapeError `policy_invalid`
   */
  run(policy: PolicyBundle, evaluationMaxMs: number): Promise<Rehearsed>;
  close(): Promise<void>;
};

/** Begins the thread, which takes a while: to be called before the policy is compiled. */
export function startRehearsal(): Rehearsal {
  const worker = new Worker(new URL('./rehearsal-worker.ts', import.meta.url), {
    resourceLimits: { maxOldGenerationSizeMb: threadMemoryMaxMb },
  });
  const ended = new Promise<string>((resolve) => {
    worker.once('error', (error) => resolve(error.message));
    worker.once('exit', () => resolve('its thread ended'));
  });
  return {
    async run(policy, evaluationMaxMs) {
      const at = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
      const replied = new Promise<RehearsalReply>((resolve) => worker.once('message', resolve));
      worker.postMessage({ policy, at, evaluationMaxMs } satisfies RehearsalAsked);
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<RehearsalReply>((resolve) => {
        timer = setTimeout(() => resolve({ fault: tookTooLong(at) }), rehearsalMaxMs);
      });
      const died = ended.then((why): RehearsalReply => ({ fault: `the policy cannot be tried: ${why}` }));
      const reply = await Promise.race([replied, late, died]);
      clearTimeout(timer);
      if ('fault' in reply) throw new SkilltapeError('policy_invalid', reply.fault);
      return reply;
    },
    async close() {
      await worker.terminate();
    },
  };
}

function tookTooLong(at: Int32Array): string {
  const found = allCases()[(at[0] ?? 0) - 1];
  if (found === undefined) return `the policy cannot be tried within ${rehearsalMaxMs} ms`;
  return `${found.stage}, ${found.name}: gave no decision within ${rehearsalMaxMs} ms`;
}
