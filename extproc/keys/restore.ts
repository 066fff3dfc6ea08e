/** Brings keys back from a backup, but none of a person who was erased since. */
import { join } from 'node:path';
import { readBackup } from './backup.ts';
import { finishErasures } from './erase.ts';
import { nodeKeyFiles } from './files.ts';
import { invalid } from './key-file.ts';
import { addNameKeys } from './names.ts';
import { type MasterKey, privateHalf } from './opener.ts';
import { encodePairFile, type PairFile, pairFileMaxBytes } from './pair-file.ts';
import { type KeyStore, pairOf } from './pairs.ts';
import { pairFileName } from './person.ts';
import { keyPlaces } from './places.ts';
import { continueTombstones, readTombstones, type Tombstones, tombstonesOf } from './tombstones.ts';

const dayMs = 86_400_000;

/** `kept`: pairs that are here already. `leftOut`: of persons who were erased. */
export type Restoration = { restored: number; kept: number; leftOut: number };

export type RestoreOptions = {
  dataDirectory: string;
  backup: Buffer;
  /** For messages. */
  backupName: string;
  /** An older one is refused: it would outlive the erasures that were promised. In days. */
  backupMaxAgeDays: number;
  /** Tombstones as they were kept elsewhere, one a line; null when the operator says that none are missing. */
  tombstones?: Buffer | null;
  master: MasterKey;
  files?: KeyStore['files'];
  nowMs?: () => number;
};

/**
 * One at a time: the caller holds the lock of the directory.
 * @throws SkilltapeError `key_invalid`, before anything was changed, when the backup is too old or damaged, when its
 * master is not here, or when it is not known who was erased since
 */
export async function restoreKeys(options: RestoreOptions): Promise<Restoration> {
  const { dataDirectory, files = nodeKeyFiles, nowMs = Date.now, master } = options;
  const store = { places: keyPlaces(dataDirectory), files };
  const backup = readBackup(options.backup, options.backupName);
  checkAge(backup.madeMs, nowMs(), options);
  const own = await tombstonesOf(store)();
  const all = newestOf(own, backup.tombstones, givenTombstones(own, options));
  const nameBytes = Buffer.from(await master.open(backup.sealedNames));
  const pairs = backup.pairs.filter(({ keyId }) => !all.erasedMs.has(keyId));
  // All of them open, or nothing is changed: a restore with the wrong master would only seem to help.
  for (const pair of pairs) await privateHalf(pair, master);
  // Tombstones before keys: a restore that is broken off brings nobody back.
  await continueTombstones(store, own, all);
  await addNameKeys(store.places, files, inPieces(nameBytes, 32));
  let restored = 0;
  for (const pair of pairs) if (await putBack(store, pair)) restored += 1;
  await finishErasures(store, all);
  return { restored, kept: pairs.length - restored, leftOut: backup.pairs.length - pairs.length };
}

function checkAge(madeMs: number, nowMs: number, { backupName, backupMaxAgeDays }: RestoreOptions): void {
  const days = Math.floor((nowMs - madeMs) / dayMs);
  if (days < backupMaxAgeDays) return;
  throw invalid(
    `${backupName} is ${days} days old; backups of keys are good for ${backupMaxAgeDays} days`,
    'Use a newer one and destroy this one: with it, persons who were erased could be read again.',
  );
}

/** Without tombstones here nobody knows who was erased since the backup was made. */
function givenTombstones(own: Tombstones, { tombstones }: RestoreOptions): Tombstones {
  if (tombstones !== undefined && tombstones !== null) {
    const lines = tombstones.toString('utf8').split('\n').slice(0, -1);
    return readTombstones(
      lines.map((line) => Buffer.from(`${line}\n`)),
      'the given tombstones',
    );
  }
  if (tombstones === null || own.entries.length > 0) return own;
  throw invalid(
    'there are no tombstones here that say who was erased since the backup was made',
    'Give the copy that was kept elsewhere (--tombstones FILE), or say that nobody was erased since (--nobody-erased).',
  );
}

/** The longest, of which the others are the beginning. */
function newestOf(...chains: readonly Tombstones[]): Tombstones {
  const [newest = chains[0], ...others] = chains.toSorted((a, b) => b.files.length - a.files.length);
  for (const other of others) {
    const isBeginning = other.files.every((bytes, at) => newest?.files[at]?.equals(bytes) === true);
    if (isBeginning) continue;
    throw invalid(
      'the tombstones here, in the backup and as given do not continue each other',
      'They are of two installations, or somebody changed them. Restore into an empty data directory with the right ones.',
    );
  }
  return newest as Tombstones;
}

/** False when it is here. Beside a newer pair of the same owner it stands under its own id. */
async function putBack({ places, files }: KeyStore, pair: PairFile): Promise<boolean> {
  const current = join(places.persons, pairFileName(pair.person, pair.retentionClass));
  const bytes = encodePairFile(pair);
  if (await files.create(current, bytes)) return true;
  const found = await files.read(current, pairFileMaxBytes);
  if (found !== undefined && pairOf(current, found.bytes, pair).keyId === pair.keyId) return false;
  return files.create(join(places.persons, pairFileName(pair.person, pair.retentionClass, pair.keyId)), bytes);
}

function inPieces(bytes: Buffer, size: number): Buffer[] {
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) => bytes.subarray(at * size, (at + 1) * size));
}
