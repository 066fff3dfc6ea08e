import { SkilltapeError } from '../../errors.ts';
import { refusal, refusalReason } from './answer.ts';
import type { Connection, ElasticsearchAnswer } from './connection.ts';
import { listAt, objectAt } from './json.ts';
import { indexTemplate, type LayoutOptions, mappingVersion, textAnalyses } from './mapping.ts';

/** Where documents may be written: only under a template of this version or a newer one. */
export type TemplateState = { kind: 'ready' } | { kind: 'missing'; reason: string };

const remedy = 'run `skilltape index setup` with a credential that has the role skilltape_setup';

/**
 * Puts the template in place where it is missing or older, if the credential may; otherwise it must be there already.
 * Without it the first document would make an index whose mapping grows with every key.
 */
export async function ensureTemplate(connection: Connection, layout: LayoutOptions): Promise<TemplateState> {
  const found = await connection.send({ method: 'GET', path: pathOf(layout) });
  const problem = problemOf(found, layout);
  if (problem === null) return { kind: 'ready' };
  if (found.kind === 'unreachable' || ![200, 403, 404].includes(found.status))
    return { kind: 'missing', reason: problem };
  const put = await putTemplate(connection, layout);
  if (put.kind === 'answer' && put.status === 200) return { kind: 'ready' };
  if (put.kind === 'unreachable') return { kind: 'missing', reason: put.reason };
  return { kind: 'missing', reason: put.status === 403 ? problem : refusal(put.status, put.body) };
}

/** Why documents may not be written, or null; changes nothing. */
export async function templateProblem(connection: Connection, layout: LayoutOptions): Promise<string | null> {
  return problemOf(await connection.send({ method: 'GET', path: pathOf(layout) }), layout);
}

function problemOf(found: ElasticsearchAnswer, { prefix }: LayoutOptions): string | null {
  if (found.kind === 'unreachable') return found.reason;
  switch (found.status) {
    case 200: {
      const version = versionOf(found.body);
      if (version >= mappingVersion) return null;
      return `the index template ${prefix} has version ${version} and must have ${mappingVersion}: ${remedy}`;
    }
    case 403:
      return `the index template ${prefix} cannot be seen: the role needs the cluster privilege monitor`;
    case 404:
      return `the index template ${prefix} is not there: ${remedy}`;
    default:
      return refusal(found.status, found.body);
  }
}

/** Puts the template in place whatever is there. Throws SkilltapeError `index_failed`. */
export async function replaceTemplate(connection: Connection, layout: LayoutOptions): Promise<void> {
  const put = await putTemplate(connection, layout);
  if (put.kind === 'answer' && put.status === 200) return;
  const reason = put.kind === 'unreachable' ? put.reason : refusalReason(put.status, put.body);
  throw new SkilltapeError('index_failed', `the index template ${layout.prefix} cannot be put in place: ${reason}`, {
    remedy: setupRemedy(put),
  });
}

function setupRemedy(put: ElasticsearchAnswer): string {
  if (put.kind === 'unreachable') return 'check nodes and caFile in index.elasticsearch, and that the cluster runs';
  if (put.status === 401) return 'check the files that hold the credential';
  if (put.status === 403) return 'use a credential that has the cluster privilege manage_index_templates';
  return 'see the log of Elasticsearch; it must have version 8.19 or 9';
}

/** The best text analysis that the server has. */
async function putTemplate(connection: Connection, layout: LayoutOptions): Promise<ElasticsearchAnswer> {
  let answer: ElasticsearchAnswer = { kind: 'unreachable', reason: '' };
  for (const analysis of textAnalyses) {
    const body = indexTemplate(layout, analysis);
    answer = await connection.send({ method: 'PUT', path: pathOf(layout), body });
    if (answer.kind !== 'answer' || answer.status !== 400) return answer;
  }
  return answer;
}

function pathOf({ prefix }: LayoutOptions): string {
  return `/_index_template/${prefix}`;
}

/** 0 for a template that is not ours. */
function versionOf(body: unknown): number {
  const [first] = listAt(body, 'index_templates');
  const version = objectAt(objectAt(first, 'index_template'), '_meta').mapping_version;
  return typeof version === 'number' ? version : 0;
}
