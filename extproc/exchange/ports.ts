import type { DecodingLimits } from '../encoding/limits.ts';
import type { KeyedHash } from '../keyed-hash.ts';
import type { PassingBytes } from '../large-work.ts';
import type { ApprovalTermsDocument } from '../policy/approval-list.ts';
import type { AccessInput, RequestInput } from '../policy/input.ts';
import type { AnswerUsageCounts } from './answer-usage.ts';
import type { ApprovalDesk } from './approval-desk.ts';
import type { CountedRefusals } from './counted-refusals.ts';
import type { AwaitedEnds } from './end-report.ts';
import type { HeldGrant, HeldGrants } from './held-grants.ts';
import type { IdentityProvider } from './identity.ts';
import type { LoopShare } from './loop-share.ts';
import type { Outcome } from './outcome.ts';
import type { Reader } from './reader.ts';
import type { CallerUse } from './share.ts';
import type { Stop } from './stopping.ts';
import type { StreamedRelease } from './streamed-hold.ts';
import type { CountedExchange } from './totals.ts';

/** Where a record stands in the log. */
export type LogPlace = { segment: number; offset: number };

/** What the exchange needs of the journal (extproc/journal). */
export type ExchangeLog = {
  /** Resolves when `write()` returned: the record survives a kill of this process. */
  append(parts: readonly Uint8Array[], options?: { isEnd?: boolean }): Promise<LogPlace>;
  /**
   * Several records in this order, or none of them; resolves when all were written. The promise of records that are
   * written together may be the same one. Those that linger are written with what comes next, some milliseconds later at
   * the latest; `sync` does not wait so long.
   */
  appendAll(
    records: readonly (readonly Uint8Array[])[],
    options?: { isEnd?: boolean; lingers?: boolean },
  ): Promise<void>;
  /** Resolves when everything appended before this call is on disk (fdatasync returned). */
  sync(): Promise<void>;
  /** False at the disk budget: new exchanges are refused, open ones go on. */
  admits(): boolean;
};

export type Verdict = {
  verdict: 'allow' | 'deny' | 'hold';
  reasons: readonly { rule: string; message: string }[];
  /** The status of a refusal; 403 unless the policy says otherwise. */
  status?: number | undefined;
  observed?: Observed | undefined;
  /** Rules that did not count, because of these grants by their ids. */
  lifted?: Lifted | undefined;
  /** These grants themselves, for the record. */
  liftedBy?: readonly HeldGrant[] | undefined;
  /** What an approval of what is held takes. */
  approval?: ApprovalTermsDocument | undefined;
};

/** What rules would decide that are recorded and not enforced. */
export type Observed = { verdict: 'deny' | 'hold'; reasons: readonly { rule: string; message: string }[] };

export type Lifted = { grants: readonly string[]; reasons: readonly { rule: string; message: string }[] };

/** What the exchange needs of the policy engine (extproc/policy). */
export type Judge = {
  readonly revision: string;
  /** Whether a request is to be searched for secrets and personal data before it is judged. */
  readonly looksAtFindings: boolean;
  /** Whether a rule may look at what callers used before. */
  readonly looksAtTotals: boolean;
  /** Whether a rule may look at an excerpt of the new text of a request. */
  readonly looksAtExcerpt: boolean;
  /** IANA names of the time zones that a rule may ask for, beside UTC. */
  readonly timeZones: readonly string[];
  access(input: AccessInput): Verdict;
  request(input: RequestInput): Verdict;
};

export type Clock = { nowMs(): number };

/** A connection as configured; the route that the caller took names it. */
export type Connection = {
  name: string;
  /** Whose tokens count. */
  identityProviders: readonly IdentityProvider[];
  /** What can be read and searched of its exchanges, unless a policy keeps less. */
  recording: 'full' | 'metadata';
  /** The operator's own, for policies alone. */
  policyData: Readonly<Record<string, unknown>>;
  /** In place of those of all connections. */
  limits: Partial<ExchangeLimits>;
  /** The URL, without a slash at its end, below which a batch's `results_url` is put (inv. 3); null leaves it as it came. */
  resultsUrlBase: string | null;
  /** Whether lists of what everybody with the same key made are denied by policy, or shown without what is of others. */
  lists: 'denied' | 'filtered';
};

