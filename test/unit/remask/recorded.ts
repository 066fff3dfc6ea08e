/** Exchanges in a real journal and what shipping made of them in a real index, for the tests of masking again. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { newExchangeId } from '../../../extproc/exchange/exchange-id.ts';
import type { RecordBody } from '../../../extproc/exchange/record.ts';
import { encodeRecord } from '../../../extproc/exchange/record.ts';
import { SqliteMemory } from '../../../extproc/index/sqlite/memory.ts';
import { SqliteReplace } from '../../../extproc/index/sqlite/replace.ts';
import { indexFile } from '../../../extproc/index/sqlite/schema.ts';
import { SqliteSearch } from '../../../extproc/index/sqlite/search.ts';
import { SqliteIndex } from '../../../extproc/index/sqlite/writer.ts';
import type { Journal } from '../../../extproc/journal/journal.ts';
import { openJournal } from '../../../extproc/journal/journal.ts';
import { nodeFileSystem } from '../../../extproc/journal/node-fs.ts';
import { openJournalReader } from '../../../extproc/journal/reader.ts';
import { builtInDetection } from '../../../extproc/masking/own-detection.ts';
import { usualMasking } from '../../../extproc/policy/masking-decision.ts';
import { JournalExchanges } from '../../../extproc/remask/journal-exchanges.ts';
import type { RemaskParts } from '../../../extproc/remask/remask.ts';
import { createPipeline, type PipelineParts } from '../../../extproc/ship/pipeline.ts';
import type { ExchangeDocument } from '../../../extproc/transcript/document.ts';
import { decodingLimits } from '../../builders/decoding.ts';
import {
  decidedOf,
  finishedOf,
  keyedHash,
  masker,
  messageOf,
  messagesRequest,
  startedOf,
} from '../transcript/example.ts';

const key = new Uint8Array(32).fill(3);
export const always = { fromMs: 0, toMs: Number.POSITIVE_INFINITY };

export class Recorded {
  readonly directory: string;
  readonly #journals: Journal[];
  readonly exchanges: JournalExchanges;
  /** Ids of exchanges whose person was erased. */
  readonly erased = new Set<string>();
  #nextMs = Date.UTC(2026, 0, 15);

  static async open(t: TestContext, { journals = 1, segmentMaxBytes = 2 ** 20 } = {}): Promise<Recorded> {
    const directory = mkdtempSync(join(tmpdir(), 'skilltape-test-remask-'));
    const opened: Journal[] = [];
    for (let at = 0; at < journals; at += 1) {
      const place = { directory: join(directory, `journal-${at}`), fileSystem: nodeFileSystem, key };
      const limits = { segmentMaxBytes, journalMaxBytes: 2 ** 30, syncIntervalMs: 50, onPoison: () => {} };
      opened.push((await openJournal({ ...place, ...limits })).journal);
    }
    const recorded = new Recorded(directory, opened);
    t.after(async () => {
      await recorded.exchanges.close();
      for (const journal of opened) await journal.close();
      rmSync(directory, { recursive: true });
    });
    return recorded;
  }

  private constructor(directory: string, journals: Journal[]) {
    this.directory = directory;
    this.#journals = journals;
    const readers = journals.map((_, at) => {
      return openJournalReader({ directory: join(directory, `journal-${at}`), fileSystem: nodeFileSystem, key });
    });
    this.exchanges = new JournalExchanges(readers, (transcript) => this.erased.has(transcript.exchangeId));
  }

  journal(at = 0): Journal {
    const journal = this.#journals[at];
    if (journal === undefined) throw new Error('no such journal');
    return journal;
  }

  /** One finished exchange; returns its id. */
  async write(
    said: string | readonly string[],
    { answer = messageOf('OK'), journal = 0, body = undefined as string | undefined, path = '/v1/messages' } = {},
  ): Promise<string> {
    this.#nextMs += 1_000;
    const timeMs = this.#nextMs;
    const exchangeId = newExchangeId(timeMs);
    const append = (record: RecordBody) =>
      this.journal(journal).append(encodeRecord({ exchangeId, timeMs, ...record }));
    const texts = typeof said === 'string' ? [said] : said;
    const messages = texts.map((content, at) => ({ role: at % 2 === 0 ? 'user' : 'assistant', content }));
    await append({ kind: 'started', started: startedOf({ path, envoyRequestId: '' }) });
    const bytes = Buffer.from(body ?? JSON.stringify({ ...messagesRequest('', { system: 'be brief' }), messages }));
    await append({ kind: 'request_body', bytes });
    await append({ kind: 'decided', decided: decidedOf() });
    const headers = [['content-type', 'application/json']] as const;
    await append({
      kind: 'answer_started',
      answer: { status: 200, headers: [...headers], codeDetails: 'via_upstream' },
    });
    await append({ kind: 'answer_body', bytes: Buffer.from(JSON.stringify(answer)) });
    await append({ kind: 'finished', finished: finishedOf() });
    return exchangeId;
  }

  /** As the shipping thread does it, all that is recorded; with a masker that may fail. */
  async ship(failing: Partial<PipelineParts> = {}): Promise<void> {
    const index = SqliteIndex.open(this.directory);
    const memory = SqliteMemory.open(indexFile(this.directory));
    const pipeline = createPipeline({
      ...{ archive: null, tokenKeeper: null },
      ...pipelineParts,
      memory,
      index,
      ...failing,
    });
    for await (const { transcript } of this.exchanges.read(always, () => true))
      if (transcript !== null) await pipeline.deliver([transcript], []);
    await index.close();
    memory.close();
  }

  /** What `skilltape remask` has, and what it said. */
  remasking(t: TestContext, overrides: Partial<RemaskParts> = {}): RemaskParts & { said: string[] } {
    const index = SqliteSearch.open(this.directory);
    const replace = SqliteReplace.open(this.directory);
    const memory = SqliteMemory.open(indexFile(this.directory));
    t.after(async () => {
      await index.close();
      await replace.close();
      memory.close();
    });
    const said: string[] = [];
    return {
      ...{ ...pipelineParts, memory, index, replace, tokenKeeper: null, recorded: this.exchanges, said },
      onProgress: () => {},
      onFailed: (id, reason) => said.push(`${id} ${reason}`),
      ...overrides,
    };
  }

  /** All documents of the index by id. */
  async indexed(): Promise<Map<string, ExchangeDocument>> {
    const index = SqliteSearch.open(this.directory);
    const { hits } = await index.search({ noise: true, limit: 1_000 });
    const documents = new Map<string, ExchangeDocument>();
    for (const { id } of hits) documents.set(id, (await index.get(id)) as ExchangeDocument);
    await index.close();
    return documents;
  }
}

const pipelineParts = {
  detection: () => builtInDetection,
  masker,
  policy: {
    record: () => ({ keep: 'full' as const, retention_class: 'standard', masking: usualMasking, reasons: [] }),
    revision: '',
  },
  keyedHash,
  textMaxChars: 10_000,
  spendOf: () => 0,
  maskingBudgetMs: 30_000,
  names: null,
  decoding: decodingLimits,
  reduced: new Set<string>(),
  onReading: () => {},
  onMaskingFailed: () => {},
  onFindings: () => {},
};
