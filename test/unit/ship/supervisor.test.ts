import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { before, type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Worker } from 'node:worker_threads';
import { SkilltapeError } from '../../../extproc/errors.ts';
import type { RecordBody } from '../../../extproc/exchange/record.ts';
import { encodeRecord } from '../../../extproc/exchange/record.ts';
import { SqliteSearch } from '../../../extproc/index/sqlite/search.ts';
import type { Journal } from '../../../extproc/journal/journal.ts';
import { openJournal } from '../../../extproc/journal/journal.ts';
import { nodeFileSystem } from '../../../extproc/journal/node-fs.ts';
import type { PolicyBundle } from '../../../extproc/policy/bundle.ts';
import { compilePolicies } from '../../../extproc/policy/compile.ts';
import { deliveryExchangesMax } from '../../../extproc/ship/follower.ts';
import type { ShipReport } from '../../../extproc/ship/protocol.ts';
import { type ShipperThread, superviseShipper } from '../../../extproc/ship/supervisor.ts';
import { resolveTool } from '../../../extproc/tools/resolve.ts';
import type { ExchangeDocument } from '../../../extproc/transcript/document.ts';
import { decodingLimits } from '../../builders/decoding.ts';
import type { transcriptOf as TranscriptOf } from '../transcript/example.ts';
import { exchangeIdOf, hashKey, messagesRequest, startedMs, transcriptOf } from '../transcript/example.ts';

const journalKey = new Uint8Array(32).fill(3);
const policies = fileURLToPath(new URL('../../../policies', import.meta.url));
const stopTimeoutMs = 60_000;
let policy: PolicyBundle;

before(async () => {
  policy = await compilePolicies({
    opaBinary: (await resolveTool('opa', { env: process.env })).path,
    directory: policies,
  });
});

/** A data directory with a journal that is written to, and the reports and threads of whoever ships it. */
class Rig {
  readonly directory: string;
  readonly journal: Journal;
  readonly reports: ShipReport[] = [];
  readonly crashes: Error[] = [];
  readonly threads: Worker[] = [];
  readonly #watchers = new Set<(report: ShipReport) => void>();

  readonly #shippers: ShipperThread[] = [];

