/** Drives exchanges in this process: a journal and a judge under the test's control, and the frames that Envoy sends. */

import type {
  ApprovalAnswer,
  ApprovalDecision,
  ApprovalDesk,
  ApprovalRequest,
} from '../../../extproc/exchange/approval-desk.ts';
import { createAttempts } from '../../../extproc/exchange/attempts.ts';
import { CountedRefusals } from '../../../extproc/exchange/counted-refusals.ts';
import { EndReports } from '../../../extproc/exchange/end-report.ts';
import { Exchange } from '../../../extproc/exchange/exchange.ts';
import type { Action, Frame } from '../../../extproc/exchange/frame.ts';
import type { IdentityProvider } from '../../../extproc/exchange/identity.ts';
import { LoopShare } from '../../../extproc/exchange/loop-share.ts';
import { createOwners } from '../../../extproc/exchange/ownership.ts';
import type {
  Connection,
  ExchangeContext,
  ExchangeLimits,
  Judge,
  LogPlace,
  UsageTotals,
  Verdict,
} from '../../../extproc/exchange/ports.ts';
import type { ReadableBody } from '../../../extproc/exchange/reader.ts';
import { readHere } from '../../../extproc/exchange/reader.ts';
import type { ExchangeRecord } from '../../../extproc/exchange/record.ts';
import { decodeRecord } from '../../../extproc/exchange/record.ts';
import { storedChunk } from '../../../extproc/exchange/request-body.ts';
import { findingsSearch } from '../../../extproc/exchange/request-findings.ts';
import { RunningExchanges } from '../../../extproc/exchange/running.ts';
import { createSessionLinks } from '../../../extproc/exchange/session-links.ts';
import { maskedSummary } from '../../../extproc/exchange/summary-mask.ts';
import { notCounted } from '../../../extproc/exchange/totals.ts';
import { keyedHashWith } from '../../../extproc/keyed-hash.ts';
import { PassingBytes } from '../../../extproc/large-work.ts';
import type { AccessInput, RequestInput } from '../../../extproc/policy/input.ts';
import { decodingLimits } from '../../builders/decoding.ts';

type RecordKind = ExchangeRecord['kind'];

/** Keeps what is appended, and what happened in which order; appends and syncs can be made to wait or to fail. */
export class FakeLog {
  readonly records: ExchangeRecord[] = [];
  readonly payloads: Buffer[] = [];
  /** `append <kind>`, `sync` when one is asked for, `synced` when it resolved; tests add their own. */
  readonly events: string[] = [];
  /** The kinds of what was appended to linger. */
  readonly lingering: RecordKind[] = [];
  admitted = true;
  /** Asked before each append; true makes it fail and leave nothing. */
  failsAppend: (kind: RecordKind) => boolean = () => false;
  /** Each sync waits for what this gives. */
  onSync: () => Promise<void> = async () => {};
  /** Each append waits for what this gives, its record already taken. */
  onAppend: (kind: RecordKind) => Promise<void> = async () => {};

  async append(parts: readonly Uint8Array[]): Promise<LogPlace> {
    const [kind] = this.#take([parts]);
    const place = { segment: 1, offset: this.payloads.length - 1 };
    if (kind !== undefined) await this.onAppend(kind);
    return place;
  }

  async appendAll(
    records: readonly (readonly Uint8Array[])[],
    { lingers = false }: { isEnd?: boolean; lingers?: boolean } = {},
  ): Promise<void> {
    const kinds = this.#take(records);
    if (lingers) this.lingering.push(...kinds);
    for (const kind of kinds) await this.onAppend(kind);
  }

  /** All of them or none. */
  #take(records: readonly (readonly Uint8Array[])[]): RecordKind[] {
    const payloads = records.map((parts) => Buffer.concat(parts));
    const taken = payloads.map(decodeRecord);
    if (taken.some(({ kind }) => this.failsAppend(kind))) throw new Error('no space left on device');
    this.records.push(...taken);
    this.payloads.push(...payloads);
    this.events.push(...taken.map(({ kind }) => `append ${kind}`));
    return taken.map(({ kind }) => kind);
  }

  async sync(): Promise<void> {
    this.events.push('sync');
    await this.onSync();
    this.events.push('synced');
  }

  /** The record at that place, as it is read back. */
  readBack(offset: number): Buffer {
    const payload = this.payloads[offset];
    if (payload === undefined) throw new Error('no record stands there');
    return payload;
  }

  admits(): boolean {
    return this.admitted;
  }

  /** The next syncs wait until the gate is opened or broken. */
  stallSync(): Gate {
    const gate = new Gate();
    this.onSync = () => gate.passed;
    return gate;
  }

  kinds(): RecordKind[] {
    return this.records.map(({ kind }) => kind);
  }

  ofKind<K extends RecordKind>(kind: K): Extract<ExchangeRecord, { kind: K }>[] {
    return this.records.filter((record): record is Extract<ExchangeRecord, { kind: K }> => record.kind === kind);
  }

  get finished() {
    return this.ofKind('finished').map(({ finished }) => finished);
  }
}

export class Gate {
  readonly passed: Promise<void>;
  open: () => void = () => {};
  break: (error: Error) => void = () => {};

  constructor() {
    this.passed = new Promise((resolve, reject) => {
      this.open = resolve;
      this.break = reject;
    });
    this.passed.catch(() => {});
  }
}

export const allow: Verdict = { verdict: 'allow', reasons: [] };
export const deny: Verdict = { verdict: 'deny', reasons: [{ rule: 'no_such_skill', message: 'Not that skill.' }] };

/** Where nothing was used before. */
export const noTotals: UsageTotals = { factsFor: () => notCounted, note: () => {}, priceOf: () => null };

