import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { Comparison } from '../../../extproc/coverage/coverage.ts';
import type { Counts, Gap } from '../../../extproc/coverage/finding.ts';
import type { LateRecord } from '../../../extproc/coverage/late-record.ts';
import { openCoverageLook } from '../../../extproc/coverage/look.ts';
import type { RecordedExchange } from '../../../extproc/coverage/recorded.ts';
import type { CoverageReport } from '../../../extproc/coverage/report.ts';
import { CoverageStore } from '../../../extproc/coverage/store.ts';
import { keyedHashWith } from '../../../extproc/keyed-hash.ts';
import { startMs } from './example.ts';

export const lagMaxMs = 60_000;
export const gapsKeptMax = 100;

/** A log, a record and the comparison of both, with a clock that is set by hand. */
export class Rig {
  readonly directory: string;
  readonly file: string;
  nowMs = startMs;
  readonly written: LateRecord[] = [];
  readonly reports: CoverageReport[] = [];
  /** What the index has; `null`: it is away. */
  index: Map<string, RecordedExchange> | null = new Map();
  readonly open = new Set<string>();
  takesRecords = true;
  /** The process dies between the writing of the records and the storing of what was found. */
  diesAfterWriting = false;
  #store: CoverageStore;
  #comparison: Comparison;

  constructor(
    t: TestContext | null,
    directory: string,
    more: { recordsPerMinute?: number; linesWaitingMax?: number } = {},
  ) {
    this.directory = directory;
    this.file = join(directory, 'access.log');
    this.#more = more;
    [this.#store, this.#comparison] = this.#begin();
    t?.after(() => this.close());
  }

  readonly #more: { recordsPerMinute?: number; linesWaitingMax?: number };

  log(...lines: string[]): void {
    appendFileSync(this.file, lines.map((line) => `${line}\n`).join(''));
  }

  record(...exchanges: RecordedExchange[]): void {
    for (const exchange of exchanges) this.index?.set(exchange.exchangeId, exchange);
    this.#comparison.note(exchanges);
  }

  /** A process that starts again knows what is stored. */
  async restart(): Promise<void> {
    await this.close();
    [this.#store, this.#comparison] = this.#begin();
  }

  /** Time goes by, everything is shipped, and the comparison goes on until it has nothing to do. */
  async pass(ms: number): Promise<void> {
    this.nowMs += ms;
    this.#comparison.shippedUntil(this.nowMs);
    await this.settle();
  }

  async settle(): Promise<void> {
    for (let steps = 0; await this.#comparison.stepOrReport(); steps++) if (steps > 1_000) throw new Error('no end');
  }

  counts(): Partial<Counts> {
    const some = Object.entries(this.#store.found.totals()).filter(([, count]) => count > 0);
    return Object.fromEntries(some) as Partial<Counts>;
  }

  gaps(): Gap[] {
    const look = openCoverageLook(this.directory);
    try {
      return look?.gaps(new Date(0), 100_000) ?? [];
    } finally {
      look?.close();
    }
  }

  async close(): Promise<void> {
    await this.#comparison.end();
    this.#store.close();
  }

  #begin(): [CoverageStore, Comparison] {
    const store = CoverageStore.open(this.directory, gapsKeptMax);
    const options = {
      ...{ accessLogFile: this.file, lagMaxMs, lineMaxBytes: 65_536, gapsKeptMax, connections: ['claude'] },
      ...{ recordsPerMinute: 60, linesWaitingMax: 10_000, ...this.#more },
    };
    const comparison = new Comparison(
      {
        ...{ dataDirectory: this.directory, options, keyedHash: keyedHashWith(new Uint8Array(32)) },
        find: async (id) => {
          if (this.index === null) throw new Error('the index is away');
          return this.index.get(id) ?? null;
        },
        isOpen: (id) => this.open.has(id),
        write: async (records) => {
          if (!this.takesRecords) return false;
          this.written.push(...records);
          if (this.diesAfterWriting) throw new Error('died');
          return true;
        },
        report: (report) => this.reports.push(report),
        nowMs: () => this.nowMs,
      },
      store,
    );
    return [store, comparison];
  }
}
