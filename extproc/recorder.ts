import { ThreadedDesk } from './approvals/desk.ts';
import { ticketsFile } from './approvals/places.ts';
import type { Config, ListenConfig } from './config/config.ts';
import { connectionsOf, refusalShare } from './connections.ts';
import { SkilltapeError } from './errors.ts';
import { createAttempts } from './exchange/attempts.ts';
import { CountedRefusals } from './exchange/counted-refusals.ts';
import { EndReports } from './exchange/end-report.ts';
import { Exchange } from './exchange/exchange.ts';
import { LoopShare } from './exchange/loop-share.ts';
import type { ExchangeContext, ExchangeLimits } from './exchange/ports.ts';
import { type RunningExchanges, StoppableExchange } from './exchange/running.ts';
import { Unrouted } from './exchange/unrouted.ts';
import { wallClocks } from './exchange/wall-clock.ts';
import { watchHeapGrowth } from './heap-growth.ts';
import type { FileSystem } from './journal/fs.ts';
import type { Journal } from './journal/journal.ts';
import type { Position } from './journal/position.ts';
import { openJournalReader } from './journal/reader.ts';
import { JournalSpace } from './journal-space.ts';
import { judgesWith } from './judges.ts';
import { keyedHashWith } from './keyed-hash.ts';
import { knownTo } from './known.ts';
import { type LargeWork, PassingBytes } from './large-work.ts';
import type { Log } from './log.ts';
import { watchJournalSpace } from './operations/conditions.ts';
import type { ExchangeMetrics } from './operations/exchange-metrics.ts';
import { MeteredExchange } from './operations/metered-exchange.ts';
import type { Operations } from './operations/operations.ts';
import type { PolicyBundle } from './policy/bundle.ts';
import { createThreadedReader } from './reading/threaded-reader.ts';
import { type ReleaseWays, streamedRelease } from './release-ways.ts';
import { heedStops } from './stop-heeding.ts';
import { admittedBy, guardedVolume } from './volume-guard.ts';
import type { ReportSink } from './wire/report-stream.ts';
import { startServer } from './wire/server.ts';
import type { Route, StreamExchange } from './wire/stream.ts';
import type { SharedFact } from './workers/protocol.ts';

export type RecorderParts = {
  config: Config;
  policy: PolicyBundle;
  log: Log;
  /** Recovered; the recorder writes to it alone and does not close it. */
  journal: Journal;
  /** Where that journal's files are, to read bodies back that memory had no room for. */
  place: { directory: string; fileSystem: FileSystem; key: Uint8Array };
  hashKey: Uint8Array;
  operations: Operations;
  listen: ListenConfig;
  /** Within `drainMaxMs`: until Envoy has seen that this one stops, so that it sends new streams to another one. */
  drainNoticeMs: number;
  /** The journal grew by an end. */
  onExchangeEnd: () => void;
  /** Where the shipping thread is in this process too. */
  largeReading?: LargeWork;
  /** Resolves when the other workers know it, or a moment later. Absent where there are none. */
  share?: (fact: SharedFact) => Promise<void>;
};

export type Recorder = {
  /** Everything before this position is in archive and index: the journal may free it. */
  delivered(position: Position): void;
  /** Another worker learnt it. */
  note(fact: SharedFact): void;
  /**
   * Exchanges that begin from now on are judged by it; the others end with the one they began with.
   * @throws SkilltapeError `policy_invalid` when it cannot be loaded; then the one before stays
   */
  usePolicy(policy: PolicyBundle): Promise<void>;
  /** Tells Envoy's health checks to send nothing more. */
  stopServing(): void;
  /** Says that it stops, refuses new streams, ends the open ones within `drainMaxMs`, and syncs the journal. */
  stop(): Promise<void>;
};

const systemClock = { nowMs: () => Date.now() };
const rememberedAttemptsMax = 10_000;
/** Envoy reports an end within milliseconds of it; an Envoy that does not report keeps no exchange open for long. */
const endReportMaxWaitMs = 2_000;