/** People who decide when a test says so. */
export class FakeDesk implements ApprovalDesk {
  readonly #log: FakeLog;
  readonly asked: ApprovalRequest[] = [];
  readonly leavers: string[] = [];
  onAsk: () => Promise<ApprovalAnswer> = async () => ({ kind: 'pending', ticket: 't-1', untilMs: nowMs + 1 });
  #decided = Promise.withResolvers<ApprovalDecision | null>();

  constructor(log: FakeLog) {
    this.#log = log;
  }

  ask(request: ApprovalRequest): Promise<ApprovalAnswer> {
    this.#log.events.push('asked');
    this.asked.push(request);
    return this.onAsk();
  }

  decided(): Promise<ApprovalDecision | null> {
    return this.#decided.promise;
  }

  leave(_ticket: string, exchangeId: string): void {
    this.leavers.push(exchangeId);
  }

  decide(decision: ApprovalDecision | null): void {
    this.#decided.resolve(decision);
    this.#decided = Promise.withResolvers();
  }
}

export class FakeJudge implements Judge {
  readonly revision = 'sha256:revision';
  looksAtFindings = false;
  looksAtTotals = false;
  looksAtExcerpt = false;
  timeZones: readonly string[] = [];
  readonly accessInputs: AccessInput[] = [];
  readonly requestInputs: RequestInput[] = [];
  accessVerdict: () => Verdict = () => allow;
  requestVerdict: () => Verdict = () => allow;

  access(input: AccessInput): Verdict {
    this.accessInputs.push(input);
    return this.accessVerdict();
  }

  request(input: RequestInput): Verdict {
    this.requestInputs.push(input);
    return this.requestVerdict();
  }
}

export const provider: IdentityProvider = {
  name: 'idp',
  issuer: 'https://idp.example.org',
  kind: 'person',
  claims: { subject: 'sub', name: 'name', email: 'email', groups: 'groups' },
};
export const claude: Connection = {
  ...{ name: 'claude', identityProviders: [provider], resultsUrlBase: null, lists: 'denied' },
  ...{ recording: 'full', policyData: {}, limits: {} },
};

export type Rig = {
  log: FakeLog;
  reports: EndReports;
  judge: FakeJudge;
  desk: FakeDesk;
  context: ExchangeContext;
  faults: Error[];
  /** What `onFinished` was told. */
  ended: { connection: string; outcome: string }[];
  open(connection?: Connection, pathPrefix?: string): Exchange;
};

const unbounded = {
  recordsPerMinute: 1e9,
  recordsPerMinuteAllSources: 1e9,
  sourcesMax: 1e9,
  callerRecordsPerMinute: 1e9,
};

export const nowMs = Date.UTC(2026, 0, 15, 10);

export function createRig(limits: Partial<ExchangeLimits> = {}): Rig {
  const log = new FakeLog();
  const judge = new FakeJudge();
  const faults: Error[] = [];
  // A report that a test wants comes before the end.
  const reports = new EndReports({ maxWaitMs: 0 });
  const ended: Rig['ended'] = [];
  const desk = new FakeDesk(log);
  const context: ExchangeContext = {
    log,
    judge: () => judge,
    clock: { nowMs: () => nowMs },
    connections: new Map([['claude', claude]]),
    limits: {
      requestBodyMaxBytes: 1000,
      heldBodyMaxBytes: 5000,
      spooledBodyMaxBytes: 5000,
      heldBodyPerCallerMaxBytes: 2 ** 30,
      ...decodingLimits,
      requestFindingsMaxChars: 1_000_000,
      openExchangesMax: 10,
      openExchangesPerCallerMax: 10,
      // Longer than any test: a deadline that fires is asked for by the test.
      decisionTimeoutMs: 1_000_000,
      holdMaxMs: 1_000_000,
      ...limits,
    },
    budget: { openExchanges: 0, heldBodyBytes: 0 },
    spool: { heldBytes: 0, passing: new PassingBytes(), readAt: async ({ offset }) => log.readBack(offset) },
    callers: new Map(),
    volume: { isRefusing: false },
    attempts: createAttempts(10),
    sessionLinks: createSessionLinks(10),
    owners: createOwners(10),
    grants: { holding: () => [], used: () => {} },
    endReports: reports,
    refusals: new CountedRefusals(unbounded, log, { nowMs: () => nowMs }),
    totals: noTotals,
    approvals: desk,
    stops: new RunningExchanges(),
    reader: {
      read: (kind, asked, body) =>
        readHere(kind, { ...asked, search: findingsSearch, mask: maskedSummary }, wholeOf(log, body)),
    },
    loopShare: new LoopShare(),
    keyedHash: keyedHashWith(new Uint8Array(32).fill(7)),
    onFinished: (connection, outcome) => ended.push({ connection, outcome }),
    onUnrecorded: () => {},
    onFault: (_, fault) => faults.push(fault),
  };
  return {
    ...{ log, judge, desk, context, faults, reports, ended },
    open: (connection = claude, pathPrefix = '') => new Exchange(context, connection, pathPrefix),
  };
}

function wholeOf(log: FakeLog, body: ReadableBody): Uint8Array {
  if (body.stored === null) return body.joined();
  const { parts, exchangeId } = body.stored;
  const whole = body.copied();
  const stored = Buffer.concat(parts.map((part) => storedChunk(log.readBack(part.place.offset), part, exchangeId)));
  whole.set(stored, whole.length - stored.length);
  return whole;
}

/** Sends frames one after the other; gives all actions. */
export async function play(exchange: Exchange, frames: readonly Frame[]): Promise<Action[]> {
  const actions: Action[] = [];
  for (const frame of frames) actions.push(await exchange.accept(frame));
  return actions;
}

/** Lets everything that is ready run. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 4; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}
