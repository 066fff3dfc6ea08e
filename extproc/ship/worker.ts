import { readlinkSync } from 'node:fs';
import { setPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import type { Coverage } from '../coverage/coverage.ts';
import { SkilltapeError } from '../errors.ts';
import { openElasticsearchIndex } from '../index/elasticsearch/open.ts';
import type { ShipMemory } from '../index/memory.ts';
import type { IndexSink } from '../index/port.ts';
import { memoryFile, SqliteMemory } from '../index/sqlite/memory.ts';
import { SqliteIndex } from '../index/sqlite/writer.ts';
import { loadCursor, saveCursor } from '../journal/cursor.ts';
import { nodeFileSystem } from '../journal/node-fs.ts';
import { comparePositions, type Position } from '../journal/position.ts';
import { openJournalReader } from '../journal/reader.ts';
import { keyedHashWith } from '../keyed-hash.ts';
import { Masker } from '../masking/masker.ts';
import { createPolicyEngine } from '../policy/engine.ts';
import { coverageOf, noted } from './coverage.ts';
import { createPipeline } from './pipeline.ts';
import type { ShipCommand, ShipReport, ShipStart } from './protocol.ts';
import { ReadingMark } from './reading-mark.ts';
import { Shipper } from './shipper.ts';

const cursorName = 'index';
const retryDelayMs = 1_000;
/** Saving costs three syncs on the disk that the journal writes to; a restart delivers this much again. */
const cursorIntervalMs = 1_000;
/** A nice value; a thread of the usual 0 is given about nine times as much. */
const shipPriority = 10;
/** The main thread wakes us; this is for a wake that was lost with a crashed thread. */
const idlePollMs = 5_000;

/** The shipping thread: everything after an exchange's end, off the thread that answers Envoy. */
async function run(options: ShipStart): Promise<void> {
  yieldToRecording();
  const reader = openJournalReader({
    directory: options.journalDirectory,
    fileSystem: nodeFileSystem,
    key: options.journalKey,
  });
  const { index, memory } = await openIndex(options);
  const mark = new ReadingMark(options.reading);
  const pipeline = createPipeline({
    masker: new Masker({ key: options.hashKey }),
    policy: await createPolicyEngine(options.policy),
    index,
    memory,
    keyedHash: keyedHashWith(options.hashKey),
    textMaxChars: options.textMaxChars,
    reduced: new Set(options.reduced),
    onReading: (exchangeId) => mark.set(exchangeId),
    onMaskingFailed: (exchangeId, reason) => report({ kind: 'masking_failed', exchangeId, reason }),
  });
  const cursor = await loadCursor(options.journalDirectory, cursorName);
  if (cursor.status === 'damaged') report({ kind: 'waiting', reason: `the cursor is damaged: ${cursor.reason}` });
  const commands = new Commands();
  const coverage = coverageOf(options, {
    isOpen: (exchangeId) => shipper.isOpen(exchangeId),
    write: (records) => commands.lateRecordsTaken(() => report({ kind: 'late_records', records })),
    report: (message) => report({ kind: 'coverage', report: message }),
  });
  const shipper = new Shipper(reader, coverage === null ? pipeline : noted(pipeline, coverage), cursor.position, {
    onDelivering(exchangeIds) {
      mark.set(exchangeIds[0] ?? null);
      report({ kind: 'reading', exchangeIds });
    },
    onRejected: (exchangeId, reason) => report({ kind: 'rejected', exchangeId, reason }),
  });
  await ship({ shipper, coverage, commands, journalDirectory: options.journalDirectory }, cursor.position);
  await coverage?.stop();
  await index.close();
  memory.close();
  await reader.close();
  report({ kind: 'stopped' });
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
}: ShipStart): Promise<{ index: IndexSink; memory: ShipMemory }> {
  if (elasticsearch === null) {
    const memory = SqliteMemory.open(memoryFile(dataDirectory, 'sqlite'));
    return { index: SqliteIndex.open(dataDirectory), memory };
  }
  const memory = SqliteMemory.open(memoryFile(dataDirectory, 'elasticsearch'));
  return { index: await openElasticsearchIndex(elasticsearch, memory.rejects), memory };
}

type Shipping = { shipper: Shipper; coverage: Coverage | null; commands: Commands; journalDirectory: string };

/** Until `stop`, and then to the end of the journal as it is then. */
async function ship({ shipper, coverage, commands, journalDirectory }: Shipping, from: Position | null): Promise<void> {
  let saved = from;
  let savedAt = Number.NEGATIVE_INFINITY;
  const isCursorDue = () => performance.now() - savedAt >= cursorIntervalMs;
  for (;;) {
    const stopping = commands.stopRequested;
    const beganMs = Date.now();
    const result = await shipper.advance(isCursorDue);
    const status = shipper.status();
    if (result.kind === 'caught_up') coverage?.shippedUntil(beganMs);
    if (result.kind === 'paused') coverage?.shippedUntil(shipper.readUntilMs);
    if (stopping || isCursorDue()) {
      if (status.delivered !== null && (saved === null || comparePositions(status.delivered, saved) !== 0)) {
        await saveCursor(journalDirectory, cursorName, status.delivered);
        saved = status.delivered;
      }
      savedAt = performance.now();
    }
    // Only what is behind the saved cursor may be freed: a restart reads on from there.
    report({ kind: 'progress', ...status, delivered: saved });
    if (result.kind === 'paused') continue;
    if (result.kind === 'retry') report({ kind: 'waiting', reason: result.reason });
    if (stopping) return;
    await commands.next(result.kind === 'retry' ? retryDelayMs : idlePollMs);
  }
}

/** Commands of the main thread; several wakes while we ship count as one. */
class Commands {
  stopRequested = false;
  #woken = false;
  #resolve: (() => void) | undefined;
  #taken: ((isWritten: boolean) => void) | undefined;

  constructor() {
    parentPort?.on('message', (command: ShipCommand) => {
      if (command.kind === 'late_records_taken') {
        this.#taken?.(command.isWritten);
        return;
      }
      if (command.kind === 'stop') this.stopRequested = true;
      this.#woken = true;
      this.#resolve?.();
    });
  }

  lateRecordsTaken(send: () => void): Promise<boolean> {
    return new Promise((resolve) => {
      this.#taken = resolve;
      send();
    });
  }

  async next(timeoutMs: number): Promise<void> {
    if (!this.#woken) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, timeoutMs);
        this.#resolve = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    this.#resolve = undefined;
    this.#woken = false;
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
