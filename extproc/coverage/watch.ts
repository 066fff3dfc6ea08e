import type { ExchangeLog } from '../exchange/ports.ts';
import { encodeRecord } from '../exchange/record.ts';
import { type Counts, countsOf } from './finding.ts';
import type { LateRecord } from './late-record.ts';
import type { CoverageFigures, CoverageReport } from './report.ts';

/** What is needed of the program's log. */
export type CoverageLog = Record<'info' | 'warn' | 'error', (fields: object, words: string) => void>;

/** The side of the comparison that records and tells, in the thread of the journal. */
export type CoverageWatch = {
  heed(report: CoverageReport): void;
  /** True when the records are on disk; false when the journal takes no new ones now. Rejects as the journal does. */
  write(records: readonly LateRecord[]): Promise<boolean>;
  /** Requests by what was found, since the data directory was made. */
  counts(): Counts;
  /** How long ago the comparison was up to date, in seconds; null before the log was once read to its end. */
  lagSeconds(): number | null;
};

export function watchCoverage(
  log: CoverageLog,
  journal: Pick<ExchangeLog, 'admits' | 'append' | 'sync'>,
  nowMs: () => number,
): CoverageWatch {
  let figures: CoverageFigures = { counts: countsOf(new Map()), comparedUntilMs: null, waiting: null };
  return {
    heed(report) {
      switch (report.kind) {
        case 'figures': {
          const { waiting } = report.figures;
          if (waiting !== null && waiting !== figures.waiting)
            log.warn({ reason: waiting }, 'no access log to compare with');
          if (waiting === null && figures.waiting !== null) log.info({}, 'the access log is there again');
          figures = report.figures;
          return;
        }
        case 'alarm':
          log.error(report.gap, 'a request went upstream without a record');
          return;
        case 'day':
          log.info(report.day, 'coverage of a day');
          return;
        case 'fault':
          log.error({ err: report.error }, 'coverage could not go on; it tries again');
          return;
        default:
          report satisfies never;
      }
    },
    async write(records) {
      if (!journal.admits()) return false;
      for (const { exchangeId, startedMs, endedMs, started, finished } of records) {
        await journal.append(encodeRecord({ exchangeId, timeMs: startedMs, kind: 'started', started }));
        const end = encodeRecord({ exchangeId, timeMs: endedMs, kind: 'finished', finished });
        await journal.append(end, { isEnd: true });
      }
      await journal.sync();
      return true;
    },
    counts: () => figures.counts,
    lagSeconds: () =>
      figures.comparedUntilMs === null ? null : Math.max(0, nowMs() - figures.comparedUntilMs) / 1_000,
  };
}