export type ExchangeLimits = {
  requestBodyMaxBytes: number;
  heldBodyMaxBytes: number;
  spooledBodyMaxBytes: number;
  heldBodyPerCallerMaxBytes: number;
  openExchangesMax: number;
  openExchangesPerCallerMax: number;
  decisionTimeoutMs: number;
  /** Longest time that a request is kept while people are asked about it. */
  holdMaxMs: number;
  requestFindingsMaxChars: number;
} & DecodingLimits;

/** What every exchange of a process shares. */
export type ExchangeContext = {
  log: ExchangeLog;
  judge: () => Judge;
  clock: Clock;
  connections: ReadonlyMap<string, Connection>;
  limits: ExchangeLimits;
  budget: Budget;
  /** Whether the volume is so full that no new exchange may begin. */
  volume: { readonly isRefusing: boolean };
  spool: Spool;
  /** By who called; those without an open exchange are not in it. */
  callers: Map<string, CallerUse>;
  /** Remembers Envoy's request ids, so that a second attempt is linked to the first. */
  attempts: Attempts;
  sessionLinks: SessionLinks;
  owners: Owners;
  grants: HeldGrants;
  endReports: AwaitedEnds;
  refusals: Pick<CountedRefusals, 'refuse' | 'denied'>;
  totals: UsageTotals;
  approvals: ApprovalDesk;
  stops: Stops;
  /** Absent where held requests wait in silence. */
  streamed?: StreamedRelease | undefined;
  reader: Reader;
  loopShare: LoopShare;
  /** Keyed hash (HMAC) of content or ids that leave the seal. */
  keyedHash: KeyedHash;
  /** Told that the end of an exchange was recorded. */
  onFinished: OnFinished;
  /** Told why a request was refused that should not have been; the caller only hears that it was. */
  onFault: (exchangeId: string, fault: Error) => void;
  /** Told of a request that was refused without a record, because none can be written. */
  onUnrecorded: (reason: string) => void;
};

export type OnFinished = (connection: string, outcome: Outcome) => void;

/** Counts what open exchanges hold, so that a limit refuses instead of memory running out (inv. 10). */
export type Budget = { openExchanges: number; heldBodyBytes: number };

/** Request bodies that memory has no room for: how much of them is in the log alone, and how it is read back. */
export type Spool = {
  heldBytes: number;
  /** Of what is written and read back: none of it stays in memory. */
  passing: PassingBytes;
  /** The record that was appended there, or an error: never other bytes. */
  readAt(place: LogPlace): Promise<Uint8Array>;
};

/** Which session brought an id that later requests name. Keys are of `session-links.ts`, bound to the identity. */
export type SessionLinks = {
  sessionOf(key: string): string | null;
  /** Resolves when whoever may be given the next request knows it too, or a moment later. */
  remember(key: string, session: string): void | Promise<void>;
};

/** To whom the things in Claude's workspace were given first. Keys and owners are keyed hashes (`ownership.ts`). */
export type Owners = {
  ownerOf(key: string): string | null;
  /**
   * The first owner stays. Resolves when whoever may be given the next request knows it too, or a moment later.
   */
  claim(key: string, owner: string): void | Promise<void>;
};

/** What people and sessions used (`totals.ts`). */
export type UsageTotals = {
  factsFor(exchange: Omit<CountedExchange, 'counted'>, nowMs: number): RequestInput['totals'];
  /** Of a request that is let through, and again of what its answer used. */
  note(exchange: CountedExchange): void;
  /** In the currency of the price table; null where it has no price. */
  priceOf(answer: AnswerUsageCounts): number | null;
};

/** What operators stopped (`running.ts`). */
export type Stops = {
  /** The exchange belongs to this session: it ends with it. */
  joined(exchangeId: string, session: string): void;
  /** Why nothing of this session goes on; null of almost all. */
  reasonFor(session: string): Stop | null;
};

export type Attempts = {
  linkTo(envoyRequestId: string, exchangeId: string): string | null;
};
