import type { IndexCheckpoints, StoredCheckpoints } from '../checkpoints.ts';
import type { IndexReplace, IndexSearch, IndexSink, IndexUsage } from '../port.ts';
import type { Rejects } from '../rejects.ts';
import type { IndexRetention } from '../retention.ts';
import { type AccessCheck, checkAccess, type Purpose } from './check.ts';
import { ElasticsearchCheckpoints, elasticsearchCheckpoints, putCheckpointTemplate } from './checkpoints.ts';
import { Connection } from './connection.ts';
import { mappingVersion } from './mapping.ts';
import type { ElasticsearchOptions } from './options.ts';
import { ElasticsearchReplace } from './replace.ts';
import { ElasticsearchRetention } from './retention.ts';
import { ElasticsearchSearch } from './search.ts';
import { replaceTemplate } from './template.ts';
import { ElasticsearchIndex } from './writer.ts';

/**
 * For shipping; must be closed. A server that is away is no reason to fail here: what cannot be delivered is `retry`.
 * So are files with a certificate or a credential that cannot be used. `firstPauseMs` is the wait before what a busy
 * server refused is sent a second time.
 */
export async function openElasticsearchIndex(
  options: ElasticsearchOptions,
  rejects: Pick<Rejects, 'keep'>,
  firstPauseMs?: number,
): Promise<IndexSink> {
  return new ElasticsearchIndex(new Connection(options), options, rejects, firstPauseMs);
}

/**
 * For searching; must be closed. What is asked throws SkilltapeError `config_invalid` when a file with a certificate or
 * a credential cannot be used.
 */
export function openElasticsearchSearch(
  options: ElasticsearchOptions,
): IndexSearch & IndexUsage & { close(): Promise<void> } {
  return new ElasticsearchSearch(new Connection(options));
}

/** For shipping's checkpoints; must be closed. */
export function openElasticsearchCheckpoints(options: ElasticsearchOptions): IndexCheckpoints {
  return new ElasticsearchCheckpoints(new Connection(options), options);
}

/** For whoever verifies; must be closed. */
export function openStoredCheckpoints(options: ElasticsearchOptions): StoredCheckpoints {
  return elasticsearchCheckpoints(new Connection(options));
}

/** For masking again; must be closed. Errors as for shipping. */
export function openElasticsearchReplace(options: ElasticsearchOptions): IndexReplace {
  return new ElasticsearchReplace(new Connection(options));
}

/** For retention and erasing; must be closed. Errors as for searching. */
export function openElasticsearchRetention(options: ElasticsearchOptions): IndexRetention {
  return new ElasticsearchRetention(new Connection(options));
}

/**
 * Puts the index templates in place, for indices that are made from now on.
 * Throws SkilltapeError `index_failed`, and `config_invalid` as above.
 */
export async function setUpElasticsearch(
  options: ElasticsearchOptions,
): Promise<{ template: string; version: number }> {
  const connection = new Connection(options);
  try {
    await replaceTemplate(connection, options);
    await putCheckpointTemplate(connection, options);
    return { template: options.prefix, version: mappingVersion };
  } finally {
    await connection.close();
  }
}

/** Whether a credential can do its part and what more; neither writes nor reads a document. Throws `config_invalid` as above. */
export async function checkElasticsearch(options: ElasticsearchOptions, purpose: Purpose): Promise<AccessCheck> {
  const connection = new Connection(options);
  try {
    return await checkAccess(connection, options, purpose);
  } finally {
    await connection.close();
  }
}
