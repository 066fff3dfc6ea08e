import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Logger } from 'pino';
import type { Config } from './config/config.ts';
import { type CoverageWatch, watchCoverage } from './coverage/watch.ts';
import { SkilltapeError } from './errors.ts';
import { createAttempts } from './exchange/attempts.ts';
import { Exchange } from './exchange/exchange.ts';
import { closeInterrupted } from './exchange/interrupted.ts';
import { LoopShare } from './exchange/loop-share.ts';
import type { Connection, ExchangeContext } from './exchange/ports.ts';
import { createSessionLinks } from './exchange/session-links.ts';
import { Unrouted } from './exchange/unrouted.ts';
import { readerOptions, writerOptions } from './index/elasticsearch/options.ts';
import type { Links } from './index/links.ts';
import { openLinksForReading } from './index/sqlite/links.ts';
import { memoryFile } from './index/sqlite/memory.ts';
import { loadCursor } from './journal/cursor.ts';
import type { FileSystem } from './journal/fs.ts';
import type { Journal } from './journal/journal.ts';
import { openJournal } from './journal/journal.ts';
import { loadOrCreateJournalKey } from './journal/key.ts';
import type { Position } from './journal/position.ts';
import { openJournalReader } from './journal/reader.ts';
import { keyedHashWith } from './keyed-hash.ts';
import type { PolicyBundle } from './policy/bundle.ts';
import { createPolicyEngine } from './policy/engine.ts';
import { createThreadedReader } from './reading/threaded-reader.ts';
import type { ShipOptions, ShipReport } from './ship/protocol.ts';
import { superviseShipper } from './ship/supervisor.ts';
import { startServer } from './wire/server.ts';
import type { StreamExchange } from './wire/stream.ts';

export type ProcessorParts = {
  config: Config;
  policy: PolicyBundle;
  log: Logger;
  /** Where the journal lives; a test puts one here that fails or stalls. */
  fileSystem: FileSystem;
  /** The journal can no longer be trusted to write: the process has to end and recover from disk. */
  onPoison: (error: Error) => void;
};

export type Processor = {
  /** What the comparison with Envoy's log found so far; nothing where no log is configured. */
  readonly coverage: Pick<CoverageWatch, 'counts' | 'lagSeconds'>;
  /** Refuses new streams, ends the open ones within `drainMaxMs`, ships what is recorded and closes the journal. */
  stop(): Promise<void>;
};

const systemClock = { nowMs: () => Date.now() };
const rememberedAttemptsMax = 10_000;
const rememberedSessionLinksMax = 10_000;
const shipStopTimeoutMs = 10_000;

