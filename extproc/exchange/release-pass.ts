import { timingSafeEqual } from 'node:crypto';
import type { KeyedHash } from '../keyed-hash.ts';
import type { Clock } from './ports.ts';

/** By which a released request is known on Envoy's release listener; a caller's header of that name never gets so far. */
export const releasePassHeader = 'x-skilltape-release';

/** On the refusal of a pass: only whoever has the key can write it, so no answer of the upstream is taken for one. */
export const releaseRefusedHeader = 'x-skilltape-release-refused';

/** What a pass is good for. */
export type PassedRequest = { exchangeId: string; connection: string; method: string; target: string; bytes: number };

const exchangeIdPattern = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
/** Between the processor and Envoy on one machine; the body follows at once. */
const passLivesMs = 30_000;
/** Passes that were used and could still be shown again. At the limit none is taken (inv. 10). */
const usedMax = 20_000;

/** Whoever remembers which passes were used, for all processes that share the key (extproc/release). */
export type UsedPasses = {
  /** True for the first who asks for this exchange, in whichever process. Rejects when that cannot be known. */
  take(exchangeId: string, untilMs: number): Promise<boolean>;
};

/**
 * The release listener has the credential, and whoever may open its socket could send anything. So each request there
 * shows a pass that only skilltape can write, for one exchange, connection, method, target and length of the body, for
 * half a minute and once. Any worker can check what another one wrote: they share the key and what was used.
 */
export class ReleasePasses {
  readonly #keyedHash: KeyedHash;
  readonly #clock: Clock;
  readonly #usedAnywhere: UsedPasses;
  /** When each that was used here is over, in the order of their use. */
  readonly #used = new Map<string, number>();

  constructor(keyedHash: KeyedHash, clock: Clock, used: UsedPasses) {
    this.#keyedHash = keyedHash;
    this.#clock = clock;
    this.#usedAnywhere = used;
  }

  write(request: PassedRequest): string {
    const untilMs = this.#clock.nowMs() + passLivesMs;
    return `${request.exchangeId}.${untilMs}.${this.#seal(request, untilMs)}`;
  }

  /** What `releaseRefusedHeader` says where this pass was refused. */
  refusalOf(pass: string): string {
    return this.#keyedHash('release-refused', pass);
  }

  /**
   * The exchange that is released by it, or null: it is forged, over, used, or for another request. Rejects when it
   * cannot be known whether it was used.
   */
  async use(pass: string, request: Omit<PassedRequest, 'exchangeId'>): Promise<string | null> {
    const [exchangeId = '', until = '', seal = '', ...more] = pass.split('.');
    const untilMs = Number(until);
    const nowMs = this.#clock.nowMs();
    if (more.length > 0 || !exchangeIdPattern.test(exchangeId) || !/^\d{1,15}$/.test(until)) return null;
    if (untilMs < nowMs || untilMs > nowMs + passLivesMs) return null;
    const expected = this.#seal({ ...request, exchangeId }, untilMs);
    if (seal.length !== expected.length || !timingSafeEqual(Buffer.from(seal), Buffer.from(expected))) return null;
    this.#forget(nowMs);
    if (this.#used.has(exchangeId) || this.#used.size >= usedMax) return null;
    this.#used.set(exchangeId, untilMs);
    return (await this.#usedAnywhere.take(exchangeId, untilMs)) ? exchangeId : null;
  }

  #seal({ exchangeId, connection, method, target, bytes }: PassedRequest, untilMs: number): string {
    return this.#keyedHash('release', JSON.stringify([exchangeId, connection, method, target, bytes, untilMs]));
  }

  #forget(nowMs: number): void {
    for (const [exchangeId, untilMs] of this.#used) {
      if (untilMs >= nowMs) return;
      this.#used.delete(exchangeId);
    }
  }
}