  static async open(t: TestContext): Promise<Rig> {
    const directory = mkdtempSync(join(tmpdir(), 'skilltape-test-ship-'));
    const { journal } = await openJournal({
      ...{ directory: join(directory, 'journal'), fileSystem: nodeFileSystem, key: journalKey },
      ...{ segmentMaxBytes: 64 * 1024 * 1024, journalMaxBytes: 512 * 1024 * 1024, syncIntervalMs: 50 },
      onPoison: (error) => assert.fail(error),
    });
    const rig = new Rig(directory, journal);
    process.on('worker', rig.#noteThread);
    t.after(async () => {
      for (const shipper of rig.#shippers) await shipper.stop(stopTimeoutMs);
      process.off('worker', rig.#noteThread);
      await journal.close();
      rmSync(directory, { recursive: true });
    });
    return rig;
  }

  readonly #noteThread = (worker: Worker): unknown => this.threads.push(worker);

  private constructor(directory: string, journal: Journal) {
    this.directory = directory;
    this.journal = journal;
  }

  /** Ships until the test ends, or until the thread is stopped. */
  supervise({ yieldMaxMs = 0 } = {}): ShipperThread {
    const shipper = superviseShipper(
      {
        ...{
          dataDirectory: this.directory,
          journalDirectories: [join(this.directory, 'journal')],
          textMaxChars: 10_000,
          yieldMaxMs,
          prices: null,
          maskingBudgetMs: 30_000,
          names: null,
          rememberedDays: 365,
          rejectsMaxBytes: 2 ** 20,
          reveal: null,
          largeWorkMemory: null,
          archive: null,
        },
        ...{ elasticsearch: null, journalKey, hashKey, policies: [policy], decoding: decodingLimits, coverage: null },
      },
      {
        onReport: (report) => {
          this.reports.push(report);
          for (const watcher of this.#watchers) watcher(report);
        },
        onLateRecords: async () => false,
        isRecordingBusy: () => true,
        onCrash: (error) => this.crashes.push(error),
      },
    );
    this.#shippers.push(shipper);
    return shipper;
  }

  /** Resolves at the first report, from now on, of which `holds` is true. */
  reported(holds: (report: ShipReport) => boolean): Promise<ShipReport> {
    return new Promise((resolve) => {
      const watcher = (report: ShipReport): void => {
        if (!holds(report)) return;
        this.#watchers.delete(watcher);
        resolve(report);
      };
      this.#watchers.add(watcher);
    });
  }

  async record(number: number, overrides: Parameters<typeof TranscriptOf>[0] = {}): Promise<void> {
    const transcript = transcriptOf({ request: messagesRequest(`prompt ${number}`), ...overrides });
    const { started, decided, requestBody, answer, answerBody, finished } = transcript;
    const bodies: RecordBody[] = [{ kind: 'started', started }];
    for (let at = 0; at < requestBody.length; at += 1_000_000) {
      bodies.push({ kind: 'request_body', bytes: requestBody.subarray(at, at + 1_000_000) });
    }
    if (decided !== null) bodies.push({ kind: 'decided', decided: { ...decided, input: judgedInput } });
    if (answer !== null) bodies.push({ kind: 'answer_started', answer });
    bodies.push({ kind: 'answer_body', bytes: answerBody }, { kind: 'finished', finished });
    for (const [at, body] of bodies.entries()) {
      await this.journal.append(
        encodeRecord({ exchangeId: exchangeIdOf(number), timeMs: startedMs + number + at, ...body }),
      );
    }
  }

  async documents(): Promise<ExchangeDocument[]> {
    const search = SqliteSearch.open(this.directory);
    try {
      const { hits } = await search.search({ limit: 1_000 });
      const found = await Promise.all(hits.map(({ id }) => search.get(id)));
      return found.filter((document) => document !== null).toSorted((a, b) => (a.event.id < b.event.id ? -1 : 1));
    } finally {
      search.close();
    }
  }
}

/** What the shipped policy was asked about the request. */
const judgedInput = {
  version: 1,
  connection: { name: 'claude', issuer: 'https://login.example.org' },
  identity: { issuer: 'https://login.example.org', subject: 'u-ada', name: '', email: '', groups: [] },
  authentication: { failure: null, detail: '' },
  request: {
    ...{ method: 'POST', path: '/v1/messages', endpoint: 'messages.create', endpoint_kind: 'messages' },
    ...{ endpoint_treatment: 'prompt', body_form: 'messages', list_filtered: false },
    ...{ content_type: 'application/json', content_encoding: 'identity', content_length: null },
    ...{ betas: [], anthropic_version: '2023-06-01' },
  },
  source: { address: '192.0.2.7' },
  time: '2026-01-15T10:00:00.000Z',
  body: { bytes: 100, status: 'parsed', fault: '' },
  claude: {
    ...{ model: 'claude-sonnet-4-5', stream: false, max_tokens: 64, message_count: 1, new_message_count: 1 },
    ...{ tool_names: [], tool_types: [], mcp_server_names: [], skills: [], has_system: false, text_bytes: 8 },
  },
  findings: [],
};

const caughtUp = (report: ShipReport): boolean => report.kind === 'progress' && report.openExchanges === 0;
const idsOf = (documents: ExchangeDocument[]): string[] => documents.map(({ event }) => event.id);
const idsUpTo = (count: number): string[] => Array.from({ length: count }, (_, at) => exchangeIdOf(at));

test('an exchange that ended is in the index after a wake, masked and as policy says', async (t) => {
  const rig = await Rig.open(t);
  const started = rig.reported(caughtUp);
  const shipper = rig.supervise();
  await started;
  await rig.record(0, { request: messagesRequest('write to grace@example.org') });
  const shipped = rig.reported((report) => report.kind === 'progress' && report.shipped === 1);
  shipper.wake();
  await shipped;
  const [document] = await rig.documents();
  assert.equal(document?.skilltape.keep, 'full');
  assert.match(document?.gen_ai.input.text ?? '', /^write to \[EMAIL:[0-9a-f]{16}\]$/);
  assert.deepEqual(rig.crashes, []);
});

test('while recording is busy without a pause, what waited for the longest time allowed is shipped', async (t) => {
  const rig = await Rig.open(t);
  const started = rig.reported(caughtUp);
  const shipper = rig.supervise({ yieldMaxMs: 300 });
  await started;
  const busy = setInterval(() => shipper.wake(), 20);
  t.after(() => clearInterval(busy));
  const shipped = rig.reported((report) => report.kind === 'progress' && report.shipped === 200);
  for (let number = 0; number < 200; number += 1) await rig.record(number);
  await shipped;
  assert.deepEqual(idsOf(await rig.documents()), idsUpTo(200));
});

test('a stop ships at once what gives way to recording, and a killed thread leaves it to the next one', async (t) => {
  const rig = await Rig.open(t);
  const started = rig.reported(caughtUp);
  const shipper = rig.supervise({ yieldMaxMs: 3_600_000 });
  await started;
  const busy = setInterval(() => shipper.wake(), 20);
  t.after(() => clearInterval(busy));
  for (let number = 0; number < 100; number += 1) await rig.record(number);
  const restarted = once(process, 'worker');
  await rig.threads[0]?.terminate();
  await restarted;
  for (let number = 100; number < 200; number += 1) await rig.record(number);
  await shipper.stop(stopTimeoutMs);
  assert.deepEqual(idsOf(await rig.documents()), idsUpTo(200));
});

test('stop ships what is there, and the next thread goes on behind it', async (t) => {
  const rig = await Rig.open(t);
  for (let number = 0; number < 20; number += 1) await rig.record(number);
  const first = rig.supervise();
  await first.stop(stopTimeoutMs);
  assert.equal(rig.reports.at(-1)?.kind, 'stopped');
  assert.deepEqual(idsOf(await rig.documents()), idsUpTo(20));
  await rig.record(20);
  const before = rig.reports.length;
  await rig.supervise().stop(stopTimeoutMs);
  const deliveries = rig.reports.slice(before).filter(({ kind }) => kind === 'reading');
  assert.deepEqual(deliveries, [{ kind: 'reading', exchangeIds: [exchangeIdOf(20)] }]);
});

test('a thread that is killed while it ships is started again, and nothing is missing or there twice', async (t) => {
  const rig = await Rig.open(t);
  const count = 2 * deliveryExchangesMax + 22;
  for (let number = 0; number < count; number += 1) await rig.record(number);
  const midway = rig.reported((report) => report.kind === 'reading' && !report.exchangeIds.includes(exchangeIdOf(0)));
  const shipper = rig.supervise();
  await midway;
  const restarted = once(process, 'worker');
  await rig.threads[0]?.terminate();
  assert.ok((await rig.documents()).length < count, 'it was killed before its end');
  await restarted;
  await shipper.stop(stopTimeoutMs);
  const documents = await rig.documents();
  assert.deepEqual(idsOf(documents), idsUpTo(count));
  for (const [at, { gen_ai: genAi }] of documents.entries()) assert.equal(genAi.input.text, `prompt ${at}`);
});

test('an exchange in which the thread dies again and again is kept as metadata, and the others behind it are shipped', async (t) => {
  const rig = await Rig.open(t);
  const large = messagesRequest('write to ada@example.org '.repeat(400_000));
  await rig.record(0, { request: large });
  await rig.record(1);
  let deaths = 0;
  const reduced = rig.reported((report) => {
    if (report.kind === 'reading' && deaths < 2) {
      deaths += 1;
      void rig.threads.at(-1)?.terminate();
    }
    return report.kind === 'masking_failed';
  });
  const shipper = rig.supervise();
  const report = await reduced;
  assert.equal(report.kind === 'masking_failed' && report.exchangeId, exchangeIdOf(0));
  await shipper.stop(stopTimeoutMs);
  const [first, second] = await rig.documents();
  assert.deepEqual([first?.skilltape.masking.status, first?.gen_ai.input.text], ['failed', '']);
  assert.equal(second?.gen_ai.input.text, 'prompt 1');
});

test('a request of 40 MB is shipped, its text shortened', async (t) => {
  const rig = await Rig.open(t);
  await rig.record(0, { request: messagesRequest(`begin ${'lorem ipsum dolor 4711 '.repeat(1_740_000)} end`) });
  await rig.supervise().stop(stopTimeoutMs);
  const [document] = await rig.documents();
  assert.ok((document?.http.request.body.bytes ?? 0) > 40_000_000);
  assert.equal(document?.skilltape.truncated, true);
  assert.match(document?.gen_ai.input.text ?? '', /^begin .* end$/s);
});

test('with a damaged cursor everything is read again, which is said, and nothing is there twice', async (t) => {
  const rig = await Rig.open(t);
  for (let number = 0; number < 5; number += 1) await rig.record(number);
  await rig.supervise().stop(stopTimeoutMs);
  writeFileSync(join(rig.directory, 'journal', 'cursor-index.json'), '{');
  await rig.supervise().stop(stopTimeoutMs);
  assert.ok(rig.reports.some((report) => report.kind === 'waiting' && /damaged/.test(report.reason)));
  assert.deepEqual(idsOf(await rig.documents()), idsUpTo(5));
});

test('a journal that this program cannot read is said at every start, and stop does not wait for it', async (t) => {
  const rig = await Rig.open(t);
  await rig.record(0);
  await rig.journal.append([new Uint8Array(40).fill(9)]);
  const shipper = rig.supervise();
  const [thread] = await once(process, 'worker');
  await new Promise<void>((resolve) => thread.once('exit', () => resolve()));
  const [crash] = rig.crashes;
  assert.ok(crash instanceof SkilltapeError && crash.code === 'journal_corrupt' && crash.remedy !== undefined);
  assert.match(crash.message, /version 9/);
  await shipper.stop(stopTimeoutMs);
  assert.equal(rig.threads.length, 1, 'a stopped shipper is not started again');
  assert.deepEqual(idsOf(await rig.documents()), idsUpTo(1), 'what stands before it is shipped');
});
