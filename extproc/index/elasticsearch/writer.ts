import { setTimeout as wait } from 'node:timers/promises';
import { SkilltapeError } from '../../errors.ts';
import type { Masked } from '../../masking/masked.ts';
import type { ExchangeDocument } from '../../transcript/document.ts';
import type { Delivery, IndexSink } from '../port.ts';
import type { Rejects } from '../rejects.ts';
import { errorType, refusal } from './answer.ts';
import { batchesOf } from './batches.ts';
import type { Connection, ElasticsearchAnswer } from './connection.ts';
import { faultReason, itemOutcome } from './item.ts';
import { isObject, listAt } from './json.ts';
import type { LayoutOptions } from './mapping.ts';
import { type PreparedDocument, preparedOf } from './prepared.ts';
import { ensureTemplate } from './template.ts';

type Pending = PreparedDocument & { at: number };
type Settle = (at: number, delivery: Delivery) => void;

const sendsMax = 4;
const firstPauseMsByDefault = 200;
/** A server that says so of itself is busy, or part of it is away. */
const busy: ReadonlySet<number> = new Set([429, 502, 503, 504]);

/** Writes into dated indices, create-only: what was stored once is never changed. Must be closed. */
export class ElasticsearchIndex implements IndexSink {
  readonly #connection: Connection;
  readonly #layout: LayoutOptions;
  readonly #rejects: Pick<Rejects, 'keep'>;
  readonly #firstPauseMs: number;
  /** Indices that were made under our template, or will be. */
  readonly #knownIndices = new Set<string>();

  constructor(
    connection: Connection,
    layout: LayoutOptions,
    rejects: Pick<Rejects, 'keep'>,
    firstPauseMs: number = firstPauseMsByDefault,
  ) {
    this.#connection = connection;
    this.#layout = layout;
    this.#rejects = rejects;
    this.#firstPauseMs = firstPauseMs;
  }

  async deliver(documents: readonly Masked<ExchangeDocument>[]): Promise<readonly Delivery[]> {
    const deliveries: (Delivery | undefined)[] = documents.map(() => undefined);
    const settle: Settle = (at, delivery) => {
      const document = documents[at];
      deliveries[at] =
        delivery.kind === 'rejected' && document !== undefined ? this.#kept(document, delivery.reason) : delivery;
    };
    let reason = 'the index gave no outcome';
    try {
      reason = (await this.#write(documents, settle)) ?? reason;
    } catch (thrown) {
      const { message, remedy } = SkilltapeError.from(thrown);
      reason = remedy === undefined ? message : `${message}: ${remedy}`;
    }
    return deliveries.map((delivery) => delivery ?? { kind: 'retry', reason });
  }

  close(): Promise<void> {
    return this.#connection.close();
  }

  /** Returns why what it did not settle has to wait, or null. */
  async #write(documents: readonly Masked<ExchangeDocument>[], settle: Settle): Promise<string | null> {
    const pending: Pending[] = [];
    for (const [at, document] of documents.entries()) {
      try {
        pending.push({ ...preparedOf(document, this.#layout.prefix), at });
      } catch (thrown) {
        settle(at, { kind: 'rejected', reason: SkilltapeError.from(thrown).message });
      }
    }
    const notReady = await this.#makeReady(pending);
    if (notReady !== null) return notReady;
    for (const batch of batchesOf(pending)) {
      const failure = await this.#sendBatch(batch, settle);
      if (failure !== null) return failure;
    }
    return null;
  }

  /** The template is asked for before the first document of each new index: an operator may have deleted it. */
  async #makeReady(pending: readonly Pending[]): Promise<string | null> {
    const names = new Set(pending.map(({ index }) => index).filter((index) => !this.#knownIndices.has(index)));
    if (names.size === 0) return null;
    const state = await ensureTemplate(this.#connection, this.#layout);
    if (state.kind === 'missing') return state.reason;
    for (const name of names) this.#knownIndices.add(name);
    return null;
  }

  /** Returns why nothing more should be sent now, or null when every document of the batch has its outcome. */
  async #sendBatch(batch: readonly Pending[], settle: Settle): Promise<string | null> {
    let pending = batch;
    let reason = '';
    for (let sends = 0; sends < sendsMax; sends++) {
      if (sends > 0) await this.#pause(sends);
      const answer = await this.#bulk(pending);
      if (answer.kind === 'unreachable') return answer.reason;
      if (answer.status === 200) {
        const waiting = settleItems(pending, answer.body, settle);
        if (waiting.pending.length === 0) return null;
        ({ pending, reason } = waiting);
      } else if (isAboutTheContent(answer)) {
        return this.#sendSmaller(pending, answer, settle);
      } else {
        reason = refusal(answer.status, answer.body);
        if (!busy.has(answer.status)) return reason;
      }
    }
    for (const { at } of pending) settle(at, { kind: 'retry', reason });
    return null;
  }

  /** Halves, until the document stands alone that the server does not take. */
  async #sendSmaller(pending: readonly Pending[], answer: Answered, settle: Settle): Promise<string | null> {
    const [only] = pending;
    if (pending.length === 1 && only !== undefined) {
      settle(only.at, { kind: 'rejected', reason: wholeReason(answer, only.bytes) });
      return null;
    }
    const middle = Math.ceil(pending.length / 2);
    const failure = await this.#sendBatch(pending.slice(0, middle), settle);
    return failure ?? this.#sendBatch(pending.slice(middle), settle);
  }

  #bulk(pending: readonly Pending[]): Promise<ElasticsearchAnswer> {
    return this.#connection.send({
      method: 'POST',
      path: '/_bulk',
      query: { filter_path: 'items.create.status,items.create.error.type,items.create.error.reason,error.type' },
      body: pending.map(({ lines }) => lines).join(''),
    });
  }

