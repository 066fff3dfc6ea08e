import { archiveDirectory } from './archive/places.ts';
import type { ArchiveRecovery } from './archive/recover.ts';
import type { Config } from './config/config.ts';
import type { CoverageWatch } from './coverage/watch.ts';
import type { DecodingLimits } from './encoding/limits.ts';
import { readerOptions, writerOptions } from './index/elasticsearch/options.ts';
import type { Position } from './journal/position.ts';
import type { Log } from './log.ts';
import { watchShipping } from './operations/conditions.ts';
import type { CoverageCounts } from './operations/coverage-metrics.ts';
import { coverageMetrics } from './operations/coverage-metrics.ts';
import type { Operations } from './operations/operations.ts';
import { Seldom } from './operations/seldom.ts';
import { ShippingState } from './operations/shipping-state.ts';
import type { PolicyBundle } from './policy/bundle.ts';
import type { ShipOptions, ShipReport } from './ship/protocol.ts';
import { superviseShipper } from './ship/supervisor.ts';
import { pricesOf } from './usage/price-table.ts';

export type ShippingParts = {
  config: Config;
  policy: PolicyBundle;
  log: Log;
  journalDirectories: readonly string[];
  journalKey: Uint8Array;
  hashKey: Uint8Array;
  operations: Operations;
  coverage: CoverageWatch;
  /** Of the `LargeWork` of this process, where streams are taken in it. */
  largeWorkMemory?: SharedArrayBuffer;
  /** Since it was last asked: shipping gives way then. */
  isRecordingBusy: () => boolean;
  /** For each journal: everything before this position is in the index, and a restart reads on from there. */
  onDelivered: (positions: readonly (Position | null)[]) => void;
};

export type Shipping = {
  /** An exchange ended. */
  wake(): void;
  /** In force from now on. */
  usePolicy(policy: PolicyBundle): void;
  /** Ships what is recorded, within a bound of its own. */
  stop(): Promise<void>;
};

const shipStopTimeoutMs = 10_000;

/** Owns the index, and carries to it what the journals hold. */
export function startShipping(parts: ShippingParts): Shipping {
  const { config, log, policy, journalDirectories, journalKey, hashKey } = parts;
  const { metrics, readiness } = parts.operations;
  const state = new ShippingState(Date.now);
  const measure = metrics.shipping.watch(state);
  watchShipping(readiness, state);
  const heed = heedReports(parts, log);
  // An index that cannot be opened ends the thread once a second.
  const deaths = new Seldom();
  if (config.coverage.accessLogFile === undefined) log.info('coverage is off: coverage.accessLogFile names no log');
  else coverageMetrics(metrics.registry, lagKnown(parts.coverage));
  const shipper = superviseShipper(
    {
      dataDirectory: config.dataDirectory,
      elasticsearch: config.index.kind === 'elasticsearch' ? writerOptions(config.index) : null,
      journalDirectories,
      journalKey,
      hashKey,
      policies: [policy],
      textMaxChars: config.index.textMaxChars,
      maskingBudgetMs: config.masking.exchangeBudgetMs,
      names: config.masking.names ?? null,
      largeWorkMemory: parts.largeWorkMemory ?? null,
      decoding: decodingLimits(config),
      rememberedDays: config.index.rememberedDays,
      rejectsMaxBytes: config.index.rejectsMaxBytes,
      yieldMaxMs: config.index.yieldMaxMs,
      prices: pricesOf(config),
      reveal: config.reveal.keptDays === 0 ? null : config.reveal,
      coverage: coverageOptions(config),
      archive: archivePlaces(config),
    },
    {
      onReport(report) {
        measure(report);
        heed(report);
      },
      isRecordingBusy: parts.isRecordingBusy,
      onLateRecords: (records) => parts.coverage.write(records).finally(() => shipper.wake()),
      onCrash(err) {
        metrics.shipping.crashes.inc();
        const due = deaths.take(err.message);
        if (due !== null) log.error({ err, unsaid: due.unsaid }, 'the shipping thread died and is started again');
      },
    },
  );
  return {
    wake: () => shipper.wake(),
    usePolicy: (next) => shipper.usePolicy(next),
    stop: () => shipper.stop(shipStopTimeoutMs),
  };
}

/** Until the log was once read to its end there is no figure. */
function lagKnown({ counts, lagSeconds }: CoverageWatch): CoverageCounts {
  return { counts, lagSeconds: () => lagSeconds() ?? Number.NaN };
}

function coverageOptions({ coverage, index, connections }: Config): ShipOptions['coverage'] {
  const { accessLogFile } = coverage;
  if (accessLogFile === undefined) return null;
  const reader = index.kind === 'elasticsearch' ? readerOptions(index) : null;
  return { ...coverage, accessLogFile, connections: Object.keys(connections), reader };
}

function archivePlaces({ archive, dataDirectory, index }: Config): ShipOptions['archive'] {
  const { signingKeyFile, segmentMaxBytes, checkpointIntervalMs, checkpointFile = null } = archive;
  const areCheckpointsIndexed = archive.checkpointsInIndex ?? index.kind === 'elasticsearch';
  return {
    areCheckpointsIndexed,
    directory: archiveDirectory(dataDirectory),
    signingKeyFile,
    segmentMaxBytes,
    checkpointIntervalMs,
    checkpointFile,
  };
}

function tellRecovery(recovery: ArchiveRecovery, log: Log): void {
  log.info({ recovery }, 'archive opened');
  if (recovery.damage.length > 0) log.error({ recovery }, 'the archive is damaged: it goes on in a new segment');
}

function decodingLimits({ limits: { decodedBodyMaxBytes, decodedRatioMax } }: Config): DecodingLimits {
  return { decodedBodyMaxBytes, decodedRatioMax };
}

/** An index that is away is said at once, then now and then, and when it is back. */
function heedReports({ onDelivered, coverage }: ShippingParts, log: Log): (report: ShipReport) => void {
  let waiting = new Seldom();
  let isWaiting = false;
  let shipped = 0;
  return (report) => {
    switch (report.kind) {
      case 'progress': {
        if (isWaiting && report.shipped > shipped) {
          log.info('what waited is taken again');
          isWaiting = false;
          waiting = new Seldom();
        }
        shipped = report.shipped;
        onDelivered(report.delivered);
        return;
      }
      case 'masking_failed':
        log.error(report, 'masking failed: only metadata of this exchange can be read');
        return;
      case 'rejected':
        log.error(report, 'an exchange is not in the index: only its record has it');
        return;
      case 'rejects_dropped':
        log.error(report, 'the list of rejects is full: its oldest documents left it');
        return;
      case 'unrevealable':
        log.error(report, 'values behind tokens could not be kept: they cannot be revealed');
        return;
      case 'waiting':
        isWaiting = true;
        if (waiting.take(report.reason) === null) return;
        if (report.waitsFor === 'archive')
          log.error(report, 'the archive cannot be written: what is recorded waits in the journal');
        else log.warn(report, 'the index waits');
        return;
      case 'archive_recovered':
        tellRecovery(report.recovery, log);
        return;
      case 'checkpoint_undelivered':
        log.error(report, 'a checkpoint of the archive did not reach a place outside');
        return;
      case 'reading':
        log.trace(report, 'exchanges are shipped');
        return;
      case 'coverage':
        coverage.heed(report.report);
        return;
      case 'late_records':
      case 'stopped':
        return;
      default:
        report satisfies never;
    }
  };
}
