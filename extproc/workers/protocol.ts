import type { Config } from '../config/config.ts';
import type { ErrorCode } from '../errors.ts';
import type { EndReport } from '../exchange/end-report.ts';
import type { CountedExchange } from '../exchange/totals.ts';
import type { Position } from '../journal/position.ts';
import type { ProcessReport } from '../operations/operations.ts';
import type { PolicyBundle } from '../policy/bundle.ts';

/**
 * What primary and workers say to each other, over the channel that a process has with the one that started it. No
 * content of exchanges: ids, keyed hashes, places and counts.
 */

/** What one worker learnt and another one may be asked about next. */
export type SharedFact =
  /** Which session brought an id that a later request names (`exchange/session-links.ts`). */
  | { kind: 'session_link'; key: string; session: string }
  /** Whose a thing in Claude's workspace is (`exchange/ownership.ts`). */
  | { kind: 'owner'; key: string; owner: string }
  /** What an exchange used (`exchange/totals.ts`). */
  | { kind: 'usage'; exchange: CountedExchange }
  /** Who broke an exchange off that the one who heard of it does not have. */
  | { kind: 'end_report'; exchangeId: string; report: EndReport };

/** What a worker needs to begin; its journal was recovered. */
export type WorkerStart = {
  worker: number;
  config: Config;
  policy: PolicyBundle;
  /** Space of its journal, in bytes. */
  journalMaxBytes: number;
  /** What other workers learnt last. */
  facts: readonly SharedFact[];
};

/** `id` and `ask` count on the side that gives them. */
export type ToWorker =
  | { kind: 'start'; start: WorkerStart }
  /** Everything before this position of its journal is in the index. */
  | { kind: 'delivered'; position: Position }
  /** Another worker learnt it; to be answered with `noted`. */
  | { kind: 'fact'; id: number; fact: SharedFact }
  /** Every other worker that answers has noted what was shared. */
  | { kind: 'shared'; ask: number }
  /** To be answered with `report`. */
  | { kind: 'report'; ask: number }
  /** In force from now on; to be answered with `policy_used`, by the end of the process otherwise. */
  | { kind: 'policy'; policy: PolicyBundle }
  /** End open streams within `drainMaxMs`, then the process. */
  | { kind: 'drain' };

export type FromWorker =
  /** It takes streams from now on. */
  | { kind: 'recording' }
  /** It ends, because it could not begin; the words are ours. */
  | { kind: 'failed'; code: ErrorCode; message: string; remedy?: string }
  /** Said again and again: whoever says nothing is frozen. */
  | { kind: 'alive' }
  /** Its journal grew by the ends of exchanges; `isBusy`: the thread that answers Envoy was, since it said so last. */
  | { kind: 'ended'; isBusy: boolean }
  | { kind: 'share'; ask: number; fact: SharedFact }
  | { kind: 'noted'; id: number }
  /** Exchanges that begin from now on are judged by this revision. */
  | { kind: 'policy_used'; revision: string }
  /** Health and figures. */
  | { kind: 'report'; ask: number; report: ProcessReport };
