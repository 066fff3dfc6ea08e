import { SkilltapeError } from '../../errors.ts';
import type { Masked } from '../../masking/masked.ts';
import type { ExchangeDocument } from '../../transcript/document.ts';
import type { IndexReplace, Replacement } from '../port.ts';
import { refusal } from './answer.ts';
import { batchesOf } from './batches.ts';
import type { Connection } from './connection.ts';
import { faultReason, itemOutcome } from './item.ts';
import { isObject, listAt, objectAt } from './json.ts';
import { preparedOf } from './prepared.ts';
import { restored } from './stored.ts';

/** Documents asked for in one request: a document may have megabytes. */
const storedPerRequest = 100;

type Stored = { id: string; index: string; version: { if_seq_no: number; if_primary_term: number }; json: string };
type Operation = { lines: string; bytes: number };

/**
 * Replaces documents where they stand. Each is changed only if it still is the version that was read, so that two who
 * replace the same one do not undo each other's work. The exchange's own document is the last: until then it says that
 * there is something to do. Needs the right to read and to write; shipping has neither.
 */
export class ElasticsearchReplace implements IndexReplace {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  async replace(documents: readonly Masked<ExchangeDocument>[]): Promise<Replacement> {
    try {
      return await this.#replace(documents);
    } catch (thrown) {
      return { kind: 'retry', reason: SkilltapeError.from(thrown).message };
    }
  }

  async stored(exchangeId: string): Promise<Masked<ExchangeDocument>[]> {
    const stored = await this.#storedOf(exchangeId);
    return stored[0]?.id === exchangeId ? stored.map(({ json }) => restored(JSON.parse(json))) : [];
  }

  close(): Promise<void> {
    return this.#connection.close();
  }

  async #replace(documents: readonly Masked<ExchangeDocument>[]): Promise<Replacement> {
    const prepared = preparedAll(documents, this.#connection.prefix);
    if ('reason' in prepared) return prepared;
    const [own] = prepared.sources;
    const stored = new Map((await this.#storedOf(own.id)).map((one) => [one.id, one]));
    const place = stored.get(own.id);
    if (place === undefined) return { kind: 'absent' };
    const wanted = new Set(prepared.sources.map(({ id }) => id));
    const gone = [...stored.values()].filter(({ id }) => !wanted.has(id));
    const changed = prepared.sources.filter(({ id, json }) => stored.get(id)?.json !== json);
    if (gone.length === 0 && changed.length === 0) return { kind: 'unchanged' };
    const others = changed.filter(({ id }) => id !== own.id);
    const operations = [
      ...gone.map(removal),
      ...others.map((source) => writing(source, stored.get(source.id), place.index)),
      // Also where it stays the same, so that two who replace the exchange meet here.
      writing(own, place, place.index),
    ];
    for (const batch of batchesOf(operations)) {
      const failure = await this.#send(batch);
      if (failure !== null) return failure;
    }
    return { kind: 'replaced' };
  }

  /** Null when all of them were done. */
  async #send(batch: readonly Operation[]): Promise<Replacement | null> {
    const answer = await this.#connection.send({
      method: 'POST',
      path: '/_bulk',
      query: { filter_path: 'items.*.status,items.*.error.type,items.*.error.reason,error.type' },
      body: batch.map(({ lines }) => lines).join(''),
    });
    if (answer.kind === 'unreachable') return { kind: 'retry', reason: answer.reason };
    if (answer.status !== 200) return { kind: 'retry', reason: refusal(answer.status, answer.body) };
    const items = listAt(answer.body, 'items');
    if (items.length !== batch.length) return { kind: 'retry', reason: 'the answer of Elasticsearch cannot be used' };
    for (const item of items) {
      const done = isObject(item) ? Object.values(item)[0] : undefined;
      // What is to be removed may be gone by now.
      if (isObject(done) && done.status === 404 && isObject(item) && 'delete' in item) continue;
      const outcome = itemOutcome(done);
      if (outcome.kind === 'duplicate') return { kind: 'retry', reason: 'somebody else changed it meanwhile' };
      if (outcome.kind === 'retry') return outcome;
      if (outcome.kind === 'refused') return { kind: 'rejected', reason: faultReason(objectAt(done, 'error')) };
    }
    return null;
  }

  async #storedOf(id: string): Promise<Stored[]> {
    const query = {
      bool: { should: [{ term: { 'event.id': { value: id } } }, { prefix: { 'event.id': { value: `${id}.` } } }] },
    };
    const stored: Stored[] = [];
    for (;;) {
      const last = stored.at(-1)?.id;
      const answer = await this.#connection.send({
        method: 'POST',
        path: `/${this.#connection.prefix}-*/_search`,
        query: { ignore_unavailable: true, allow_no_indices: true, allow_partial_search_results: false },
        body: {
          ...{ query, size: storedPerRequest, seq_no_primary_term: true, track_total_hits: false },
          sort: [{ 'event.id': { order: 'asc', unmapped_type: 'keyword' } }],
          ...(last !== undefined && { search_after: [last] }),
        },
      });
      if (answer.kind === 'unreachable') throw new SkilltapeError('index_failed', answer.reason);
      if (answer.status !== 200) throw new SkilltapeError('index_failed', refusal(answer.status, answer.body));
      const hits = listAt(objectAt(answer.body, 'hits'), 'hits').map(storedFrom);
      stored.push(...hits);
      if (hits.length < storedPerRequest) return stored;
    }
  }
}

type Source = { id: string; json: string };

function preparedAll(
  documents: readonly Masked<ExchangeDocument>[],
  prefix: string,
): { sources: [Source, ...Source[]] } | (Replacement & { kind: 'rejected' }) {
  try {
    const sources = documents.map((document) => {
      const [, json = ''] = preparedOf(document, prefix).lines.split('\n');
      return { id: document.event.id, json };
    });
    return { sources: sources as [Source, ...Source[]] };
  } catch (thrown) {
    return { kind: 'rejected', reason: SkilltapeError.from(thrown).message };
  }
}

function storedFrom(hit: unknown): Stored {
  const fields = isObject(hit) ? hit : {};
  return {
    id: String(fields._id),
    index: String(fields._index),
    version: { if_seq_no: Number(fields._seq_no), if_primary_term: Number(fields._primary_term) },
    json: JSON.stringify(objectAt(hit, '_source')),
  };
}

function writing({ id, json }: Source, stored: Stored | undefined, ownIndex: string): Operation {
  const action =
    stored === undefined
      ? { create: { _index: ownIndex, _id: id } }
      : { index: { _index: stored.index, _id: id, ...stored.version } };
  return operation(`${JSON.stringify(action)}\n${json}\n`);
}

function removal({ id, index, version }: Stored): Operation {
  return operation(`${JSON.stringify({ delete: { _index: index, _id: id, ...version } })}\n`);
}

function operation(lines: string): Operation {
  return { lines, bytes: Buffer.byteLength(lines) };
}
