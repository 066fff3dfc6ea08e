/** The tables of the index, as SQL. */
export const exchangesTable = `
create table exchanges (
  number integer primary key,
  id text not null unique,
  time_ms integer not null,
  session text not null,
  connection text not null,
  outcome text not null,
  user_id text,
  user_email text,
  user_name text,
  noise text,
  request_model text not null default '',
  response_model text not null default '',
  document text not null
) strict;
create index exchanges_by_session on exchanges (session, time_ms, id);
create index exchanges_by_connection on exchanges (connection, time_ms, id);
create index exchanges_by_user_id on exchanges (user_id, time_ms, id);
create index exchanges_by_user_email on exchanges (user_email, time_ms, id);
create index exchanges_by_user_name on exchanges (user_name, time_ms, id);
`;

/**
 * `exchange_text` keeps its own copy of the flat texts under the same row number: it is normalised for search, while
 * `document` stays as delivered.
 */
export const textTable = `
create virtual table exchange_text using fts5(input, output, tokenize = 'unicode61 remove_diacritics 2');
`;

/**
 * What version 2 brought; also laid into a file of version 1. The two indices hold every column that a search filters
 * by: a row itself is large, because the document is in it.
 */
export const addedIn2 = `
create index exchanges_by_time on exchanges
  (time_ms, id, noise, session, connection, outcome, request_model, response_model);
create index exchanges_noise on exchanges
  (time_ms, id, noise, session, connection, outcome, request_model, response_model) where noise is not null;
create table exchange_skills (
  skill text not null,
  number integer not null,
  primary key (skill, number)
) strict, without rowid;
create index exchange_skills_by_number on exchange_skills (number);
create table exchange_usage (
  number integer primary key,
  time_ms integer not null,
  person text not null,
  session text not null,
  connection text not null,
  model text not null,
  service_tier text not null,
  uncached_input integer not null,
  cache_read integer not null,
  cache_creation_5m integer not null,
  cache_creation_1h integer not null,
  output integer not null,
  web_search_requests integer not null
) strict;
create index exchange_usage_by_time on exchange_usage (time_ms);
`;

/** What version 3 brought: by which types something was masked. */
export const addedIn3 = `
create table exchange_findings (
  type text not null,
  number integer not null,
  primary key (type, number)
) strict, without rowid;
create index exchange_findings_by_number on exchange_findings (number);
`;

/**
 * What rules would have decided that are not enforced; few rows are in this index, so that a search by it reads no
 * documents. Made at each opening, since an index without it gives the same answers.
 */
export const wouldBe = "(document ->> '$.skilltape.verdict.would')";
export const wouldIndex = `
create index if not exists exchanges_would on exchanges (${wouldBe}, number) where ${wouldBe} is not null;
`;

/** The same for what was let through by a grant, by its kind. */
export const liftedBy = "(document ->> '$.skilltape.verdict.lifted')";
export const liftedIndex = `
create index if not exists exchanges_lifted on exchanges (${liftedBy}, number) where ${liftedBy} is not null;
`;

/**
 * Where masking failed; hardly any row is in this index, so that it is small and a search by it reads no documents. Made
 * at each opening, since an index without it gives the same answers.
 */
export const hasFailedMasking = "document ->> '$.skilltape.masking.status' = 'failed'";
export const failedMaskingIndex = `
create index if not exists exchanges_masking_failed on exchanges (number) where ${hasFailedMasking};
`;

/**
 * Retention goes by class and day, and by whether there is content still. Made at each opening, since an index without it
 * gives the same answers.
 */
export const classOf = "coalesce(nullif(document ->> '$.skilltape.retention_class', ''), 'standard')";
export const dayNumberOf = '(time_ms / 86400000)';
export const keepOf = "(document ->> '$.skilltape.keep')";
export const retentionIndex = `
create index if not exists exchanges_by_class on exchanges (${classOf}, ${dayNumberOf}, ${keepOf});
`;

export const immutableTrigger = `
create trigger exchanges_immutable before update on exchanges
  begin select raise(abort, 'an indexed exchange does not change'); end;
`;
