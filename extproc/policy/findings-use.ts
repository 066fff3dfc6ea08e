/**
 * Tells whether a rule may look at what a search of the request finds (`input.findings`): where none does, requests are
 * not searched.
 */

/** `input` in any other use than a field by its name, or with the name of a field about findings. */
const looks = /\binput\b(?!\s*\.\s*(?!findings\b|findings_complete\b)[A-Za-z_])/;

/** Names the list without whose entries a file does nothing with findings, under `custom` of its METADATA. */
const gate = /^#\s+findings: (lists(?:\.\w+)+)\s*$/m;

/**
 * `compiled` is the content of .rego and data.json files by path. When in doubt the answer is yes: a field by a name that
 * is reckoned, and the whole input handed on, count as looking.
 */
export function mayLookAtFindings(compiled: ReadonlyMap<string, Buffer>): boolean {
  for (const [path, content] of compiled) {
    if (!path.endsWith('.rego')) continue;
    const text = content.toString('utf8');
    if (!looks.test(withoutComments(text))) continue;
    const list = gate.exec(text)?.[1];
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
