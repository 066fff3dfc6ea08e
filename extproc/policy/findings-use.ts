/**
 * Tells whether a rule may look at a field of the input that costs something to make (`input.findings`, `input.totals`),
 * or must not be seen by more than need it (`input.excerpt`):
 * where none does, it is not made.
 */

/** A field of the input, or several that are made together; `gate` is its name under `custom` of METADATA. */
type CostlyFields = { names: readonly string[]; gate: string };

const findings: CostlyFields = { names: ['findings', 'findings_complete'], gate: 'findings' };
const totals: CostlyFields = { names: ['totals'], gate: 'totals' };

const excerpt: CostlyFields = { names: ['excerpt'], gate: 'excerpt' };

/**
 * `compiled` is the content of .rego and data.json files by path. When in doubt the answer is yes: a field by a name that
 * is reckoned, and the whole input handed on, count as looking.
 */
export function mayLookAtFindings(compiled: ReadonlyMap<string, Buffer>): boolean {
  return mayLookAt(findings, compiled);
}

/** The same for what callers used before. */
export function mayLookAtTotals(compiled: ReadonlyMap<string, Buffer>): boolean {
  return mayLookAt(totals, compiled);
}

/** The same for the excerpt of the new text. */
export function mayLookAtExcerpt(compiled: ReadonlyMap<string, Buffer>): boolean {
  return mayLookAt(excerpt, compiled);
}

function mayLookAt({ names, gate }: CostlyFields, compiled: ReadonlyMap<string, Buffer>): boolean {
  // `input` in any other use than a field by its name, or with one of these names.
  const looks = new RegExp(`\\binput\\b(?!\\s*\\.\\s*(?!(?:${names.join('|')})\\b)[A-Za-z_])`);
  // Names the list without whose entries a file does nothing with the field.
  const gates = new RegExp(`^#\\s+${gate}: (lists(?:\\.\\w+)+)\\s*$`, 'm');
  for (const [path, content] of compiled) {
    if (!path.endsWith('.rego')) continue;
    const text = content.toString('utf8');
    if (!looks.test(withoutComments(text))) continue;
    const list = gates.exec(text)?.[1];
    if (list === undefined || !isEmptyList(list.split('.'), compiled)) return true;
  }
  return false;
}

function withoutComments(text: string): string {
  return text.replace(/^\s*#.*$/gm, '');
}

/** What stands in the data.json of a folder, or of one of the folders above it. */
function isEmptyList(names: readonly string[], compiled: ReadonlyMap<string, Buffer>): boolean {
  let isEmpty = false;
  for (let at = 0; at <= names.length; at += 1) {
    const content = compiled.get([...names.slice(0, at), 'data.json'].join('/'));
    if (content === undefined) continue;
    const value = names.slice(at).reduce<unknown>(fieldOf, JSON.parse(content.toString('utf8')));
    if (value === undefined) continue;
    if (!Array.isArray(value) || value.length > 0) return false;
    isEmpty = true;
  }
  return isEmpty;
}

function fieldOf(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
  return (value as Record<string, unknown>)[name];
}
