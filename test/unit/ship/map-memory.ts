import type { Link } from '../../../extproc/index/links.ts';
import type { ShipMemory } from '../../../extproc/index/memory.ts';
import type { OwnedThing } from '../../../extproc/index/owners.ts';
import type { Turns } from '../../../extproc/index/seen-turns.ts';

/** What shipping remembers, in maps. */
export class MapMemory implements ShipMemory {
  readonly #turns = new Map<string, string>();
  readonly #links = new Map<string, Link>();
  readonly #classes = new Map<string, string>();
  readonly owners = new Map<string, string>();
  readonly turns = { firstSeenBy: (scope: string, hash: string) => this.#turns.get(`${scope} ${hash}`) ?? null };
  readonly links = { find: (key: string) => this.#links.get(key) ?? null };
  readonly rejects = { each: () => [], count: () => 0, keep: () => {}, remove: () => {} };

  retentionClassOf(exchangeId: string): string | null {
    return this.#classes.get(exchangeId) ?? null;
  }

  remember(
    turns: readonly Turns[],
    links: readonly Link[],
    classes: ReadonlyMap<string, string>,
    _counted: unknown = [],
    owned: readonly OwnedThing[] = [],
  ): void {
    for (const { key, owner } of owned) if (!this.owners.has(key)) this.owners.set(key, owner);
    for (const { scope, hashes, exchangeId } of turns) {
      for (const hash of hashes) {
        const key = `${scope} ${hash}`;
        if (!this.#turns.has(key)) this.#turns.set(key, exchangeId);
      }
    }
    for (const [id, name] of classes) if (!this.#classes.has(id)) this.#classes.set(id, name);
    for (const link of links) if (!this.#links.has(link.key)) this.#links.set(link.key, link);
  }

  forget(documentIds: readonly string[]): void {
    this.#forget((id) => documentIds.includes(id));
  }

  forgetExchange(exchangeId: string): void {
    this.#forget((id) => id === exchangeId || id.startsWith(`${exchangeId}.`));
  }

  #forget(isOf: (id: string) => boolean): void {
    for (const [key, id] of this.#turns) if (isOf(id)) this.#turns.delete(key);
    for (const [key, { eventId }] of this.#links) if (isOf(eventId)) this.#links.delete(key);
  }

  close(): void {}
}
