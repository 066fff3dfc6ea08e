/** Tells which strings and numbers of a document were written by us, by Envoy or by the identity provider. */

type Path = readonly (string | number)[];

/** Who, when, which: whole branches of the document, by the first steps of the path. */
const ourBranches = branchesOf([
  '@timestamp',
  'event',
  'user',
  'source',
  'http.response',
  'gen_ai.provider',
  'gen_ai.operation',
  'gen_ai.conversation',
  'skilltape.outcome',
  'skilltape.body',
  'skilltape.connection',
  'skilltape.endpoint',
  'skilltape.noise',
  'skilltape.link',
  'skilltape.retention_class',
  'skilltape.session',
  'skilltape.keep',
  'skilltape.masking',
  'skilltape.history',
  'skilltape.request_hash',
  'http.request.body',
  'skilltape.verdict.decision',
  'skilltape.verdict.would',
  'skilltape.verdict.lifted',
  'skilltape.verdict.lifted_grants',
  'skilltape.verdict.lifted_by',
  'skilltape.verdict.policy_revision',
  'skilltape.verdict.record_policy_revision',
]);
const ourFileFields = new Set<string | number>(['role', 'bytes', 'hash']);
/** Ids that Claude Code makes: they join the tree of agents. */
const agentIds = new Set(['gen_ai.agent.id', 'skilltape.agent.parent_id', 'skilltape.agent.prompt_id']);
const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** RFC 9562, random: one in 30,000 begins like a phone number with a country code. */
const randomUuid = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/**
 * Whether a value stays as it is. Everything else is masked, also what the vendor signs or encrypts: such values are
 * random, so nothing is found in them, and whoever answers could write anything in their place (inv. 6). The method is
 * the caller's word too: HTTP/2 carries any.
 */
export function isOurs(path: Path, value: string): boolean {
  const [first, second, third] = path;
  if (first === 'http' && second === 'request' && third === 'id') return uuid.test(value);
  if (first === 'skilltape' && second === 'file') return ourFileFields.has(path[path.length - 1] ?? '');
  // Asked of every value of every document: a text is made of hardly any path.
  if (second === 'agent' && path.length === 3 && agentIds.has(path.join('.'))) return randomUuid.test(value);
  let branches: Branches | 'ours' | undefined = ourBranches;
  for (const step of path) {
    branches = branches.get(step);
    if (branches === undefined) return false;
    if (branches === 'ours') return true;
  }
  return false;
}

/** Step by step what lies behind it. */
type Branches = Map<string | number, Branches | 'ours'>;

function branchesOf(names: readonly string[]): Branches {
  const root: Branches = new Map();
  for (const name of names) {
    const steps = name.split('.');
    const last = steps.pop() ?? '';
    let branches = root;
    for (const step of steps) {
      const known = branches.get(step);
      const next: Branches = known === undefined || known === 'ours' ? new Map() : known;
      branches.set(step, next);
      branches = next;
    }
    branches.set(last, 'ours');
  }
  return root;
}

/** Envoy's request id when it is one, and nothing otherwise. */
export function requestIdOf(text: string): string {
  return uuid.test(text) ? text : '';
}
