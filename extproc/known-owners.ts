import type { Config } from './config/config.ts';
import { createOwners } from './exchange/ownership.ts';
import type { Owners } from './exchange/ports.ts';
import { memoryFile } from './index/sqlite/memory.ts';
import { openOwnersForReading } from './index/sqlite/owners.ts';
import type { Log } from './log.ts';
import type { SharedFact } from './workers/protocol.ts';

/** Owners in memory; others are read from what shipping stored. */
const rememberedOwnersMax = 50_000;

/** Whose the things in Claude's workspace are: from the record as it was shipped, and from this worker and the others since. */
export type KnownOwners = {
  readonly owners: Owners;
  /** Another worker learnt it. */
  note(key: string, owner: string): void;
  close(): void;
};

export function knownOwners(parts: {
  config: Config;
  log: Log;
  share?: (fact: SharedFact) => Promise<void>;
}): KnownOwners {
  const { config, log, share } = parts;
  const stored = openOwnersForReading(memoryFile(config.dataDirectory, config.index.kind));
  const known = createOwners(rememberedOwnersMax, (key) => {
    try {
      return stored.ownerOf(key);
    } catch (err) {
      // Nobody is then known to own the thing, and what is nobody's is denied where no list opens it (inv. 2).
      log.warn({ err }, 'the owner of a thing could not be looked up');
      return null;
    }
  });
  return {
    owners: {
      ownerOf: (key) => known.ownerOf(key),
      async claim(key, owner) {
        if (known.ownerOf(key) !== null) return;
        known.claim(key, owner);
        await share?.({ kind: 'owner', key, owner });
      },
    },
    note: (key, owner) => known.claim(key, owner),
    close: () => stored.close(),
  };
}
