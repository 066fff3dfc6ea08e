import { SkilltapeError } from '../../errors.ts';
import { reducedDocument } from '../../transcript/reduced-document.ts';
import type { DayOfClass, IndexDay, IndexedPerson, IndexRetention, Matching } from '../retention.ts';
import { refusal } from './answer.ts';
import { batchesOf } from './batches.ts';
import type { Connection, ElasticsearchRequest } from './connection.ts';
import { isObject, listAt, objectAt } from './json.ts';
import { indexName, preparedOf } from './prepared.ts';
import { restored } from './stored.ts';

/** Documents asked for in one request: a document may have megabytes. */
const documentsPerRequest = 100;
/** Sessions asked for in one request. */
const sessionsPerRequest = 500;
/** One index for each class and day; a cluster has far fewer. */
const indicesMax = 10_000;

type Clause = Record<string, unknown>;
type Hit = { id: string; index: string; version: { if_seq_no: number; if_primary_term: number }; source: unknown };

/** Day indices are deleted whole, documents are reduced where they stand. Needs rights that neither shipping nor searching has. */
export class ElasticsearchRetention implements IndexRetention {
  readonly #connection: Connection;
  readonly #indexOf: RegExp;

  constructor(connection: Connection) {
    this.#connection = connection;
    this.#indexOf = new RegExp(`^${connection.prefix}-([a-z][a-z0-9_-]{0,31})-(\\d{4})\\.(\\d{2})\\.(\\d{2})$`);
  }

  async days(): Promise<IndexDay[]> {
    await this.#refresh();
    const names = await this.#ask({ method: 'GET', path: `${this.#all}/_settings/index.uuid` });
    const counts = await this.#counts([]);
    return Object.keys(isObject(names) ? names : {}).flatMap((name) => {
      const of = this.#dayOf(name);
      return of === null ? [] : [{ ...of, ...(counts.get(name) ?? { documents: 0, withContent: 0 }) }];
    });
  }

  async matchingDays(any: readonly Matching[]): Promise<IndexDay[]> {
    await this.#refresh();
    const counts = await this.#counts([matchesAny(any)]);
    return [...counts].flatMap(([name, count]) => {
      const of = this.#dayOf(name);
      return of === null ? [] : [{ ...of, ...count }];
    });
  }

  async daysWith(matching: Matching): Promise<DayOfClass[]> {
    return (await this.matchingDays([matching])).map(({ retentionClass, day }) => ({ retentionClass, day }));
  }