/** The recording side: journal, policy, gRPC server and shipper, put together in the order in which they may fail. */
export async function startProcessor(parts: ProcessorParts): Promise<Processor> {
  await using started = new AsyncDisposableStack();
  const { config, log, policy } = parts;
  mkdirSync(join(config.dataDirectory, 'keys'), { recursive: true, mode: 0o700 });
  const journalKey = await loadOrCreateJournalKey(config.journal.keyFile);
  const hashKey = await loadOrCreateJournalKey(join(config.dataDirectory, 'keys', 'hash.key'));
  const engine = await createPolicyEngine(policy);
  const journalDirectory = join(config.dataDirectory, 'journal');
  const journal = await openRecovered(parts, journalDirectory, journalKey);
  started.defer(() => journal.close());
  const coverage = watchCoverage(log, journal, systemClock.nowMs);
  const shipper = superviseShipper(
    {
      dataDirectory: config.dataDirectory,
      elasticsearch: config.index.kind === 'elasticsearch' ? writerOptions(config.index) : null,
      journalDirectory,
      journalKey,
      hashKey,
      policy,
      textMaxChars: config.index.textMaxChars,
      coverage: coverageOptions(config),
    },
    {
      onReport: heedReports(journal, coverage, log),
      onLateRecords: (records) => coverage.write(records).finally(() => shipper.wake()),
      onCrash: (err) => log.error({ err }, 'the shipping thread died and is started again'),
    },
  );
  started.defer(() => shipper.stop(shipStopTimeoutMs));
  const storedLinks = openLinksForReading(memoryFile(config.dataDirectory, config.index.kind));
  started.defer(() => storedLinks.close());
  const reader = createThreadedReader();
  started.defer(() => reader.close());
  const context: ExchangeContext = {
    log: journal,
    judge: () => engine,
    clock: systemClock,
    connections: connectionsOf(config),
    limits: { ...config.limits, decisionTimeoutMs: config.decisionTimeoutMs },
    budget: { openExchanges: 0, heldBodyBytes: 0 },
    attempts: createAttempts(rememberedAttemptsMax),
    sessionLinks: createSessionLinks(rememberedSessionLinksMax, storedSessionOf(storedLinks, log)),
    reader,
    loopShare: new LoopShare(),
    keyedHash: keyedHashWith(hashKey),
    onFault: (exchange, err) => log.error({ exchange, err }, 'a request was refused because of a fault'),
    onUnrecorded: warnNowAndThen(log),
  };
  const server = await startServer(config.listen, openExchangeWith(context), (exchange, err) => {
    if (err !== undefined) log.warn({ exchange, err }, 'a stream was ended with an error');
    shipper.wake();
  });
  // Disposed in reverse: no stream is open when the last of the journal is shipped, and the journal is closed last.
  started.defer(() => journal.sync());
  started.defer(() => server.drain(config.drainMaxMs));
  const all = started.move();
  server.setServing(true);
  if (config.coverage.accessLogFile === undefined) log.info('coverage is off: coverage.accessLogFile names no log');
  log.info({ policy: policy.revision, connections: [...context.connections.keys()] }, 'recording');
  return {
    coverage,
    async stop() {
      server.setServing(false);
      await all.disposeAsync();
    },
  };
}

async function openRecovered(parts: ProcessorParts, directory: string, key: Uint8Array): Promise<Journal> {
  const { config, log, fileSystem, onPoison } = parts;
  const { segmentMaxBytes, journalMaxBytes, syncIntervalMs } = config.journal;
  const options = { directory, fileSystem, key, segmentMaxBytes, journalMaxBytes, syncIntervalMs, onPoison };
  await using opened = new AsyncDisposableStack();
  const { journal, recovery } = await openJournal(options);
  opened.defer(() => journal.close());
  log.info({ recovery }, 'journal recovered');
  await using readers = new AsyncDisposableStack();
  const reader = openJournalReader({ directory, fileSystem, key });
  readers.defer(() => reader.close());
  const cursor = await loadCursor(directory, 'index', fileSystem);
  const [damage] = recovery.damage;
  if (damage !== undefined) throw damaged(directory, `${damage.file} at byte ${damage.offset}: ${damage.reason}`);
  const interrupted = await closeInterrupted(reader.read(cursor.position), journal, systemClock).catch((error) => {
    throw SkilltapeError.from(error).code === 'journal_corrupt' ? damaged(directory, error.message) : error;
  });
  if (interrupted.length > 0) log.warn({ exchanges: interrupted }, 'exchanges were interrupted by the last end');
  opened.move();
  return journal;
}

/** An index that cannot be read must not refuse requests: the exchange is then a session of its own. */
function storedSessionOf(links: Links, log: Logger): (key: string) => string | null {
  return (key) => {
    try {
      return links.find(key)?.session ?? null;
    } catch (err) {
      log.warn({ err }, 'an earlier session could not be looked up');
      return null;
    }
  };
}

/** One line a second at most: a full journal refuses every request, and the log must not fill the disk as well. */
function warnNowAndThen(log: Logger): (reason: string) => void {
  let refused = 0;
  let saidAt = Number.NEGATIVE_INFINITY;
  return (reason) => {
    refused += 1;
    if (performance.now() - saidAt < 1_000) return;
    log.warn({ reason, refused }, 'requests are refused and leave no record');
    refused = 0;
    saidAt = performance.now();
  };
}

