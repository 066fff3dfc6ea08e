import { readlinkSync } from 'node:fs';
import { setPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import type { Archive } from '../archive/archive.ts';
import type { Coverage } from '../coverage/coverage.ts';
import { SkilltapeError } from '../errors.ts';
import type { ShipMemory } from '../index/memory.ts';
import type { IndexSink } from '../index/port.ts';
import { memoryFile, SqliteMemory } from '../index/sqlite/memory.ts';
import { SqliteIndex } from '../index/sqlite/writer.ts';
import { loadCursor, saveCursor } from '../journal/cursor.ts';
import { nodeFileSystem } from '../journal/node-fs.ts';
import { journalNumber } from '../journal/places.ts';
import { comparePositions, type Position } from '../journal/position.ts';
import type { JournalReader } from '../journal/reader.ts';
import { openJournalReader } from '../journal/reader.ts';
import { keyedHashWith } from '../keyed-hash.ts';
import { erasePerson } from '../keys/erase.ts';
import { collectGarbage, LargeWork, largeMinBytes } from '../large-work.ts';
import { Masker } from '../masking/masker.ts';
import { ErasedPersons } from '../retention/erasures.ts';
import { spendOf } from '../usage/spend.ts';
import { AheadOfIndex, openArchive } from './archiving.ts';
import type { Brake } from './brake.ts';
import { brakedCommands, type Commands } from './commands.ts';
import { coverageOf, noted } from './coverage.ts';
import { type ErasedParts, withoutErased } from './erased.ts';
import { FindingCounter } from './finding-counter.ts';
import { inForceWith } from './in-force.ts';
import type { NameFinder } from './name-finder.ts';
import { createPipeline } from './pipeline.ts';
import type { ShipReport, ShipStart } from './protocol.ts';
import { ReadingMark } from './reading-mark.ts';
import { keeperOf } from './reveal.ts';
import type { Advance, ShipperEvents } from './shipper.ts';
import { Shipper } from './shipper.ts';

const cursorName = 'index';
const retryDelayMs = 1_000;
/** Saving costs three syncs on the disk that the journal writes to; a restart delivers this much again. */
const cursorIntervalMs = 1_000;
/** A nice value; a thread of the usual 0 is given about nine times as much. */
const shipPriority = 10;
/** The main thread wakes us; this is for a wake that was lost with a crashed thread. */
const idlePollMs = 5_000;
/** Whoever reads for a verdict goes first. */
const patienceMs = 30_000;

function eventsOf(mark: ReadingMark): ShipperEvents {
  return {
    onDelivering(exchangeIds) {
      mark.set(exchangeIds[0] ?? null);
      report({ kind: 'reading', exchangeIds });
    },
    onRejected: (exchangeId, reason) => report({ kind: 'rejected', exchangeId, reason }),
  };
}

/** The shipping thread: everything after an exchange's end, off the thread that answers Envoy. */
async function run(options: ShipStart): Promise<void> {
  yieldToRecording();
  const journals = await Promise.all(options.journalDirectories.map((directory) => openFollowed(directory, options)));
  const { index, memory } = await openIndex(options);
  const mark = new ReadingMark(options.reading);
  const findings = new FindingCounter();
  const inForce = await inForceWith(options.policies, findings);
  const archive = await openArchive(options, (place) => shipper.endAt(place), report);
  const tokenKeeper = await keeperOf(options, report);
  const parts = {
    tokenKeeper,
    masker: new Masker({ key: options.hashKey }),
    policy: inForce.policy,
    detection: inForce.detection,
    index,
    archive,
    memory,
    keyedHash: keyedHashWith(options.hashKey),
    textMaxChars: options.textMaxChars,
    names: await nameFinderOf(options),
    spendOf: (billed: Parameters<typeof spendOf>[0]) => spendOf(billed, options.prices),
    maskingBudgetMs: options.maskingBudgetMs,
    decoding: options.decoding,
    reduced: new Set(options.reduced),
    onReading: (exchangeId: string | null) => mark.set(exchangeId),
    onMaskingFailed: (exchangeId: string, reason: string) => report({ kind: 'masking_failed', exchangeId, reason }),
    onFindings: (type: string, count: number) => findings.add(type, count),
  };
  const erased = erasedIn(options.dataDirectory);
  const pipeline = withoutErased(createPipeline(parts), erased);
  const largeWork = new LargeWork('shipping', patienceMs, options.largeWorkMemory ?? undefined);
  const { commands, brake } = brakedCommands(inForce.use, options.yieldMaxMs);
  const coverage = coverageOf(options, {
    isOpen: (exchangeId) => shipper.isOpen(exchangeId),
    write: (records) => commands.lateRecordsTaken(() => report({ kind: 'late_records', records })),
    report: (message) => report({ kind: 'coverage', report: message }),
  });
  // What is left of the exchanges before is collected first: it may be as large again.
  const run = <T>(bytes: number, work: () => Promise<T>): Promise<T> =>
    largeWork.run(bytes, async () => {
      if (bytes >= largeMinBytes) collectGarbage();
      return work();
    });
  const sink = coverage === null ? pipeline : noted(pipeline, coverage);
  const shipper = new Shipper(journals, sink, eventsOf(mark), { run });
  const reopened = (at: number, { directory }: Followed) =>
    readAgain(directory, shipper.status().delivered[at] ?? null, options);
  const ahead =
    archive &&
    new AheadOfIndex(() => journals.map((one, at) => reopened(at, one)), { ...parts, archive, erased }, { run });
  await ship({
    ...{ shipper, coverage, commands, brake, journals, largeWork, findings },
    archiving: archive && ahead && { archive, ahead },
  });
  await ahead?.stop();
  await coverage?.stop();
  await shipper.close();
  await archive?.close().catch(reportArchiveAway);
  tokenKeeper?.close();
  await index.close();
  memory.close();
  for (const { source } of journals) await source.close();
  report({ kind: 'stopped' });
}

function erasedIn(dataDirectory: string): ErasedParts {
  const persons = new ErasedPersons(dataDirectory);
  return {
    refresh: () => persons.refresh(),
    has: (person, startedMs) => persons.has(person, startedMs),
    eraseKeys: ({ issuer, subject }) => erasePerson({ dataDirectory, person: { issuer, subject } }),
  };
}

/** Loaded where there is one. */
async function nameFinderOf({ names }: ShipStart): Promise<NameFinder | null> {
  return names === null ? null : (await import('./http-name-finder.ts')).httpNameFinder(names);
}

/** A second reader of a journal, from a place in it. */
function readAgain(directory: string, from: Position | null, { journalKey }: ShipStart) {
  const source = openJournalReader({ directory, fileSystem: nodeFileSystem, key: journalKey });
  return { source, from, number: journalNumber(directory), close: () => source.close() };
}

/** One journal, and where a restart reads on in it. */
type Followed = { directory: string; source: JournalReader; from: Position | null; number: number };

async function openFollowed(directory: string, { journalKey }: ShipStart): Promise<Followed> {
  const cursor = await loadCursor(directory, cursorName);
  if (cursor.status === 'damaged') report({ kind: 'waiting', reason: `the cursor is damaged: ${cursor.reason}` });
  const source = openJournalReader({ directory, fileSystem: nodeFileSystem, key: journalKey });
  return { directory, source, from: cursor.position, number: journalNumber(directory) };
}

/**
 * Recording comes before indexing where processors are short. Linux has priorities of single threads; elsewhere, and
 * where it is not allowed, this thread is like any other.
 */
function yieldToRecording(): void {
  try {
    const [processId, , threadId] = readlinkSync('/proc/thread-self').split('/');
    if (processId === String(process.pid)) setPriority(Number(threadId), shipPriority);
  } catch {
    // Only slower.
  }
}

/** The embedded index keeps its memory in its own file, so that deleting it forgets both. */
async function openIndex({
  dataDirectory,
  elasticsearch,
  rememberedDays,
  rejectsMaxBytes,
}: ShipStart): Promise<{ index: IndexSink; memory: ShipMemory }> {
  const rejects = {
    maxBytes: rejectsMaxBytes,
    onDropped: (count: number) => report({ kind: 'rejects_dropped', count }),
  };
  const bounds = { rememberedDays, rejects };
  if (elasticsearch === null) {
    const index = SqliteIndex.open(dataDirectory, undefined, rejects);
    return { index, memory: index.memory(bounds) };
  }
  const memory = SqliteMemory.open(memoryFile(dataDirectory, 'elasticsearch'), undefined, bounds);
  const { openElasticsearchIndex } = await import('../index/elasticsearch/open.ts');
  return { index: await openElasticsearchIndex(elasticsearch, memory.rejects), memory };
}

type Shipping = {
  shipper: Shipper;
  coverage: Coverage | null;
  commands: Commands;
  brake: Brake;
  journals: readonly Followed[];
  largeWork: LargeWork;
  findings: FindingCounter;
  archiving: { archive: Archive; ahead: AheadOfIndex } | null;
};

/** Until `stop`, and then to the ends of the journals as they are then. */
async function ship(parts: Shipping): Promise<void> {
  const { shipper, coverage, commands, brake, journals, largeWork, findings, archiving } = parts;
  const cursors = journals.map((journal) => new SavedCursor(journal));
  let savedAt = Number.NEGATIVE_INFINITY;
  const isCursorDue = () => performance.now() - savedAt >= cursorIntervalMs;
  const undeliveredSinceMs = () => shipper.status().undeliveredSinceMs;
  const isPauseDue = () => isCursorDue() || brake.isOn(undeliveredSinceMs());
  for (;;) {
    await brake.released(undeliveredSinceMs());
    const stopping = commands.stopRequested;
    const beganMs = Date.now();
    let result: Advance | undefined;
    try {
      brake.reading();
      result = await shipper.advance(isPauseDue);
      if (result.kind !== 'retry') coverage?.shippedUntil(shipper.readUntilMs(beganMs));
    } finally {
      const { delivered, ...counts } = shipper.status();
      // After a fault too: one journal that cannot be read must not keep the space of the others.
      if (stopping || isCursorDue() || result === undefined) {
        for (const [at, cursor] of cursors.entries()) await cursor.save(delivered[at] ?? null);
        savedAt = performance.now();
      }
      // Only what is behind the saved cursor may be freed: a restart reads on from there.
      const positions = cursors.map(({ position }) => position);
      report({ kind: 'progress', ...counts, findings: findings.totals(), delivered: positions });
    }
    if (largeWork.takeWorked()) collectGarbage();
    if (result.kind === 'paused') continue;
    const waits = await archivedMeanwhile(result, archiving);
    if (waits !== null) report({ kind: 'waiting', ...waits });
    if (stopping) return;
    await commands.next(result.kind === 'retry' ? retryDelayMs : idlePollMs);
  }
}

/** What is waited for after this; null for nothing. While the index is away, exchanges are archived nevertheless. */
async function archivedMeanwhile(result: Advance, archiving: Shipping['archiving']): Promise<Waits | null> {
  const waits =
    result.kind === 'retry' ? { reason: result.reason, ...(result.waitsFor && { waitsFor: result.waitsFor }) } : null;
  if (archiving === null) return waits;
  const { archive, ahead } = archiving;
  if (waits === null) {
    await ahead.stop();
    await archive.idle().catch(reportArchiveAway);
    return null;
  }
  if (waits.waitsFor === 'archive') return waits;
  return (await ahead.advance()) ?? waits;
}

type Waits = { reason: string; waitsFor?: 'archive' };

/** What was archived stays; what was to be signed is signed when the archive is opened again. */
function reportArchiveAway(thrown: unknown): void {
  report({ kind: 'waiting', reason: SkilltapeError.from(thrown).message, waitsFor: 'archive' });
}

/** One journal's cursor as it is on disk. */
class SavedCursor {
  readonly #directory: string;
  position: Position | null;

  constructor({ directory, from }: Followed) {
    this.#directory = directory;
    this.position = from;
  }

  async save(position: Position | null): Promise<void> {
    const { position: saved } = this;
    if (position === null || (saved !== null && comparePositions(position, saved) === 0)) return;
    await saveCursor(this.#directory, cursorName, position);
    this.position = position;
  }
}

function report(message: ShipReport): void {
  parentPort?.postMessage(message);
}

run(workerData as ShipStart).then(
  () => parentPort?.close(),
  (error) => {
    throw SkilltapeError.from(error);
  },
);
