import { readFileSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import { archiveDirectory } from '../archive/places.ts';
import { Retirement } from '../archive/retire.ts';
import { loadOrCreateSigningKey } from '../archive/signing.ts';
import type { Config } from '../config/config.ts';
import { SkilltapeError } from '../errors.ts';
import { memoryFile } from '../index/sqlite/memory.ts';
import { removeRejectsOf } from '../index/sqlite/rejects-retention.ts';
import { nodeFileSystem } from '../journal/node-fs.ts';
import { oldestRecordMs } from '../journal/oldest.ts';
import { journalDirectory, journalsIn } from '../journal/places.ts';
import { keyedHashWith } from '../keyed-hash.ts';
import { erasePerson, keyIdsOfPerson } from '../keys/erase.ts';
import { nodeKeyFiles } from '../keys/files.ts';
import { decodeSealedKey } from '../keys/sealed-key.ts';
import type { EraseParts } from '../retention/erase.ts';
import { retentionDirectory } from '../retention/event-log.ts';
import { Holds } from '../retention/holds.ts';
import type { PersonName } from '../retention/parts.ts';
import { Receipts } from '../retention/receipts.ts';
import { rulesOf } from '../retention/rules.ts';
import { RevealRetention } from '../reveal/retention.ts';
import { pseudonymOf } from '../transcript/shown-person.ts';
import { useOf } from '../volume.ts';
import { openRetentionOf } from './index-of.ts';

/** Gives every store to `run`, one command at a time. */
export type WithRetention = <T>(run: (parts: EraseParts) => Promise<T>) => Promise<T>;

/** The stores of the configured data directory. */
export function retentionOf(config: () => Config): WithRetention {
  return async (run) => {
    const directory = retentionDirectory(config().dataDirectory);
    await nodeFileSystem.makeDirectory(directory);
    const lock = await nodeFileSystem.lock(directory);
    if (lock.status === 'held')
      throw new SkilltapeError('usage', `retention is in use by ${lock.holder}`, {
        remedy: 'wait for the other `skilltape retention`, `hold` or `erase` to end',
      });
    try {
      return await run(await partsOf(config(), directory));
    } finally {
      await lock.release();
    }
  };
}

async function partsOf(config: Config, directory: string): Promise<EraseParts> {
  const { dataDirectory, index } = config;
  const key = await loadOrCreateSigningKey(config.archive.signingKeyFile, nodeFileSystem);
  const log = { directory, fileSystem: nodeFileSystem, key };
  const keyedHash = keyedHashWith(readFileSync(join(dataDirectory, 'keys', 'hash.key')));
  const idsOf = (person: PersonName) => [person.subject, pseudonymOf(keyedHash, person)];
  return {
    archive: new Retirement({
      directory: archiveDirectory(dataDirectory),
      ...{ fileSystem: nodeFileSystem, key, nowMs: Date.now },
      ownerOf: (sealed) => decodeSealedKey(sealed).person,
    }),
    openIndex: () => openRetentionOf(config),
    openReveal: () => RevealRetention.open(dataDirectory),
    holds: await Holds.open({ ...log, nowMs: Date.now }),
    receipts: await Receipts.open(log),
    disk: () => useOf(statfsSync(dataDirectory)),
    rules: rulesOf(config.retention),
    ...{ idsOf, nowMs: Date.now, directory, files: nodeKeyFiles },
    keys: {
      keyIds: (person) => keyIdsOfPerson({ dataDirectory, person }),
      async erase(person) {
        const erased = await erasePerson({ dataDirectory, person });
        return erased.kind === 'erased' ? erased.keys : 0;
      },
    },
    async oldestInJournalsMs() {
      const workers = await journalsIn(dataDirectory);
      const oldest = await Promise.all(
        workers.map((worker) => oldestRecordMs(journalDirectory(dataDirectory, worker))),
      );
      return Math.min(...oldest);
    },
    removeRejects: (person, before) => {
      const file = memoryFile(dataDirectory, index.kind);
      return removeRejectsOf(file, { issuer: person.issuer, ids: idsOf(person) }, before);
    },
  };
}
