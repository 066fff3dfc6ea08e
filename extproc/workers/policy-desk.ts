import type { PolicyBundle } from '../policy/bundle.ts';

/** A worker that has not put a policy in force by then would go on judging by an old one, and is ended (inv. 2). */
export const policyUseMaxMs = 10_000;

/** One worker as the desk sees it. */
export type PolicyUser = {
  worker: number;
  send(policy: PolicyBundle): void;
  /** At once, also when it is frozen; it is started again, with the policy in force. */
  end(): void;
};

/** In the primary: hands a policy to workers, and ends those that do not say in time that it is in force there. */
export class PolicyDesk {
  readonly #waiting = new Map<number, { revision: string; resolve: (isUsed: boolean) => void }>();

  /** Resolves when each of them uses it, died, or was ended. */
  async use(policy: PolicyBundle, users: readonly PolicyUser[], onLate: (worker: number) => void): Promise<void> {
    await Promise.all(
      users.map(async (user) => {
        if (await this.#used(policy, user)) return;
        onLate(user.worker);
        user.end();
      }),
    );
  }

  used(worker: number, revision: string): void {
    const waiting = this.#waiting.get(worker);
    if (waiting?.revision === revision) waiting.resolve(true);
  }

  /** It died: the one after it begins with the policy in force. */
  gone(worker: number): void {
    this.#waiting.get(worker)?.resolve(true);
  }

  async #used(policy: PolicyBundle, { worker, send }: PolicyUser): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const waiting = { revision: policy.revision, resolve };
    // A newer policy takes the place of one that is still waited for.
    this.#waiting.get(worker)?.resolve(true);
    this.#waiting.set(worker, waiting);
    const timer = setTimeout(() => resolve(false), policyUseMaxMs);
    send(policy);
    const isUsed = await promise;
    clearTimeout(timer);
    if (this.#waiting.get(worker) === waiting) this.#waiting.delete(worker);
    return isUsed;
  }
}
