import type { Config } from './config/config.ts';
import { SkilltapeError } from './errors.ts';
import { closeInterrupted } from './exchange/interrupted.ts';
import type { OnFinished } from './exchange/ports.ts';
import { loadCursor } from './journal/cursor.ts';
import type { FileSystem } from './journal/fs.ts';
import type { Journal } from './journal/journal.ts';
import { openJournal } from './journal/journal.ts';
import { openJournalReader } from './journal/reader.ts';
import type { Log } from './log.ts';

/** Which reader's cursor the oldest open exchange stands behind: shipping's. */
export const indexCursorName = 'index';

export type RecoveryParts = {
  limits: Config['journal'];
  directory: string;
  key: Uint8Array;
  log: Log;
  fileSystem: FileSystem;
  /** The journal can no longer be trusted to write: the process has to end and recover from disk. */
  onPoison: (error: Error) => void;
  /** Told of each exchange that is ended as `interrupted`. */
  onFinished: OnFinished;
};

/**
 * Brings a journal into order after whatever ended its last writer: cuts a torn tail, ends open exchanges as
 * `interrupted` under their ids (inv. 4), and leaves it open. Rejects with `journal_corrupt` for what no crash leaves.
 */
export async function openRecovered(parts: RecoveryParts): Promise<Journal> {
  const { directory, fileSystem, key, log, onPoison } = parts;
  const { segmentMaxBytes, journalMaxBytes, syncIntervalMs } = parts.limits;
  const options = { directory, fileSystem, key, segmentMaxBytes, journalMaxBytes, syncIntervalMs, onPoison };
  await using opened = new AsyncDisposableStack();
  const { journal, recovery } = await openJournal(options);
  opened.defer(() => journal.close());
  log.info({ recovery }, 'journal recovered');
  await using readers = new AsyncDisposableStack();
  const reader = openJournalReader({ directory, fileSystem, key });
  readers.defer(() => reader.close());
  const cursor = await loadCursor(directory, indexCursorName, fileSystem);
  const [damage] = recovery.damage;
  if (damage !== undefined) throw damaged(directory, `${damage.file} at byte ${damage.offset}: ${damage.reason}`);
  const records = reader.read(cursor.position);
  const interrupted = await closeInterrupted(records, journal, systemClock, parts.onFinished).catch((error) => {
    throw SkilltapeError.from(error).code === 'journal_corrupt' ? damaged(directory, error.message) : error;
  });
  if (interrupted.length > 0) log.warn({ exchanges: interrupted }, 'exchanges were interrupted by the last end');
  opened.move();
  return journal;
}

const systemClock = { nowMs: () => Date.now() };

/** No crash leaves this: a disk fault or a hand did it. Going on would build a record on it (inv. 2). */
function damaged(directory: string, what: string): SkilltapeError {
  return new SkilltapeError('journal_corrupt', `the journal is damaged: ${what}`, {
    remedy: `\`skilltape dump --check\` tells how far. Move ${directory} aside, whole, as evidence, and start again.`,
  });
}
