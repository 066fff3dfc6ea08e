/** The policies that say what is kept of ended exchanges: each exchange is asked of the one it began with. */
import type { SkilltapeError } from '../errors.ts';
import { keptRevisionsMax, type PolicyBundle } from './bundle.ts';
import type { RecordDecision } from './decision.ts';
import { createPolicyEngine, type PolicyEngine } from './engine.ts';
import type { RecordInput } from './input.ts';
import type { PrivacyDecision } from './privacy-decision.ts';

type Options = { onFailure?: (error: SkilltapeError) => void };

export class RecordPolicies {
  readonly #options: Options;
  /** Oldest first; the last one is in force. */
  readonly #engines = new Map<string, PolicyEngine>();
  #inForce: PolicyEngine | undefined;

  constructor(options: Options = {}) {
    this.#options = options;
  }

  /**
   * Puts a policy in force that was tried before. Whatever else this thread makes from a policy's rules and lists is made
   * here too, before any of it is in force.
   * @throws SkilltapeError `policy_invalid`; then the one before stays
   */
  async use(bundle: PolicyBundle): Promise<void> {
    const engine = this.#engines.get(bundle.revision) ?? (await createPolicyEngine(bundle, this.#options));
    // Behind the others again, when an edit was taken back.
    this.#engines.delete(bundle.revision);
    this.#engines.set(bundle.revision, engine);
    this.#inForce = engine;
    for (const oldest of this.#engines.keys()) {
      if (this.#engines.size <= keptRevisionsMax) break;
      this.#engines.delete(oldest);
    }
  }

  /** What is shown of exchanges that are not judged. */
  get unjudgedPrivacy(): PrivacyDecision | undefined {
    return this.#inForce?.unjudgedPrivacy;
  }

  /** `revision` names the policy that decided: the one asked for where it is still kept, else the one in force. */
  record(input: RecordInput, revision: string | null): RecordDecision & { revision: string } {
    const engine = (revision === null ? undefined : this.#engines.get(revision)) ?? this.#inForce;
    if (engine === undefined) throw new Error('no policy was put in force yet');
    return { ...engine.record(input), revision: engine.revision };
  }
}
