import { setTimeout as wait } from 'node:timers/promises';
import { SkilltapeError } from '../../errors.ts';
import type { Masked } from '../../masking/masked.ts';
import type { ExchangeDocument } from '../../transcript/document.ts';
import { decodeCursor, encodeCursor, type SearchPosition } from '../cursor.ts';
import { headlineOf, hitOf } from '../hit.ts';
import { checkedLimit } from '../limits.ts';
import {
  type IndexSearch,
  type IndexUsage,
  noiseCountMax,
  type SearchPage,
  type SearchQuery,
  type SessionDocuments,
  type Snippet,
  sessionDocumentsMax,
  type UsageQuery,
  type UsageRow,
} from '../port.ts';
import { beginningOf, newMarkers, parseMarked, type SnippetMarkers } from '../snippet.ts';
import { refusalReason, refusalRemedy } from './answer.ts';
import type { Connection, ElasticsearchAnswer } from './connection.ts';
import { listAt, objectAt } from './json.ts';
import { analyzedMaxChars } from './mapping.ts';
import { clausesOf, isNoise, textFields } from './query.ts';
import { headlineFields, restored, restoredPart, sourceFields } from './stored.ts';
import { sumUsage } from './usage.ts';

/** Documents asked for in one request: a document may have megabytes. */
const hitsPerRequest = 100;
/** In characters, before the snippet is cut to its own length. */
const fragmentSize = 240;

/** An index that is made at this moment has no shard to search for some hundred milliseconds, so others are not shown either. */
const asksMax = 4;
const pauseMs = 150;

type Hit = { source: unknown; position: SearchPosition; highlight: Record<string, unknown> };

/** The reading side; needs no right but to read. Must be closed. */
export class ElasticsearchSearch implements IndexSearch, IndexUsage {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  async search(query: SearchQuery): Promise<SearchPage> {
    const limit = checkedLimit(query.limit);
    const { filter, text } = clausesOf(query);
    const markers = newMarkers();
    const body = {
      query: { bool: { filter, ...(query.noise === true ? {} : { must_not: [isNoise] }) } },
      sort: newestFirst,
      _source: text === null ? [...sourceFields, ...headlineFields] : sourceFields,
      ...(text === null ? {} : { highlight: highlightOf(text, markers) }),
    };
    const before = query.before === undefined ? null : decodeCursor(query.before);
    const [found, noiseHidden] = await Promise.all([
      this.#collect(body, limit + 1, before),
      query.noise === true ? 0 : this.#count([...filter, isNoise]),
    ]);
    const shown = found.slice(0, limit);
    const last = found.length > limit ? shown.at(-1) : undefined;
    return {
      hits: shown.map(({ source, highlight }) => {
        const document = restoredPart(source);
        return hitOf(document, snippetOf(document, highlight, text === null ? null : markers));
      }),
      next: last === undefined ? null : encodeCursor(last.position),
      noiseHidden,
    };
  }

  async get(id: string): Promise<Masked<ExchangeDocument> | null> {
    const query = { term: { 'event.id': { value: id } } };
    const [hit] = await this.#collect({ query, sort: newestFirst }, 1, null);
    return hit === undefined ? null : restored(hit.source);
  }

  async session(id: string): Promise<SessionDocuments> {
    const query = { term: { 'skilltape.session.id': { value: id } } };
    const hits = await this.#collect({ query, sort: oldestFirst }, sessionDocumentsMax + 1, null);
    return {
      documents: hits.slice(0, sessionDocumentsMax).map(({ source }) => restored(source)),
      isWhole: hits.length <= sessionDocumentsMax,
    };
  }

  usage(query: UsageQuery): Promise<UsageRow[]> {
    return sumUsage(query, (body) => this.#ask(body));
  }

  close(): Promise<void> {
    return this.#connection.close();
  }

  /** Up to `limit` hits after a place, in as many requests as it takes. */
  async #collect(body: object, limit: number, after: SearchPosition | null): Promise<Hit[]> {
    const hits: Hit[] = [];
    let last = after;
    while (hits.length < limit) {
      const size = Math.min(hitsPerRequest, limit - hits.length);
      const page = { ...body, size, track_total_hits: false, ...(last && { search_after: [last.timeMs, last.id] }) };
      const found = listAt(objectAt(await this.#ask(page), 'hits'), 'hits').map(hitFrom);
      hits.push(...found);
      last = found.at(-1)?.position ?? null;
      if (found.length < size) break;
    }
    return hits;
  }

  async #count(filter: object[]): Promise<number> {
    const answer = await this.#ask({ query: { bool: { filter } }, size: 0, track_total_hits: noiseCountMax });
    const { value } = objectAt(objectAt(answer, 'hits'), 'total');
    return Math.min(Number(value), noiseCountMax);
  }

  /** Throws SkilltapeError `index_failed`. Indices that are not there yet, or closed, hold nothing; part of an answer is none. */
  async #ask(body: object): Promise<unknown> {
    let answer = await this.#send(body);
    for (let asks = 1; asks < asksMax && isPassing(answer); asks++) {
      await wait(pauseMs * asks);
      answer = await this.#send(body);
    }
    if (answer.kind === 'answer' && answer.status === 200) return answer.body;
    if (answer.kind === 'unreachable')
      throw new SkilltapeError('index_failed', `could not search the index: ${answer.reason}`);
    const remedy = refusalRemedy(answer.status, answer.body);
    throw new SkilltapeError(
      'index_failed',
      `could not search the index: ${refusalReason(answer.status, answer.body)}`,
      remedy === undefined ? {} : { remedy },
    );
  }

  #send(body: object): Promise<ElasticsearchAnswer> {
    return this.#connection.send({
      method: 'POST',
      path: `/${this.#connection.prefix}-*/_search`,
      query: {
        ignore_unavailable: true,
        allow_no_indices: true,
        expand_wildcards: 'open',
        allow_partial_search_results: false,
      },
      body,
    });
  }
}

function isPassing(answer: ElasticsearchAnswer): boolean {
  return answer.kind === 'answer' && (answer.status === 429 || answer.status === 503);
}

const newestFirst = sortedBy('desc');
const oldestFirst = sortedBy('asc');

/** An index that an operator made by hand may lack our mapping; it must not fail the search. */
function sortedBy(order: 'asc' | 'desc'): object[] {
  return [{ '@timestamp': { order, unmapped_type: 'date' } }, { 'event.id': { order, unmapped_type: 'keyword' } }];
}

function highlightOf(text: object, { open, close }: SnippetMarkers): object {
  return {
    ...{ type: 'unified', number_of_fragments: 1, fragment_size: fragmentSize, order: 'score' },
    ...{ pre_tags: [open], post_tags: [close], max_analyzed_offset: analyzedMaxChars, highlight_query: text },
    fields: Object.fromEntries(textFields.map((field) => [field, {}])),
  };
}

function hitFrom(hit: unknown): Hit {
  const [timeMs, id] = listAt(hit, 'sort');
  return {
    source: objectAt(hit, '_source'),
    position: { timeMs: Number(timeMs), id: String(id) },
    highlight: objectAt(hit, 'highlight'),
  };
}

function snippetOf(
  document: ExchangeDocument,
  highlight: Record<string, unknown>,
  markers: SnippetMarkers | null,
): Snippet {
  if (markers === null) return beginningOf(headlineOf(document));
  const fragment = textFields.map((field) => listAt(highlight, field)[0]).find((found) => typeof found === 'string');
  return parseMarked(typeof fragment === 'string' ? fragment : '', markers);
}