  /** Grows with each send; the random part keeps many writers from coming back together. */
  async #pause(sends: number): Promise<void> {
    const longest = this.#firstPauseMs * 2 ** sends;
    await wait(longest * (0.5 + Math.random() / 2), undefined, { signal: this.#connection.closing });
  }

  #kept(document: Masked<ExchangeDocument>, reason: string): Delivery {
    try {
      this.#rejects.keep(document, reason);
      return { kind: 'rejected', reason };
    } catch (thrown) {
      // "rejected" is only said of a document that stands in the list; until then it is delivered again.
      return { kind: 'retry', reason: `${reason}; ${SkilltapeError.from(thrown).message}` };
    }
  }
}

type Answered = Extract<ElasticsearchAnswer, { kind: 'answer' }>;

/** Gives each document the outcome of its item; those that the server was too busy for are left. */
function settleItems(
  pending: readonly Pending[],
  body: unknown,
  settle: Settle,
): { pending: readonly Pending[]; reason: string } {
  const items = listAt(body, 'items');
  if (items.length !== pending.length) return { pending, reason: 'the answer of Elasticsearch cannot be used' };
  const busyOnes: Pending[] = [];
  let reason = '';
  for (const [at, document] of pending.entries()) {
    const item = items[at];
    const created = isObject(item) ? item.create : undefined;
    const outcome = itemOutcome(created);
    if (outcome.kind === 'retry' && isObject(created) && busy.has(Number(created.status))) {
      busyOnes.push(document);
      reason = outcome.reason;
    } else {
      settle(document.at, outcome.kind === 'refused' ? { kind: 'rejected', reason: outcome.reason } : outcome);
    }
  }
  return { pending: busyOnes, reason };
}

/** A 400 without the type of an error does not come from Elasticsearch: no document is given up for it. */
function isAboutTheContent({ status, body }: Answered): boolean {
  return status === 413 || (status === 400 && errorType(body) !== '' && errorType(body) !== 'security_exception');
}

function wholeReason({ status, body }: Answered, bytes: number): string {
  if (status === 413) return `the document has ${bytes} bytes, which the server does not take in one request`;
  return faultReason(isObject(body) ? body.error : undefined);
}
