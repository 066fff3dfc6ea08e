/** Finds what OPA would take but no decision would read: a rule in the wrong place would let things pass. */
import { breakGlassList } from './access-lists.ts';
import { approvalList } from './approval-list.ts';
import { stages } from './bundle.ts';
import { detectorsListFaults } from './detectors-list.ts';
import { endpointListFaults } from './endpoint-list.ts';
import { listSchemaFaults } from './list-faults.ts';
import { type ListLines, linesOf } from './list-lines.ts';
import { observeList, unknownRules } from './observe-list.ts';

/** `at` is where in the data something is wrong; its line is found by it. */
export type LayoutFault = { path: string; line: number; reason: string; at?: readonly PropertyKey[] };

/** `compiled` is the content of .rego and data.json files by path. */
export function layoutFaults(compiled: ReadonlyMap<string, Buffer>): LayoutFault[] {
  const faults: LayoutFault[] = [];
  const data = new Map<string, unknown>();
  for (const [path, content] of compiled) {
    if (!path.endsWith('.rego')) faults.push(...readData(path, content, data));
  }
  faults.push(...dataFaults(data, compiled));
  for (const [path, content] of compiled) {
    if (!path.endsWith('.rego')) continue;
    const lines = content.toString('utf8').split('\n');
    faults.push(
      ...placeFaults(path),
      ...schemaFaults(path, lines),
      ...packageFaults(path, lines),
      ...listFaults(path, lines, data),
    );
  }
  return faults;
}

/** What is wrong with what the lists say, with the line where it stands. */
function dataFaults(data: ReadonlyMap<string, unknown>, compiled: ReadonlyMap<string, Buffer>): LayoutFault[] {
  const faults = [
    ...endpointListFaults(data.get('lists/endpoints')),
    ...detectorsListFaults(data),
    ...listSchemaFaults(data),
  ];
  faults.push(...unknownRuleFaults(data, compiled));
  const lines = new Map<string, ListLines>();
  return faults.map(({ at, ...fault }) => {
    if (at === undefined) return fault;
    const known = lines.get(fault.path) ?? linesOf(compiled.get(fault.path)?.toString('utf8') ?? '');
    lines.set(fault.path, known);
    return { ...fault, line: known.lineOf(at) };
  });
}

/** A misspelt name of a rule would do nothing. */
function unknownRuleFaults(data: ReadonlyMap<string, unknown>, compiled: ReadonlyMap<string, Buffer>): LayoutFault[] {
  const { rules: observed = [] } = observeList.safeParse(data.get('lists/observe')).data ?? {};
  const { lifts = [] } = breakGlassList.safeParse(data.get('lists/break_glass')).data ?? {};
  const { rules: ofRules = {} } = approvalList.safeParse(data.get('lists/approval')).data ?? {};
  const named = [
    { list: 'observe', key: 'rules', names: observed, stepOf: (at: number): PropertyKey => at },
    { list: 'break_glass', key: 'lifts', names: lifts, stepOf: (at: number): PropertyKey => at },
    { list: 'approval', key: 'rules', names: Object.keys(ofRules), stepOf: (_: number, name: string) => name },
  ];
  return named.flatMap(({ list, key, names, stepOf }) =>
    unknownRules(names, compiled.keys()).map(({ at, name }) => ({
      ...{ path: `lists/${list}/data.json`, line: 1, at: [key, stepOf(at, name)] },
      reason: `${key}.${String(stepOf(at, name))}: there is no rule ${name}`,
    })),
  );
}

function placeFaults(path: string): LayoutFault[] {
  const [top, stage, rule, ...rest] = path.split('/');
  if (top !== 'rules') return [];
  if (rest.length !== 1 || !stages.some((known) => known === stage)) {
    return [{ path, line: 1, reason: `a rule stands in rules/<${stages.join('|')}>/<rule>/<rule>.rego` }];
  }
  // Packages of that name are taken for tests.
  return rule?.endsWith('_test') ? [{ path, line: 1, reason: 'the name of a rule cannot end in _test' }] : [];
}

/** Without the annotation a misspelt field of the input is undefined, and the rule has nothing to say. */
function schemaFaults(path: string, lines: readonly string[]): LayoutFault[] {
  const [top, stage] = path.split('/');
  const annotation = `- input: schema.${stage}.input`;
  if (top !== 'rules' || lines.some((line) => line.startsWith('#') && line.slice(1).trim() === annotation)) return [];
  return [{ path, line: 1, reason: `the METADATA of the package has no schemas with ${annotation}` }];
}

/** A package elsewhere than its folder says is a rule that nobody asks. */
function packageFaults(path: string, lines: readonly string[]): LayoutFault[] {
  const expected = ['skilltape', ...path.split('/').slice(0, -1)].join('.');
  const at = lines.findIndex((line) => /^\s*package\s/.test(line));
  const found = lines[at]?.trim().split(/\s+/)[1];
  if (found === undefined || found === expected) return [];
  return [{ path, line: at + 1, reason: `the package of this folder is ${expected}, not ${found}` }];
}

/** A misspelt list is undefined in Rego and matches nobody. */
function listFaults(path: string, lines: readonly string[], data: ReadonlyMap<string, unknown>): LayoutFault[] {
  const faults: LayoutFault[] = [];
  lines.forEach((text, at) => {
    if (/^\s*#/.test(text)) return;
    for (const [reference] of text.matchAll(/\bdata\.lists(?:\.\w+|\["\w+"\])*/g)) {
      const names = [...reference.slice('data.'.length).matchAll(/\w+/g)].map(([name]) => name);
      if (!isDefined(names, data)) faults.push({ path, line: at + 1, reason: `there is no list ${reference}` });
    }
  });
  return faults;
}

function isDefined(names: readonly string[], data: ReadonlyMap<string, unknown>): boolean {
  for (const [folder, document] of data) {
    const folders = folder === '' ? [] : folder.split('/');
    if (!folders.every((name, at) => names[at] === undefined || names[at] === name)) continue;
    let value = document;
    for (const name of names.slice(folders.length)) {
      value = isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
    }
    if (value !== undefined) return true;
  }
  return false;
}

function readData(path: string, content: Buffer, data: Map<string, unknown>): LayoutFault[] {
  try {
    const document: unknown = JSON.parse(new TextDecoder('utf8', { fatal: true }).decode(content));
    if (!isObject(document)) return [{ path, line: 1, reason: 'data must be an object' }];
    data.set(path.split('/').slice(0, -1).join('/'), document);
    const { twice } = linesOf(content.toString('utf8'));
    return twice.map(({ line, key }) => ({ path, line, reason: `the key ${JSON.stringify(key)} is written twice` }));
  } catch (thrown) {
    const { broken: brokenLine } = linesOf(content.toString('utf8'));
    const why = thrown instanceof Error ? thrown.message : String(thrown);
    return [{ path, line: Number(/line (\d+)/.exec(why)?.[1] ?? brokenLine ?? 1), reason: 'not JSON' }];
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