/** The recording side: policy, exchanges and gRPC server over one journal, in the order in which they may fail. */
export async function startRecorder(parts: RecorderParts): Promise<Recorder> {
  await using started = new AsyncDisposableStack();
  const { config, journal, log, place } = parts;
  const { metrics, readiness } = parts.operations;
  const judges = await judgesWith(parts, parts.policy);
  readiness.ok('policies');
  // The first use of the runtime's calendars takes longer than an exchange may hold up the others.
  wallClocks(systemClock.nowMs(), []);
  const reader = started.adopt(readerOf(parts), (opened) => opened.close());
  const space = started.adopt(new JournalSpace({ journal, limits: config.journal, log }), (one) => one.close());
  const spooled = started.adopt(openJournalReader(place), (opened) => opened.close());
  const approvals = started.adopt(deskOf(config), (desk) => desk.close());
  const known = started.use(await knownTo(parts));
  const { running } = started.adopt(heedStops(parts), (stops) => stops.close());
  const endReports = new EndReports({ maxWaitMs: endReportMaxWaitMs });
  const refusals = countedRefusalsOf(parts);
  const volume = started.adopt(await guardedVolume(parts), (watch) => watch.stop());
  const context: ExchangeContext = {
    log: admittedBy(volume, journal),
    judge: judges.current,
    clock: systemClock,
    connections: connectionsOf(config),
    limits: limitsOf(config),
    budget: { openExchanges: 0, heldBodyBytes: 0 },
    volume,
    spool: { heldBytes: 0, passing: new PassingBytes(), readAt: (position) => spooled.readAt(position) },
    callers: new Map(),
    attempts: createAttempts(rememberedAttemptsMax),
    ...known.earlier,
    endReports,
    refusals,
    approvals,
    stops: running,
    reader,
    loopShare: new LoopShare(),
    keyedHash: keyedHashWith(parts.hashKey),
    ...observersOf(parts),
  };
  watchAll(parts, context);
  started.defer(watchHeapGrowth(context.budget));
  const ways = { release: streamedRelease(config, context), running };
  metrics.exchange.watchHolds(ways.release.holds);
  const open = openExchangeWith(context, metrics.exchange, ways);
  const server = await startServer(parts.listen, open, onStreamEndOf(parts), handingOn(endReports, parts.share));
  // Disposed in reverse: the journal is synced when no stream is open any more.
  started.defer(() => journal.sync());
  started.defer(() => refusals.stop());
  const drainNoticeMs = Math.min(parts.drainNoticeMs, config.drainMaxMs / 2);
  started.defer(() => server.drain(config.drainMaxMs - drainNoticeMs));
  const all = started.move();
  server.setServing(true);
  readiness.ok('listener');
  log.info({ policy: judges.current().revision, connections: [...context.connections.keys()] }, 'recording');
  return {
    delivered: (position) => space.delivered(position),
    note: (fact) => (fact.kind === 'end_report' ? endReports.take(fact.exchangeId, fact.report) : known.note(fact)),
    usePolicy: (policy) => judges.use(policy).then(() => reader.useDetectors(policy.detectors)),
    stopServing: () => server.setServing(false),
    async stop() {
      readiness.failed('drain', 'the processor is stopping: open exchanges are drained');
      server.setServing(false);
      // Whoever is held is told to come again, so that no open stream waits for people.
      approvals.drain();
      if (drainNoticeMs > 0) await new Promise((resolve) => setTimeout(resolve, drainNoticeMs));
      await all.disposeAsync();
    },
  };
}

function deskOf({ dataDirectory, approvals }: Config): ThreadedDesk {
  return new ThreadedDesk({ file: ticketsFile(dataDirectory), limits: approvals });
}

function readerOf({ place: { directory, key }, largeReading, policy }: RecorderParts) {
  return createThreadedReader({ directory, key }, largeReading, policy.detectors);
}

function watchAll({ journal, operations: { metrics, readiness } }: RecorderParts, context: ExchangeContext): void {
  metrics.exchange.watch(context);
  metrics.journal.watch(journal);
  watchJournalSpace(readiness, journal);
}

function countedRefusalsOf({ config, journal, operations }: RecorderParts): CountedRefusals {
  const { countedRefusals } = operations.metrics.exchange;
  return new CountedRefusals(refusalShare(config), journal, systemClock, () => countedRefusals.inc());
}

function onStreamEndOf({ log, operations, onExchangeEnd }: RecorderParts) {
  return (exchange: string | undefined, err: Error | undefined): void => {
    if (err !== undefined) operations.metrics.exchange.streamErrors.inc();
    if (err !== undefined) log.warn({ exchange, err }, 'a stream was ended with an error');
    onExchangeEnd();
  };
}

function limitsOf({ limits, decisionTimeoutMs, approvals }: Config): ExchangeLimits {
  return { ...limits, decisionTimeoutMs, holdMaxMs: approvals.holdMaxMs };
}

/** Told by the exchanges what the operator is to know. */
function observersOf({
  operations,
  log,
}: RecorderParts): Pick<ExchangeContext, 'onFinished' | 'onFault' | 'onUnrecorded'> {
  const { exchange: metrics } = operations.metrics;
  const warn = warnNowAndThen(log);
  return {
    onFinished: metrics.onFinished,
    onFault(exchange, err) {
      metrics.faults.inc();
      log.error({ exchange, err }, 'a request was refused because of a fault');
    },
    onUnrecorded(reason) {
      metrics.unrecorded.inc();
      warn(reason);
    },
  };
}

/** A thread of Envoy reports to one worker, whichever has the exchange. */
function handingOn(endReports: EndReports, share: RecorderParts['share']): ReportSink {
  return {
    take(exchangeId, report) {
      if (!endReports.take(exchangeId, report)) void share?.({ kind: 'end_report', exchangeId, report });
    },
    close: () => endReports.close(),
  };
}

/** One line a second at most: a full journal refuses every request, and the log must not fill the disk as well. */
function warnNowAndThen(log: Log): (reason: string) => void {
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

function openExchangeWith(
  shared: ExchangeContext,
  metrics: ExchangeMetrics,
  { release, running }: { release: ReleaseWays; running: RunningExchanges },
) {
  // What is counted is shared; a connection may have limits of its own.
  const contexts = new Map(
    [...shared.connections.values()].map((connection) => [
      connection,
      { ...shared, limits: { ...shared.limits, ...connection.limits }, streamed: release.streamedFor(connection) },
    ]),
  );
  return ({ connection: name, pathPrefix, isRelease }: Route): StreamExchange => {
    if (name === '') return new Unrouted();
    const connection = shared.connections.get(name);
    const context = connection && contexts.get(connection);
    if (connection === undefined || context === undefined) {
      throw new SkilltapeError('protocol_violation', `Envoy's route names the connection ${JSON.stringify(name)}`, {
        remedy: 'Give the route grpc_initial_metadata x-skilltape-connection with a name from skilltape.yaml.',
      });
    }
    if (isRelease) return release.gate(context, connection, pathPrefix);
    const exchange = new Exchange(context, connection, pathPrefix);
    return new StoppableExchange(new MeteredExchange(exchange, name, metrics), exchange, running);
  };
}