  async unmatched(ids: readonly string[], any: readonly Matching[]): Promise<ReadonlySet<string>> {
    await this.#refresh();
    const found = new Set<string>();
    // An id may stand in the indices of two days.
    const matched = new Set<string>();
    for (let at = 0; at < ids.length; at += documentsPerRequest / 2) {
      const filter = [{ terms: { 'event.id': ids.slice(at, at + documentsPerRequest / 2) } }];
      for (const { id } of await this.#search(this.#all, { filter, source: ['event.id'] })) found.add(id);
      const matching = [...filter, matchesAny(any)];
      for (const { id } of await this.#search(this.#all, { filter: matching, source: ['event.id'] })) matched.add(id);
    }
    return new Set([...found].filter((id) => !matched.has(id)));
  }

  async unmatchedSessions(
    sessions: readonly string[],
    any: readonly Matching[],
    { from, to }: { from: Date; to: Date },
  ): Promise<ReadonlySet<string>> {
    await this.#refresh();
    const found = new Set<string>();
    for (let at = 0; at < sessions.length; at += sessionsPerRequest) {
      const of = { terms: { 'skilltape.session.id': sessions.slice(at, at + sessionsPerRequest) } };
      for (const name of await this.#sessionsOf([of, ...matchingClauses({ from, to })])) found.add(name);
      for (const name of await this.#sessionsOf([of, matchesAny(any)])) found.delete(name);
    }
    return found;
  }

  async #sessionsOf(filter: Clause[]): Promise<string[]> {
    const answer = await this.#ask({
      ...{ method: 'POST' as const, path: `${this.#all}/_search`, query: whole },
      body: {
        ...{ size: 0, track_total_hits: false, query: { bool: { filter } } },
        aggs: { sessions: { terms: { field: 'skilltape.session.id', size: sessionsPerRequest } } },
      },
    });
    return listAt(objectAt(objectAt(answer, 'aggregations'), 'sessions'), 'buckets')
      .filter(isObject)
      .map(({ key }) => String(key));
  }

  async reduce(of: DayOfClass, except: readonly Matching[] = []): Promise<number> {
    const index = indexName(this.#connection.prefix, of);
    const filter = [{ term: { 'skilltape.keep': 'full' } }, ...butFor(except)];
    for (let done = 0; ; ) {
      const hits = await this.#search(`/${index}`, { filter });
      if (hits.length === 0) return done;
      done += await this.#bulk(
        hits.map((hit) => {
          const [, json = ''] = preparedOf(reducedDocument(restored(hit.source)), this.#connection.prefix).lines.split(
            '\n',
          );
          return `${JSON.stringify({ index: { _index: hit.index, _id: hit.id, ...hit.version } })}\n${json}\n`;
        }),
      );
    }
  }

  async remove(of: DayOfClass, except: readonly Matching[] = []): Promise<number> {
    const index = indexName(this.#connection.prefix, of);
    if (except.length > 0 && (await this.#counts([matchesAny(except)], `/${index}`)).size > 0)
      return this.#removeBut(index, except);
    const documents = (await this.#counts([], `/${index}`)).get(index)?.documents ?? 0;
    await this.#ask({ method: 'DELETE', path: `/${index}` }, [200, 404]);
    return documents;
  }

  async #removeBut(index: string, except: readonly Matching[]): Promise<number> {
    for (let done = 0; ; ) {
      const hits = await this.#search(`/${index}`, { filter: butFor(except), source: ['event.id'] });
      if (hits.length === 0) return done;
      done += await this.#bulk(hits.map(deletionOf));
    }
  }

  async removePerson(person: IndexedPerson, before: Date): Promise<number> {
    await this.#refresh();
    const filter = [
      ...clausesOf(person),
      { range: { '@timestamp': { format: 'epoch_millis', lt: before.getTime() } } },
    ];
    let [done, after]: [number, string | undefined] = [0, undefined];
    for (;;) {
      const hits: Hit[] = await this.#search(this.#all, { filter, after, source: ['user.id', 'user.domain'] });
      // The index takes `A` for `a`; another person is not erased for that.
      const own = hits.filter(({ source }) => isOf(objectAt(source, 'user'), person));
      const lines = own.map(deletionOf);
      if (lines.length > 0) done += await this.#bulk(lines);
      if (hits.length < documentsPerRequest) return done;
      after = hits.at(-1)?.id;
    }
  }

  close(): Promise<void> {
    return this.#connection.close();
  }

  get #all(): string {
    return `/${this.#connection.prefix}-*`;
  }

  #dayOf(name: string): DayOfClass | null {
    const [, retentionClass, year, month, day] = this.#indexOf.exec(name) ?? [];
    return retentionClass === undefined ? null : { retentionClass, day: `${year}-${month}-${day}` };
  }

  /** What was just delivered is not seen before. */
  async #refresh(): Promise<void> {
    await this.#ask({ method: 'POST', path: `${this.#all}/_refresh`, query: lenient });
  }

  async #counts(filter: Clause[], path = this.#all): Promise<Map<string, { documents: number; withContent: number }>> {
    const full = { filter: { term: { 'skilltape.keep': 'full' } } };
    const answer = await this.#ask({
      ...{ method: 'POST' as const, path: `${path}/_search`, query: whole },
      body: {
        ...{ size: 0, track_total_hits: false, query: { bool: { filter } } },
        aggs: { indices: { terms: { field: '_index', size: indicesMax }, aggs: { full } } },
      },
    });
    const buckets = listAt(objectAt(objectAt(answer, 'aggregations'), 'indices'), 'buckets').filter(isObject);
    return new Map(
      buckets.map((bucket) => [
        String(bucket.key),
        { documents: Number(bucket.doc_count), withContent: Number(objectAt(bucket, 'full').doc_count ?? 0) },
      ]),
    );
  }

  async #search(
    path: string,
    asked: { filter: Clause[]; after?: string | undefined; source?: string[] },
  ): Promise<Hit[]> {
    const { filter, after, source } = asked;
    const answer = await this.#ask({
      ...{ method: 'POST' as const, path: `${path}/_search`, query: whole },
      body: {
        ...{ query: { bool: { filter } }, size: documentsPerRequest, seq_no_primary_term: true },
        ...{ track_total_hits: false, ...(source && { _source: source }) },
        sort: [{ 'event.id': { order: 'asc', unmapped_type: 'keyword' } }],
        ...(after !== undefined && { search_after: [after] }),
      },
    });
    return listAt(objectAt(answer, 'hits'), 'hits')
      .filter(isObject)
      .map((hit) => ({
        ...{ id: String(hit._id), index: String(hit._index), source: hit._source },
        version: { if_seq_no: Number(hit._seq_no), if_primary_term: Number(hit._primary_term) },
      }));
  }

  /** How many were done; what somebody else changed meanwhile is met again. Throws when there was none. */
  async #bulk(lines: readonly string[]): Promise<number> {
    let [done, status] = [0, 0];
    for (const batch of batchesOf(lines.map((text) => ({ text, bytes: Buffer.byteLength(text) })))) {
      const answer = await this.#ask({
        ...{ method: 'POST' as const, path: '/_bulk' },
        query: { refresh: true, filter_path: 'items.*.status,items.*.error.type' },
        body: batch.map(({ text }) => text).join(''),
      });
      for (const item of listAt(answer, 'items')) {
        status = Number(objectAt(item, Object.keys(isObject(item) ? item : {})[0] ?? '').status);
        if (status === 200 || status === 201 || status === 404) done += 1;
      }
    }
    if (done > 0) return done;
    throw new SkilltapeError('index_failed', `Elasticsearch changed none of ${lines.length} documents (${status})`, {
      remedy: 'compare the role of the credential with deploy/elasticsearch/roles.yml',
    });
  }

  async #ask(request: ElasticsearchRequest, taken: readonly number[] = [200]): Promise<unknown> {
    const answer = await this.#connection.send(request);
    if (answer.kind === 'unreachable') throw new SkilltapeError('index_failed', answer.reason);
    if (taken.includes(answer.status)) return answer.body;
    throw new SkilltapeError('index_failed', refusal(answer.status, answer.body));
  }
}

