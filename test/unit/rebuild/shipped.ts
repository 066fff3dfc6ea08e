/** A data directory as a gateway leaves it: journals, archive and index, filled by what shipping does. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { TestContext } from 'node:test';
import { Archive } from '../../../extproc/archive/archive.ts';
import { ArchiveReader } from '../../../extproc/archive/reader.ts';
import { Retirement } from '../../../extproc/archive/retire.ts';
import { newSigningKey } from '../../../extproc/archive/signing.ts';
import { SkilltapeError } from '../../../extproc/errors.ts';
import { encodeRecord, type RecordBody } from '../../../extproc/exchange/record.ts';
import type { IndexSink } from '../../../extproc/index/port.ts';
import type { IndexRetention } from '../../../extproc/index/retention.ts';
import { SqliteMemory } from '../../../extproc/index/sqlite/memory.ts';
import { SqliteRetention } from '../../../extproc/index/sqlite/retention.ts';
import { indexFile } from '../../../extproc/index/sqlite/schema.ts';
import { SqliteSearch } from '../../../extproc/index/sqlite/search.ts';
import { SqliteIndex } from '../../../extproc/index/sqlite/writer.ts';
import { type Journal, openJournal } from '../../../extproc/journal/journal.ts';
import { nodeFileSystem } from '../../../extproc/journal/node-fs.ts';
import { journalDirectory } from '../../../extproc/journal/places.ts';
import { openJournalReader } from '../../../extproc/journal/reader.ts';
import { builtInDetection } from '../../../extproc/masking/own-detection.ts';
import type { RecordInput } from '../../../extproc/policy/input.ts';
import { usualMasking } from '../../../extproc/policy/masking-decision.ts';
import type { FillingParts } from '../../../extproc/rebuild/filling.ts';
import { rebuildDirectory } from '../../../extproc/rebuild/places.ts';
import type { RebuildOptions } from '../../../extproc/rebuild/rebuild.ts';
import { createPipeline, type PipelineParts } from '../../../extproc/ship/pipeline.ts';
import { Shipper } from '../../../extproc/ship/shipper.ts';
import type { Transcript } from '../../../extproc/transcript/transcript.ts';
import { decodingLimits } from '../../builders/decoding.ts';
import { FakeKeys } from '../archive/rig.ts';
import { keyedHash, masker } from '../transcript/example.ts';

const key = new Uint8Array(32).fill(3);
const workers = [1, 2];
/** What shipping remembers is forgotten by the clock; exchanges were shipped on the day that they ended. */
export const now = () => new Date(Date.UTC(2026, 0, 15, 11));

export class Shipped {
  readonly directory = mkdtempSync(join(tmpdir(), 'skilltape-test-rebuild-'));
  readonly keys = new FakeKeys();
  readonly #signing = newSigningKey();
  #journals: Journal[] = [];

  static async begin(t: TestContext): Promise<Shipped> {
    const shipped = new Shipped();
    t.after(async () => {
      await shipped.stop();
      rmSync(shipped.directory, { recursive: true });
    });
    await shipped.start();
    return shipped;
  }

  /** Journals begin at their first segments, as after the old ones were moved away. */
  async start(): Promise<void> {
    for (const worker of workers) {
      const place = { directory: journalDirectory(this.directory, worker), fileSystem: nodeFileSystem, key };
      const limits = { segmentMaxBytes: 2 ** 20, journalMaxBytes: 2 ** 30, syncIntervalMs: 50, onPoison: () => {} };
      this.#journals.push((await openJournal({ ...place, ...limits })).journal);
    }
  }

