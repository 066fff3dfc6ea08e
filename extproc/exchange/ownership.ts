import { LRUCache } from 'lru-cache';
import type { OwnedId } from '../claude/owned-ids.ts';
import type { KeyedHash } from '../keyed-hash.ts';
import { ownedKey, ownerKey } from '../link-key.ts';
import type { AccessInput } from '../policy/input.ts';
import type { Owners } from './ports.ts';

/** Who asks, and over which connection; null where nobody is known. */
export type OwnerScope = {
  identity: { issuer: string; subject: string } | null;
  connection: string;
  keyedHash: KeyedHash;
};

/**
 * Remembers the `rememberedMax` owners used last. `stored` knows older ones and those from before a restart; it is asked
 * while a request is held, so it must be quick, and it must not throw. What neither knows is nobody's.
 */
export function createOwners(
  rememberedMax: number,
  stored: (key: string) => string | null = () => null,
): Owners & { claim(key: string, owner: string): void } {
  const ownerByKey = new LRUCache<string, string>({ max: rememberedMax });
  const ownerOf = (key: string): string | null => {
    const remembered = ownerByKey.get(key);
    if (remembered !== undefined) return remembered;
    const owner = stored(key);
    if (owner !== null) ownerByKey.set(key, owner);
    return owner;
  };
  return {
    ownerOf,
    claim(key, owner) {
      if (ownerOf(key) === null) ownerByKey.set(key, owner);
    },
  };
}

type OwnerFact = AccessInput['owners'][number];

/** Whose the things are that a request names, added up by kind and owner, without their ids. */
export function ownerFacts(named: readonly OwnedId[], scope: OwnerScope, owners: Owners): OwnerFact[] {
  // Most requests name nothing, and a keyed hash costs as much as reading their headers does.
  if (named.length === 0) return [];
  const facts = new Map<string, OwnerFact>();
  const caller = scope.identity === null ? null : ownerKey(scope.keyedHash, scope.identity, scope.connection);
  for (const { kind, id } of named) {
    const found = owners.ownerOf(ownedKey(scope.keyedHash, kind, id));
    const owner = found === null ? 'unknown' : found === caller ? 'mine' : 'others';
    const fact = facts.get(`${kind} ${owner}`) ?? { kind, owner, count: 0 };
    facts.set(`${kind} ${owner}`, { ...fact, count: fact.count + 1 });
  }
  return [...facts.values()];
}

/** Whether an answer to this caller, over this connection, made the thing. */
export function isCallers(
  { kind, id }: OwnedId,
  { identity, connection, keyedHash }: OwnerScope,
  owners: Owners,
): boolean {
  if (identity === null) return false;
  return owners.ownerOf(ownedKey(keyedHash, kind, id)) === ownerKey(keyedHash, identity, connection);
}

/** Resolves when whoever may be given the next request knows that these are the caller's. */
export async function claimAll(brought: readonly OwnedId[], scope: OwnerScope, owners: Owners): Promise<void> {
  const { identity, connection, keyedHash } = scope;
  if (identity === null) return;
  const owner = ownerKey(keyedHash, identity, connection);
  await Promise.all(brought.map(({ kind, id }) => owners.claim(ownedKey(keyedHash, kind, id), owner)));
}
