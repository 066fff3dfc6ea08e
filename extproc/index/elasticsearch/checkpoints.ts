import { SkilltapeError } from '../../errors.ts';
import type { CheckpointLine, IndexCheckpoints, StoredCheckpoints } from '../checkpoints.ts';
import { refusal } from './answer.ts';
import type { Connection, ElasticsearchAnswer } from './connection.ts';
import { isObject, listAt, objectAt } from './json.ts';

/** No name that the pattern of the documents takes: searches and roles of documents do not reach it. */
export function checkpointIndex(prefix: string): string {
  return `${prefix}_checkpoints`;
}

const templateVersion = 1;
const linesPerRequest = 1_000;

/** Body of `PUT /_index_template/<prefix>_checkpoints`. */
export function checkpointTemplate({ prefix, numberOfReplicas }: { prefix: string; numberOfReplicas: number }): object {
  const keyword = { type: 'keyword' };
  return {
    index_patterns: [checkpointIndex(prefix)],
    priority: 500,
    version: templateVersion,
    _meta: { managed_by: 'skilltape' },
    template: {
      settings: { number_of_shards: 1, number_of_replicas: numberOfReplicas, codec: 'best_compression' },
      mappings: {
        dynamic: false,
        properties: {
          '@timestamp': { type: 'date' },
          ...{ writer: keyword, number: { type: 'long' }, hash: keyword },
          // Kept and shown, never searched: it may be longer than Lucene takes as a word.
          line: { type: 'keyword', index: false, doc_values: false },
        },
      },
    },
  };
}

type Layout = { prefix: string; numberOfReplicas: number };

/** Needs `create_doc` and `auto_configure` on its index and no more. Must be closed. */
export class ElasticsearchCheckpoints implements IndexCheckpoints {
  readonly #connection: Connection;
  readonly #layout: Layout;
  #isReady = false;

  constructor(connection: Connection, layout: Layout) {
    this.#connection = connection;
    this.#layout = layout;
  }

  async add({ hash, writer, number, timeMs, line }: CheckpointLine): Promise<void> {
    await this.#makeReady();
    const path = `/${checkpointIndex(this.#layout.prefix)}/_create/${hash}`;
    const body = { '@timestamp': new Date(timeMs).toISOString(), writer, number, hash, line };
    const answer = await this.#connection.send({ method: 'PUT', path, body });
    // 409: it is there.
    if (answer.kind === 'answer' && (answer.status === 201 || answer.status === 409)) return;
    throw failed('could not keep a checkpoint', answer);
  }

  close(): Promise<void> {
    return this.#connection.close();
  }

  /** Under another mapping than ours a number would not be one. */
  async #makeReady(): Promise<void> {
    if (this.#isReady) return;
    const path = `/_index_template/${checkpointIndex(this.#layout.prefix)}`;
    const found = await this.#connection.send({ method: 'GET', path });
    if (found.kind === 'answer' && found.status === 404) await putCheckpointTemplate(this.#connection, this.#layout);
    else if (found.kind !== 'answer' || found.status !== 200) throw failed('the template cannot be seen', found);
    this.#isReady = true;
  }
}

/** @throws SkilltapeError `index_failed` */
export async function putCheckpointTemplate(connection: Connection, layout: Layout): Promise<void> {
  const name = checkpointIndex(layout.prefix);
  const put = await connection.send({
    ...{ method: 'PUT' as const, path: `/_index_template/${name}` },
    body: checkpointTemplate(layout),
  });
  if (put.kind === 'answer' && put.status === 200) return;
  throw failed(`the index template ${name} is not there`, put, 'run `skilltape index setup`');
}

/** Must be closed. */
export function elasticsearchCheckpoints(connection: Connection): StoredCheckpoints {
  const path = `/${checkpointIndex(connection.prefix)}/_search`;
  return {
    async *lines() {
      for (let after: unknown[] | undefined; ; ) {
        const answer = await connection.send({
          ...{ method: 'POST' as const, path, query: { allow_partial_search_results: false } },
          body: {
            ...{ size: linesPerRequest, track_total_hits: false, sort: ['writer', 'number', 'hash'] },
            ...{ _source: ['line'], ...(after !== undefined && { search_after: after }) },
          },
        });
        if (answer.kind !== 'answer' || answer.status !== 200) throw failed('could not read the checkpoints', answer);
        const hits = listAt(objectAt(answer.body, 'hits'), 'hits').filter(isObject);
        for (const hit of hits) yield String(objectAt(hit, '_source').line);
        after = listAt(hits.at(-1), 'sort') as unknown[];
        if (hits.length < linesPerRequest) return;
      }
    },
    close: () => connection.close(),
  };
}

function failed(what: string, answer: ElasticsearchAnswer, remedy?: string): SkilltapeError {
  const reason = answer.kind === 'unreachable' ? answer.reason : refusal(answer.status, answer.body);
  return new SkilltapeError('index_failed', `${what}: ${reason}`, remedy === undefined ? {} : { remedy });
}
