import type { DatabaseSync } from 'node:sqlite';
import type { SearchQuery } from '../port.ts';
import { folded } from '../text-form.ts';
import { Conditions } from './conditions.ts';
import { hasFailedMasking, liftedBy, wouldBe } from './tables.ts';

/** Of more candidates, walking by time until the page is full is cheaper than looking each up and sorting. */
const lookedUpMax = 2_000;

/** Lays the table that holds the candidates of one search beside a connection; the file is not touched. */
export function prepareCandidates(database: DatabaseSync): void {
  database.exec('pragma temp_store = memory; create temp table candidates (number integer primary key)');
}

/**
 * Puts the numbers of all rows that have the words, the person, the skill and the masked type into `temp.candidates`, so that the full
 * text index is asked once for hits, noise and count. Null when the query asks for none of these; else how many.
 */
export function fillCandidates(database: DatabaseSync, query: SearchQuery, match: string | null): number | null {
  const sets: { select: string; values: string[] }[] = [];
  if (match !== null)
    sets.push({ select: 'select rowid from exchange_text where exchange_text match ?', values: [match] });
  if (query.user !== undefined) sets.push(rowsOfUser(query.user));
  if (query.skill !== undefined)
    sets.push({ select: 'select number from exchange_skills where skill = ?', values: [query.skill] });
  if (query.masked !== undefined)
    sets.push({ select: 'select number from exchange_findings where type = ?', values: [query.masked] });
  if (query.would !== undefined)
    sets.push({
      select: `select number from exchanges where ${wouldBe} is not null and ${wouldBe} = ?`,
      values: [query.would],
    });
  if (query.lifted !== undefined)
    sets.push({
      select: `select number from exchanges where ${liftedBy} is not null and ${liftedBy} = ?`,
      values: [query.lifted],
    });
  if (query.maskingFailed === true)
    sets.push({ select: `select number from exchanges where ${hasFailedMasking}`, values: [] });
  database.exec('delete from temp.candidates');
  if (sets.length === 0) return null;
  const all = sets.map(({ select }) => `select * from (${select})`).join(' intersect ');
  const { changes } = database
    .prepare(`insert into temp.candidates ${all}`)
    .run(...sets.flatMap(({ values }) => values));
  return Number(changes);
}

/** The rows of a person by whole id, e-mail address or name. */
export function rowsOfUser(user: string): { select: string; values: string[] } {
  const whole = folded(user);
  const columns = ['user_id', 'user_email', 'user_name'];
  return {
    select: columns.map((column) => `select number from exchanges where ${column} = ?`).join(' union '),
    values: columns.map(() => whole),
  };
}

/** The tables to select from, and the filters that are no sets; for hits, or for what is left out as noise. */
export function candidateRows(
  query: SearchQuery,
  candidates: number | null,
  noise: 'without' | 'only' | 'with',
): { from: string; conditions: Conditions } {
  const conditions = new Conditions();
  if (noise !== 'with') conditions.add(noise === 'only' ? 'noise is not null' : 'noise is null');
  if (query.connection !== undefined) conditions.add('connection = ?', query.connection);
  if (query.session !== undefined) conditions.add('session = ?', query.session);
  if (query.outcome !== undefined) conditions.add('outcome = ?', query.outcome);
  if (query.model !== undefined) conditions.add('(request_model = ? or response_model = ?)', query.model, query.model);
  if (query.from !== undefined) conditions.add('time_ms >= ?', query.from.getTime());
  if (query.to !== undefined) conditions.add('time_ms < ?', query.to.getTime());
  // A cross join keeps the order of the tables.
  if (candidates !== null && candidates <= lookedUpMax)
    return { from: 'temp.candidates cross join exchanges using (number)', conditions };
  if (candidates !== null)
    conditions.add('exists (select 1 from temp.candidates as one where one.number = exchanges.number)');
  if (noise === 'only') return { from: 'exchanges indexed by exchanges_noise', conditions };
  return { from: candidates === null ? 'exchanges' : 'exchanges indexed by exchanges_by_time', conditions };
}
