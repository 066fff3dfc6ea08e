import type { Config } from './config/config.ts';
import type { DecodingLimits } from './encoding/limits.ts';
import { writerOptions } from './index/elasticsearch/options.ts';
import type { Position } from './journal/position.ts';
import type { Log } from './log.ts';
import { watchShipping } from './operations/conditions.ts';
import type { Operations } from './operations/operations.ts';
import { ShippingState } from './operations/shipping-state.ts';
import type { PolicyBundle } from './policy/bundle.ts';
import type { ShipReport } from './ship/protocol.ts';
import { superviseShipper } from './ship/supervisor.ts';

export type ShippingParts = {
  config: Config;
  policy: PolicyBundle;
  log: Log;
  journalDirectories: readonly string[];
  journalKey: Uint8Array;
  hashKey: Uint8Array;
  operations: Operations;
  /** Of the `LargeWork` of this process, where streams are taken in it. */
  largeWorkMemory?: SharedArrayBuffer;
  /** For each journal: everything before this position is in the index, and a restart reads on from there. */
  onDelivered: (positions: readonly (Position | null)[]) => void;
};

export type Shipping = {
  /** An exchange ended. */
  wake(): void;
  /** Ships what is recorded, within a bound of its own. */
  stop(): Promise<void>;
};

const shipStopTimeoutMs = 10_000;
const waitingSaidEveryMs = 60_000;

/** Owns the index, and carries to it what the journals hold. */
export function startShipping(parts: ShippingParts): Shipping {
  const { config, log, policy, journalDirectories, journalKey, hashKey } = parts;
  const { metrics, readiness } = parts.operations;
  const state = new ShippingState(Date.now);
  const measure = metrics.shipping.watch(state);
  watchShipping(readiness, state);
  const heed = heedReports(parts.onDelivered, log);
  const shipper = superviseShipper(
    {
      dataDirectory: config.dataDirectory,
      elasticsearch: config.index.kind === 'elasticsearch' ? writerOptions(config.index) : null,
      journalDirectories,
      journalKey,
      hashKey,
      policy,
      textMaxChars: config.index.textMaxChars,
      largeWorkMemory: parts.largeWorkMemory ?? null,
      decoding: decodingLimits(config),
      rememberedDays: config.index.rememberedDays,
    },
    {
      onReport(report) {
        measure(report);
        heed(report);
      },
      onCrash(err) {
        metrics.shipping.crashes.inc();
        log.error({ err }, 'the shipping thread died and is started again');
      },
    },
  );
  return { wake: () => shipper.wake(), stop: () => shipper.stop(shipStopTimeoutMs) };
}

function decodingLimits({ limits: { decodedBodyMaxBytes, decodedRatioMax } }: Config): DecodingLimits {
  return { decodedBodyMaxBytes, decodedRatioMax };
}

/** An index that is away is said at once, then now and then, and when it is back. */
function heedReports(onDelivered: ShippingParts['onDelivered'], log: Log): (report: ShipReport) => void {
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
        onDelivered(report.delivered);
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
      case 'stopped':
        return;
      default:
        report satisfies never;
    }
  };
}
