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
  /** Space of this journal, in bytes: all of `limits.journalMaxBytes`, or a worker's share. */
  journalMaxBytes: number;
  directory: string;
  key: Uint8Array;
  log: Log;
  fileSystem: FileSystem;
  /** The journal can no longer be trusted to write: the process has to end and recover from disk. */
  onPoison: (error: Error) => void;
  /** Told of each exchange that is ended. */
  onFinished: OnFinished;
};

/**
 * Brings a journal into order after whatever ended its last writer: cuts a torn tail, ends open exchanges under their
 * ids as far as their records say how (inv. 4), and leaves it open. Rejects with `journal_corrupt` for what no crash leaves.
 */
export async function openRecovered(parts: RecoveryParts): Promise<Journal> {
  const { directory, fileSystem, key, log } = parts;
  await using opened = new AsyncDisposableStack();
  const journal = await openUndamaged(parts);
  opened.defer(() => journal.close());
  await using readers = new AsyncDisposableStack();
  const reader = openJournalReader({ directory, fileSystem, key });
  readers.defer(() => reader.close());
  const cursor = await loadCursor(directory, indexCursorName, fileSystem);
  const records = reader.read(cursor.position);
  const ended = await closeInterrupted(records, journal, systemClock, parts.onFinished).catch((error) => {
    throw SkilltapeError.from(error).code === 'journal_corrupt' ? damaged(directory, error.message) : error;
  });
  const interrupted = [...ended].filter(([, outcome]) => outcome === 'interrupted').map(([id]) => id);
  if (interrupted.length > 0) log.warn({ exchanges: interrupted }, 'exchanges were interrupted by the last end');
  if (ended.size > interrupted.length) {
    log.info({ exchanges: ended.size - interrupted.length }, 'exchanges were ended whose answer was whole');
  }
  opened.move();
  return journal;
}

/** Without a look at its exchanges: for whoever knows that none was open when the last writer ended. */
export async function openUndamaged(parts: Omit<RecoveryParts, 'onFinished'>): Promise<Journal> {
  const { directory, fileSystem, key, log, onPoison, journalMaxBytes } = parts;
  const { segmentMaxBytes, syncIntervalMs } = parts.limits;
  const options = { directory, fileSystem, key, segmentMaxBytes, journalMaxBytes, syncIntervalMs, onPoison };
  const { journal, recovery } = await openJournal(options);
  log.info({ recovery }, 'journal recovered');
  const [damage] = recovery.damage;
  if (damage === undefined) return journal;
  await journal.close();
  throw damaged(directory, `${damage.file} at byte ${damage.offset}: ${damage.reason}`);
}

/** Recovers the journal of a worker that is gone, and leaves it closed for the next one. */
export async function takeOver(parts: Omit<RecoveryParts, 'onPoison'>): Promise<void> {
  // A journal that cannot be written rejects the appends of the recovery: there is nothing to be told beside it.
  const journal = await openRecovered({ ...parts, onPoison: () => {} });
  await journal.close();
}

/** Beyond `drainMaxMs`: to record what a drain cut and to close the journal. */
const orphanEndMaxMs = 10_000;
const lockRetryMs = 250;

/**
 * Workers of a primary that was killed drain their streams and end by themselves: so long their journal is waited for.
 * Whatever holds it longer is told of by whoever opens it then.
 */
export async function untilUnlocked(
  { directory, fileSystem, log }: Pick<RecoveryParts, 'directory' | 'fileSystem' | 'log'>,
  drainMaxMs: number,
): Promise<void> {
  await fileSystem.makeDirectory(directory);
  const deadline = performance.now() + drainMaxMs + orphanEndMaxMs;
  for (let said = false; performance.now() < deadline; said = true) {
    const lock = await fileSystem.lock(directory);
    if (lock.status === 'acquired') return lock.release();
    if (!said) log.warn({ holder: lock.holder }, 'waiting for a worker that an earlier primary left');
    await new Promise((resolve) => setTimeout(resolve, lockRetryMs));
  }
}

const systemClock = { nowMs: () => Date.now() };

/** No crash leaves this: a disk fault or a hand did it. Going on would build a record on it (inv. 2). */
function damaged(directory: string, what: string): SkilltapeError {
  return new SkilltapeError('journal_corrupt', `the journal is damaged: ${what}`, {
    remedy: `\`skilltape dump --check\` tells how far. Move ${directory} aside, whole, as evidence, and start again.`,
  });
}
