import { refusal } from './answer.ts';
import type { Connection } from './connection.ts';
import { objectAt } from './json.ts';
import type { LayoutOptions } from './mapping.ts';
import { templateProblem } from './template.ts';

/** What a credential is for. */
export type Purpose = 'shipping' | 'searching';

/** `problem`: why it cannot do its part, or null. `excess`: what it may do beside it, by the names of privileges. */
export type AccessCheck = { problem: string | null; excess: string[] };

type Privileges = { cluster: readonly string[]; index: readonly string[] };

const needed: Record<Purpose, Privileges> = {
  shipping: { cluster: ['monitor'], index: ['create_doc', 'auto_configure'] },
  searching: { cluster: [], index: ['read'] },
};

/** Each of them reads, changes or removes what is there. */
const dangerous = ['read', 'index', 'delete', 'delete_index', 'manage'];

/** Asks the cluster what the credential may do; neither writes nor reads a document. */
export async function checkAccess(
  connection: Connection,
  layout: LayoutOptions,
  purpose: Purpose,
): Promise<AccessCheck> {
  const { cluster, index } = needed[purpose];
  const excess = dangerous.filter((name) => !index.includes(name));
  const names = [`${layout.prefix}-*`];
  const answer = await connection.send({
    method: 'POST',
    path: '/_security/user/_has_privileges',
    body: { cluster, index: [{ names, privileges: [...index, ...excess] }] },
  });
  if (answer.kind === 'unreachable') return { problem: answer.reason, excess: [] };
  const problem = purpose === 'shipping' ? await templateProblem(connection, layout) : null;
  // A cluster without users knows no such request, and lets everybody do everything.
  if (answer.status === 400 || answer.status === 404 || answer.status === 405) return { problem, excess: [] };
  if (answer.status !== 200) return { problem: refusal(answer.status, answer.body), excess: [] };
  const inCluster = objectAt(answer.body, 'cluster');
  const inIndices = objectAt(objectAt(answer.body, 'index'), `${layout.prefix}-*`);
  const missing = [
    ...cluster.filter((name) => inCluster[name] !== true),
    ...index.filter((name) => inIndices[name] !== true),
  ];
  return {
    problem: missing.length > 0 ? `the role of the credential lacks ${missing.join(' and ')}` : problem,
    excess: excess.filter((name) => inIndices[name] === true),
  };
}
