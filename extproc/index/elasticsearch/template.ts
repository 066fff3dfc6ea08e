import { SkilltapeError } from '../../errors.ts';
import { refusalReason } from './answer.ts';
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
  if (found.kind === 'unreachable') return { kind: 'missing', reason: found.reason };
  if (found.status === 200 && versionOf(found.body) >= mappingVersion) return { kind: 'ready' };
  if (found.status !== 200 && found.status !== 404 && found.status !== 403)
    return { kind: 'missing', reason: refusalReason(found.status, found.body) };
  const put = await putTemplate(connection, layout);
  if (put.kind === 'answer' && put.status === 200) return { kind: 'ready' };
  if (put.kind === 'unreachable') return { kind: 'missing', reason: put.reason };
  if (put.status !== 403) return { kind: 'missing', reason: refusalReason(put.status, put.body) };
  const what =
    found.status === 403
      ? 'cannot be seen: the role needs the cluster privilege monitor'
      : found.status === 404
        ? `is not there: ${remedy}`
        : `has version ${versionOf(found.body)} and must have ${mappingVersion}: ${remedy}`;
  return { kind: 'missing', reason: `the index template ${layout.prefix} ${what}` };
}

/** Puts the template in place whatever is there. Throws SkilltapeError `index_failed`. */
export async function replaceTemplate(connection: Connection, layout: LayoutOptions): Promise<void> {
  const put = await putTemplate(connection, layout);
  if (put.kind === 'answer' && put.status === 200) return;
  const reason = put.kind === 'unreachable' ? put.reason : refusalReason(put.status, put.body);
  throw new SkilltapeError('index_failed', `the index template ${layout.prefix} cannot be put in place: ${reason}`, {
    remedy: 'use a credential that has the cluster privilege manage_index_templates',
  });
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