/** No crash leaves this: a disk fault or a hand did it. Going on would build a record on it (inv. 2). */
function damaged(directory: string, what: string): SkilltapeError {
  return new SkilltapeError('journal_corrupt', `the journal is damaged: ${what}`, {
    remedy: `\`skilltape dump --check\` tells how far. Move ${directory} aside, whole, as evidence, and start again.`,
  });
}

const waitingSaidEveryMs = 60_000;

/**
 * Journal space is freed only behind what the index has, and only when space is needed: raw bytes stay while they can.
 * An index that is away is said at once, then now and then, and when it is back.
 */
function heedReports(journal: Journal, coverage: CoverageWatch, log: Logger): (report: ShipReport) => void {
  let waiting = '';
  let shipped = 0;
  let saidAt = Number.NEGATIVE_INFINITY;
  return (report) => {
    switch (report.kind) {
      case 'progress': {
        if (waiting !== '' && report.shipped > shipped) {
          log.info('the index takes exchanges again');
          waiting = '';
        }
        shipped = report.shipped;
        freeBehind(report.delivered, journal, log);
        return;
      }
      case 'masking_failed':
        log.error(report, 'masking failed: only metadata of this exchange can be read');
        return;
      case 'rejected':
        log.error(report, 'an exchange is not in the index: only its record has it');
        return;
      case 'waiting':
        if (report.reason === waiting && performance.now() - saidAt < waitingSaidEveryMs) return;
        waiting = report.reason;
        saidAt = performance.now();
        log.warn(report, 'the index waits');
        return;
      case 'reading':
        log.trace(report, 'exchanges are shipped');
        return;
      case 'coverage':
        coverage.heed(report.report);
        return;
      // The supervisor has them written.
      case 'late_records':
      case 'stopped':
        return;
      default:
        report satisfies never;
    }
  };
}

function freeBehind(delivered: Position | null, journal: Journal, log: Logger): void {
  const { bytes, maxBytes } = journal.usage();
  if (delivered === null || bytes < maxBytes / 2) return;
  journal.free(delivered, maxBytes / 2).catch((err) => log.error({ err }, 'journal space could not be freed'));
}

function coverageOptions({ coverage, index, connections }: Config): ShipOptions['coverage'] {
  const { accessLogFile } = coverage;
  if (accessLogFile === undefined) return null;
  const reader = index.kind === 'elasticsearch' ? readerOptions(index) : null;
  return { ...coverage, accessLogFile, connections: Object.keys(connections), reader };
}

function openExchangeWith(context: ExchangeContext) {
  return ({ connection: name, pathPrefix }: { connection: string; pathPrefix: string }): StreamExchange => {
    if (name === '') return new Unrouted();
    const connection = context.connections.get(name);
    if (connection === undefined) {
      throw new SkilltapeError('protocol_violation', `Envoy's route names the connection ${JSON.stringify(name)}`, {
        remedy: 'Give the route grpc_initial_metadata x-skilltape-connection with a name from skilltape.yaml.',
      });
    }
    return new Exchange(context, connection, pathPrefix);
  };
}

function connectionsOf(config: Config): Map<string, Connection> {
  const connections = new Map<string, Connection>();
  for (const [name, { identityProvider, publicUrl, rewriteResultsUrl }] of Object.entries(config.connections)) {
    const provider = config.identityProviders[identityProvider];
    if (provider === undefined) continue;
    const resultsUrlBase = rewriteResultsUrl && publicUrl !== undefined ? withoutEndSlash(publicUrl) : null;
    connections.set(name, { name, identityProvider: { name: identityProvider, ...provider }, resultsUrlBase });
  }
  return connections;
}

/** In its normal form, which is ASCII. */
function withoutEndSlash(url: string): string {
  return new URL(url).href.replace(/\/+$/, '');
}
