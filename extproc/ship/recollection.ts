import type { CountedUse } from '../index/counted.ts';
import type { Link } from '../index/links.ts';
import type { ShipMemory } from '../index/memory.ts';
import type { OwnedThing } from '../index/owners.ts';
import type { Turns } from '../index/seen-turns.ts';
import type { KeyedHash } from '../keyed-hash.ts';
import { linkKey, ownedKey, ownerKey, personKey } from '../link-key.ts';
import type { thingsBrought } from '../transcript/brought.ts';
import type { Drafted } from '../transcript/draft.ts';
import type { Recall, Thing } from '../transcript/recall.ts';
import type { Transcript } from '../transcript/transcript.ts';

/** What shipping remembers of one exchange and of the documents of its batch: keyed hashes, and what budgets count. */
export type Brought = { turns: Turns[]; links: Link[]; counted: CountedUse | null; owned: OwnedThing[] };

/**
 * What the exchanges of one delivery bring, beside what earlier ones brought: they are written together, and each must
 * already find those before it.
 */
export class Recollection {
  readonly #memory: ShipMemory;
  readonly #keyedHash: KeyedHash;
  #turns: Turns[] = [];
  #links: Link[] = [];
  readonly #retentionClasses = new Map<string, string>();
  readonly #counted: CountedUse[] = [];
  #owned: OwnedThing[] = [];
  readonly #firstByTurn = new Map<string, string>();
  readonly #linkByKey = new Map<string, Link>();
  /** By identity and connection, of which a delivery has few. */
  readonly #scopes = new Map<string, string>();

  constructor(memory: ShipMemory, keyedHash: KeyedHash) {
    this.#memory = memory;
    this.#keyedHash = keyedHash;
  }

  /** Bound to identity and connection: what two people bring, or two connections, is never taken for one another's. */
  recallFor(transcript: Transcript): Recall {
    const scope = this.#scopeOf(transcript);
    return {
      seen: (hash, askedBy) => {
        const first = this.#memory.turns.firstSeenBy(scope, hash) ?? this.#firstByTurn.get(`${scope} ${hash}`);
        return first !== undefined && first !== askedBy;
      },
      origin: (thing, askedBy) => {
        const key = this.#keyOf(transcript, thing);
        const found = key === null ? null : (this.#memory.links.find(key) ?? this.#linkByKey.get(key));
        return found === null || found === undefined || found.eventId === askedBy ? null : found;
      },
    };
  }

  /** The class that the exchange was first shipped with, else the one given. */
  retentionClass(exchangeId: string, decided: string): string {
    const retentionClass = this.#memory.retentionClassOf(exchangeId) ?? decided;
    this.#retentionClasses.set(exchangeId, retentionClass);
    return retentionClass;
  }

  add(transcript: Transcript, { draft, brought }: Drafted): void {
    const scope = this.#scopeOf(transcript);
    const eventId = draft.event.id;
    this.#turns.push({ scope, hashes: brought.turnHashes, exchangeId: eventId });
    for (const hash of brought.turnHashes) remember(this.#firstByTurn, `${scope} ${hash}`, eventId);
    for (const thing of brought.things) {
      const key = this.#keyOf(transcript, thing);
      if (key === null) continue;
      const link = { key, eventId, session: draft.gen_ai.conversation.id };
      this.#links.push(link);
      remember(this.#linkByKey, key, link);
    }
  }

  /** Forgets what the documents of an exchange brought, here and in memory: none of its text goes to the index. */
  forgetExchange(exchangeId: string): void {
    const isOf = (id: string): boolean => id === exchangeId || id.startsWith(`${exchangeId}.`);
    this.#turns = this.#turns.filter((turns) => !isOf(turns.exchangeId));
    this.#links = this.#links.filter(({ eventId }) => !isOf(eventId));
    for (const [turn, id] of this.#firstByTurn) if (isOf(id)) this.#firstByTurn.delete(turn);
    for (const [key, { eventId }] of this.#linkByKey) if (isOf(eventId)) this.#linkByKey.delete(key);
    this.#memory.forgetExchange(exchangeId);
  }

  /** What an exchange that was let through used; nobody's use is counted without an identity. */
  count(
    { exchangeId, started, decided }: Transcript,
    used: Pick<CountedUse, 'inputTokens' | 'outputTokens' | 'spend'>,
  ) {
    const { identity } = started;
    if (identity === null || decided?.verdict !== 'allow') return;
    const session = decided.session?.id ?? exchangeId;
    this.#counted.push({ ...used, exchangeId, session, person: personKey(this.#keyedHash, identity) });
  }

  /** Whoever is given a thing first owns it, whatever becomes of the documents of the exchange. */
  own({ exchangeId, started }: Transcript, brought: ReturnType<typeof thingsBrought>): void {
    const { identity, connection } = started;
    if (identity === null || brought.length === 0) return;
    const owner = ownerKey(this.#keyedHash, identity, connection);
    for (const { kind, id } of brought)
      this.#owned.push({ key: ownedKey(this.#keyedHash, kind, id), owner, exchangeId });
  }

  /** By the id of the exchange; of one that is not among them nothing is remembered. */
  brought(): Map<string, Brought> {
    const all = new Map<string, Brought>();
    const of = (documentId: string): Brought => {
      const [exchangeId = ''] = documentId.split('.', 1);
      const known = all.get(exchangeId) ?? nothingBrought();
      all.set(exchangeId, known);
      return known;
    };
    for (const turns of this.#turns) if (turns.hashes.length > 0) of(turns.exchangeId).turns.push(turns);
    for (const link of this.#links) of(link.eventId).links.push(link);
    for (const counted of this.#counted) of(counted.exchangeId).counted = counted;
    for (const owned of this.#owned) of(owned.exchangeId).owned.push(owned);
    return all;
  }

  /** Before the documents are delivered: an exchange that is shipped again finds itself as the first. */
  write(): void {
    this.#memory.remember(this.#turns, this.#links, this.#retentionClasses, this.#counted, this.#owned);
  }

  #scopeOf({ started, exchangeId }: Transcript): string {
    const { identity, connection } = started;
    if (identity === null) return exchangeId;
    const name = JSON.stringify([identity.issuer, identity.subject, connection]);
    const scope = this.#scopes.get(name) ?? this.#keyedHash('scope', name).slice(0, 32);
    this.#scopes.set(name, scope);
    return scope;
  }

  /** Without a verified identity nothing is found by its name. */
  #keyOf({ started }: Transcript, { kind, ids }: Thing): string | null {
    if (started.identity === null) return null;
    return linkKey(this.#keyedHash, started.identity, started.connection, kind, ids);
  }
}

export function nothingBrought(): Brought {
  return { turns: [], links: [], counted: null, owned: [] };
}

function remember<T>(map: Map<string, T>, key: string, value: T): void {
  if (!map.has(key)) map.set(key, value);
}
