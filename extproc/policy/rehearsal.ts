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
/** Whoever edits a rule saves it again soon; until then the thread takes memory. */
const threadIdleMaxMs = 10 * 60_000;

/** One thread for many policies, one after the other: it takes longer to begin than what it is for. */
export class Rehearsals {
  #thread: Thread | undefined;
  #idle: NodeJS.Timeout | undefined;

  /** Begins the thread, if there is none: to be called before a policy is compiled. */
  prepare(): void {
    clearTimeout(this.#idle);
    this.#idle = setTimeout(() => void this.close(), threadIdleMaxMs).unref();
    if (this.#thread !== undefined) return;
    const thread = beginThread();
    this.#thread = thread;
    void thread.ended.then(() => {
      if (this.#thread === thread) this.#thread = undefined;
    });
  }

  /**
   * Loads the policy and has it judge all smoke cases. One at a time.
   * @throws SkilltapeError `policy_invalid`
   */
  async run(policy: PolicyBundle, evaluationMaxMs: number): Promise<Rehearsed> {
    this.prepare();
    const thread = this.#thread ?? beginThread();
    const at = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<'late'>((resolve) => {
      timer = setTimeout(() => resolve('late'), rehearsalMaxMs);
    });
    const reply = await Promise.race([thread.ask({ policy, at, evaluationMaxMs }), late, thread.ended]);
    clearTimeout(timer);
    if (typeof reply === 'object' && 'cases' in reply) return reply;
    // What did not answer may be in a loop, and what answered with a fault in any state.
    await this.close();
    throw new SkilltapeError('policy_invalid', reply === 'late' ? tookTooLong(at) : reply.fault);
  }

  async close(): Promise<void> {
    clearTimeout(this.#idle);
    const thread = this.#thread;
    this.#thread = undefined;
    await thread?.end();
  }
}

type Thread = {
  ask(asked: RehearsalAsked): Promise<RehearsalReply>;
  /** Resolves when the thread ended by itself. */
  ended: Promise<{ fault: string }>;
  end(): Promise<unknown>;
};

function beginThread(): Thread {
  const worker = new Worker(new URL('./rehearsal-worker.ts', import.meta.url), {
    resourceLimits: { maxOldGenerationSizeMb: threadMemoryMaxMb },
  });
  // A thread that waits for a policy does not keep the process.
  worker.unref();
  return {
    ask(asked) {
      worker.postMessage(asked);
      return new Promise((resolve) => worker.once('message', resolve));
    },
    ended: new Promise((resolve) => {
      const fault = (why: string) => resolve({ fault: `the policy cannot be tried: ${why}` });
      worker.once('error', (error) => fault(error.message));
      worker.once('exit', () => fault('its thread ended'));
    }),
    end: () => worker.terminate(),
  };
}

function tookTooLong(at: Int32Array): string {
  const found = allCases()[(at[0] ?? 0) - 1];
  if (found === undefined) return `the policy cannot be tried within ${rehearsalMaxMs} ms`;
  return `${found.stage}, ${found.name}: gave no decision within ${rehearsalMaxMs} ms`;
}
