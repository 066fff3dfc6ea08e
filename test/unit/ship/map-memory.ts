import type { Link } from '../../../extproc/index/links.ts';
import type { ShipMemory } from '../../../extproc/index/memory.ts';
import type { Turns } from '../../../extproc/index/seen-turns.ts';

/** What shipping remembers, in maps. */
export class MapMemory implements ShipMemory {
  readonly #turns = new Map<string, string>();
  readonly #links = new Map<string, Link>();
  readonly turns = { firstSeenBy: (scope: string, hash: string) => this.#turns.get(`${scope} ${hash}`) ?? null };
  readonly links = { find: (key: string) => this.#links.get(key) ?? null };
  readonly rejects = { list: () => [], count: () => 0, keep: () => {}, remove: () => {} };

  remember(turns: readonly Turns[], links: readonly Link[]): void {
    for (const { scope, hashes, exchangeId } of turns) {
      for (const hash of hashes) {
        const key = `${scope} ${hash}`;
        if (!this.#turns.has(key)) this.#turns.set(key, exchangeId);
      }
    }
    for (const link of links) if (!this.#links.has(link.key)) this.#links.set(link.key, link);
  }

  forget(exchangeIds: readonly string[]): void {
    const isOf = (id: string) => exchangeIds.some((gone) => id === gone || id.startsWith(`${gone}.`));
    for (const [key, id] of this.#turns) if (isOf(id)) this.#turns.delete(key);
    for (const [key, { eventId }] of this.#links) if (isOf(eventId)) this.#links.delete(key);
  }

  close(): void {}
}