const lenient = { ignore_unavailable: true, allow_no_indices: true };
/** Part of an answer would keep too little. */
const whole = { ...lenient, allow_partial_search_results: false };

function deletionOf({ id, index, version }: Hit): string {
  return `${JSON.stringify({ delete: { _index: index, _id: id, ...version } })}\n`;
}

function matchesAny(any: readonly Matching[]): Clause {
  if (any.length === 0) return { match_none: {} };
  const should = any.map((one) => ({ bool: { filter: matchingClauses(one) } }));
  return { bool: { should, minimum_should_match: 1 } };
}

function butFor(except: readonly Matching[]): Clause[] {
  return except.length === 0 ? [] : [{ bool: { must_not: matchesAny(except) } }];
}

function matchingClauses({ person, session, connection, from, to }: Matching): Clause[] {
  const filter: Clause[] = person === undefined ? [] : clausesOf(person);
  if (session !== undefined) filter.push({ term: { 'skilltape.session.id': session } });
  if (connection !== undefined) filter.push({ term: { 'skilltape.connection': connection } });
  const range = { format: 'epoch_millis', ...(from && { gte: from.getTime() }), ...(to && { lt: to.getTime() }) };
  if (from !== undefined || to !== undefined) filter.push({ range: { '@timestamp': range } });
  return filter;
}

function clausesOf({ issuer, ids }: IndexedPerson): Clause[] {
  return [{ term: { 'user.domain': issuer } }, { terms: { 'user.id': ids } }];
}

function isOf(user: Record<string, unknown>, { issuer, ids }: IndexedPerson): boolean {
  return user.domain === issuer && typeof user.id === 'string' && ids.includes(user.id);
}