  /** Gives the locks of the journals back. */
  async stop({ dropJournals = false } = {}): Promise<void> {
    for (const journal of this.#journals) await journal.close();
    this.#journals = [];
    if (!dropJournals) return;
    for (const worker of workers) rmSync(journalDirectory(this.directory, worker), { recursive: true });
  }

  async write(transcript: Transcript, worker = 1): Promise<void> {
    const { exchangeId, started, decided, answer, finished, requestBody, answerBody } = transcript;
    const journal = this.#journals[worker - 1];
    if (journal === undefined) throw new Error('the journals are closed');
    const append = (timeMs: number, body: RecordBody) => journal.append(encodeRecord({ ...body, exchangeId, timeMs }));
    const { startedMs, finishedMs } = transcript;
    await append(startedMs, { kind: 'started', started });
    await append(startedMs, { kind: 'request_body', bytes: requestBody });
    if (decided !== null) await append(startedMs, { kind: 'decided', decided });
    if (answer !== null) await append(startedMs, { kind: 'answer_started', answer });
    await append(startedMs, { kind: 'answer_body', bytes: answerBody });
    await append(finishedMs, { kind: 'finished', finished });
  }

  /** What is in the journals goes to the archive, unless told otherwise, and to the index; the embedded one unless another is opened. */
  async ship({
    intoArchive = true,
    memory = SqliteMemory.open(indexFile(this.directory), now),
    openIndex = async (_rejects: SqliteMemory['rejects']): Promise<IndexSink> => SqliteIndex.open(this.directory),
  } = {}): Promise<void> {
    const index = await openIndex(memory.rejects);
    const journals = workers.map((number) => ({ source: this.#reader(number), number, from: null }));
    const archive = new Archive({
      ...{ directory: join(this.directory, 'archive'), fileSystem: nodeFileSystem, key: this.#signing },
      ...{ sealer: this.keys, segmentMaxBytes: 16 * 1024, checkpointIntervalMs: 0, nowMs: Date.now, sinks: [] },
      findEnd: async (place) => shipper.endAt(place),
      onRecovered: () => {},
      onSinkFailed: () => {},
    });
    const pipeline = createPipeline({
      ...documentParts,
      ...{ memory, index, archive: intoArchive ? archive : null, tokenKeeper: null, reduced: new Set() },
      onReading: () => {},
      onMaskingFailed: () => {},
      onFindings: () => {},
    });
    const shipper = new Shipper(journals, pipeline, { onDelivering: () => {}, onRejected: () => {} });
    const result = await shipper.advance();
    if (result.kind !== 'caught_up') throw new Error('not shipped');
    await shipper.close();
    await archive.close();
    for (const { source } of journals) await source.close();
    await index.close();
    memory.close();
  }

  /** The days of the content of these classes are over: a sweep takes it from archive and index. */
  async expire(...classes: string[]): Promise<void> {
    await this.expireFrom(SqliteRetention.open(this.directory), ...classes);
  }

  /** The same of another index, which is closed then. */
  async expireFrom(index: Pick<IndexRetention, 'days' | 'reduce' | 'close'>, ...classes: string[]): Promise<void> {
    const retirement = new Retirement({
      ...{ directory: join(this.directory, 'archive'), fileSystem: nodeFileSystem, key: this.#signing },
      ...{ ownerOf: () => '', nowMs: Date.now },
    });
    for (const family of await retirement.families())
      if (classes.includes(family.retentionClass)) await retirement.delete(family, 'retention');
    for (const day of await index.days()) if (classes.includes(day.retentionClass)) await index.reduce(day, []);
    await index.close();
  }

  loseIndex(file = indexFile(this.directory)): void {
    for (const end of ['', '-wal', '-shm']) rmSync(`${file}${end}`, { force: true });
  }

  /** Everything that rebuilding needs; `changed` replaces what makes the documents. */
  rebuilding(
    t: TestContext,
    changed: Partial<typeof documentParts & Pick<FillingParts, 'leftOf' | 'isErased'>> = {},
  ): RebuildOptions & { said: string[] } {
    const said: string[] = [];
    const directory = join(this.directory, 'archive');
    const place = { directory, fileSystem: nodeFileSystem, opener: this.keys };
    const archive = new ArchiveReader(place);
    const metadata = new ArchiveReader({ ...place, of: 'metadata' });
    const journals = workers.map((number) => ({ source: this.#reader(number), number, from: null }));
    t.after(async () => {
      await archive.close();
      await metadata.close();
      for (const { source } of journals) await source.close();
    });
    return {
      ...{ dataDirectory: this.directory, workers: 2, fileSystem: nodeFileSystem, archive, metadata, journals, said },
      file: { made: indexFile(rebuildDirectory(this.directory)), wanted: indexFile(this.directory) },
      hasDocuments: null,
      rules: 'sha256:1',
      erasures: async () => String(this.keys.erased.size),
      onProgress: () => {},
      onFailed: (exchangeId, reason) => said.push(`${exchangeId} ${reason}`),
      async open(place) {
        mkdirSync(place, { recursive: true });
        let reachedMs = 0;
        const memory = SqliteMemory.open(indexFile(place), () => new Date(reachedMs));
        const index = SqliteIndex.open(place);
        const search = SqliteSearch.open(place);
        const onReached = (endedMs: number) => {
          reachedMs = endedMs;
        };
        const close = async () => {
          await search.close();
          await index.close();
          memory.close();
        };
        return {
          parts: {
            ...documentParts,
            leftOf: () => 'all' as const,
            isErased: () => false,
            ...changed,
            memory,
            index,
            search,
            onReached,
          },
          close,
        };
      },
    };
  }

  /** All that an index answers with: every row of it and of what shipping remembers, but for row numbers. */
  everything(): Record<string, string[]> {
    const file = indexFile(this.directory);
    return { ...rowsOf(file, tablesOfIndex), ...rowsOf(file, tablesOfMemory) };
  }

  #reader(worker: number) {
    return openJournalReader({ directory: journalDirectory(this.directory, worker), fileSystem: nodeFileSystem, key });
  }
}

const tablesOfIndex = {
  documents: 'select id, document from exchanges',
  texts: 'select id, input, output from exchange_text join exchanges on number = exchange_text.rowid',
  skills: 'select id, skill from exchange_skills join exchanges using (number)',
  findings: 'select id, type from exchange_findings join exchanges using (number)',
  usage:
    'select id, person, input from (select id, person, uncached_input as input from exchange_usage join exchanges using (number))',
};

/** Of what shipping remembers, in whatever file it is. */
export const tablesOfMemory = {
  turns: 'select * from seen_turns',
  links: 'select * from links',
  classes: 'select * from retention_classes',
  counted: 'select * from counted',
  owners: 'select * from owners',
};

export function rowsOf(file: string, tables: Record<string, string>): Record<string, string[]> {
  const database = new DatabaseSync(file, { readOnly: true });
  const rows = (sql: string) =>
    database
      .prepare(sql)
      .all()
      .map((row) => JSON.stringify(row))
      .sort();
  const all = Object.fromEntries(Object.entries(tables).map(([name, sql]) => [name, rows(sql)]));
  database.close();
  return all;
}

/** Answers that were cut off are kept in a class of their own; what says "poison" cannot be masked. */
const documentParts = {
  detection: () => builtInDetection,
  masker: {
    json: (value, options) => {
      if (JSON.stringify(value).includes('poison'))
        throw new SkilltapeError('masking_failed', 'masking failed with Error');
      return masker.json(value, options);
    },
  } satisfies PipelineParts['masker'] as PipelineParts['masker'],
  policy: {
    record: ({ answer }: RecordInput) => ({
      keep: 'full' as const,
      retention_class: answer.stop_reason === 'max_tokens' ? 'short' : 'standard',
      masking: usualMasking,
      reasons: [],
      revision: 'sha256:1',
    }),
    revision: 'sha256:1',
  } as FillingParts['policy'],
  keyedHash,
  textMaxChars: 10_000,
  spendOf: () => 0.5,
  maskingBudgetMs: 30_000,
  names: null as PipelineParts['names'],
  decoding: decodingLimits,
};
