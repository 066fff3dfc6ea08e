/**
 * Finds what OPA takes and what is then undefined, or never true: a rule in which it stands has nothing to say, and what it
 * was written against would pass. Rego is read as text, so only what is sure is a fault.
 */
import { compiledPattern } from '../masking/own-rule.ts';
import { stages } from './bundle.ts';
import { isRefusalStatus } from './decision.ts';
import type { LayoutFault } from './layout.ts';
import { withoutComments, withoutTexts } from './rego-text.ts';
import { enumsOf } from './schemas.ts';

type File = { path: string; text: string /** Texts blanked out, every place where it was. */; code: string };

/** `compiled` is the content of .rego and data.json files by path. */
export function silentFaults(compiled: ReadonlyMap<string, Buffer>): LayoutFault[] {
  const files = [...compiled].flatMap(([path, content]): File[] => {
    if (!path.endsWith('.rego')) return [];
    const text = withoutComments(content.toString('utf8'));
    return [{ path, text, code: withoutTexts(text) }];
  });
  const names = definedNames(files);
  return [
    ...files.flatMap((file) => [
      ...referenceFaults(file, names),
      ...patternFaults(file),
      ...valueFaults(file),
      ...findingFaults(file),
    ]),
    ...unreadLists(compiled, files),
  ];
}

/** By package what is defined in it; rather too much: every word at the beginning of a line. */
function definedNames(files: readonly File[]): Map<string, Set<string>> {
  const names = new Map<string, Set<string>>();
  for (const { code } of files) {
    const own = /^\s*package\s+([\w.]+)/m.exec(code)?.[1];
    if (own === undefined) continue;
    const known = names.get(own) ?? new Set<string>();
    for (const [, name = ''] of code.matchAll(/^\s*(?:default\s+)?([A-Za-z_]\w*)/gm)) known.add(name);
    names.set(own, known);
  }
  return names;
}

/** A package or a name in it that there is not. Of functions OPA says it. */
function referenceFaults({ path, code }: File, names: ReadonlyMap<string, ReadonlySet<string>>): LayoutFault[] {
  if (names.size === 0) return [];
  const faults: LayoutFault[] = [];
  const fault = (at: number, what: string) =>
    faults.push({ path, line: lineAt(code, at), reason: `there is no ${what}` });
  for (const { index, 0: reference } of code.matchAll(/\bdata\.skilltape(?:\.\w+)+/g)) {
    if (!isReachable(reference.slice('data.'.length), names)) fault(index, reference);
  }
  for (const [, imported = '', as] of code.matchAll(/^\s*import\s+data\.(skilltape(?:\.\w+)+)(?:\s+as\s+(\w+))?/gm)) {
    const alias = as ?? imported.slice(imported.lastIndexOf('.') + 1);
    const known = names.get(imported);
    // By itself it is a variable or a parameter of that name.
    const isAlsoVariable = new RegExp(`(?<![\\w.])${alias}(?![\\w.[])`).test(code.replaceAll(/^\s*import .*$/gm, ''));
    if (known === undefined || isAlsoVariable) continue;
    for (const { index, 1: name = '' } of code.matchAll(new RegExp(`(?<![\\w.])${alias}\\.(\\w+)\\b(?!\\()`, 'g'))) {
      if (!isReachable(`${imported}.${name}`, names)) fault(index, `${alias}.${name} in ${imported}`);
    }
  }
  return faults;
}

/** It leads to a package, or to a name in one. */
function isReachable(reference: string, names: ReadonlyMap<string, ReadonlySet<string>>): boolean {
  const parts = reference.split('.');
  return [...names].some(([own, known]) => {
    const ownParts = own.split('.');
    const isBeside = ownParts.every((part, at) => parts[at] === undefined || parts[at] === part);
    const name = parts[ownParts.length];
    return isBeside && (name === undefined || known.has(name));
  });
}

/** `regex.match("(", …)` is undefined, and what it stands in with it. */
function patternFaults({ path, text }: File): LayoutFault[] {
  return [...text.matchAll(/\bregex\.\w+\(\s*("(?:[^"\\\n]|\\.)*"|`[^`]*`)/g)].flatMap(({ index, 1: quoted = '' }) => {
    const fault = patternFault(unquoted(quoted));
    return fault === null ? [] : [{ path, line: lineAt(text, index), reason: `no regular expression: ${fault}` }];
  });
}

/** A field of the input that is compared with what it can never be. */
function valueFaults({ path, text }: File): LayoutFault[] {
  const enums = enumsOf(stageOf(path));
  const compared = [
    ...text.matchAll(/\binput\.([\w.]+)\s*[!=]=\s*("[^"\\\n]*")/g),
    ...text.matchAll(/\binput\.([\w.]+)\s+in\s+[[{]((?:\s*"[^"\\\n]*",?)+)\s*[\]}]/g),
  ];
  return compared.flatMap(({ index, 1: field = '', 2: values = '' }) => {
    const possible = enums.get(field);
    if (possible === undefined) return [];
    return [...values.matchAll(/"([^"]*)"/g)].flatMap(({ 1: value = '' }) => {
      const reason = `input.${field} is never ${JSON.stringify(value)}`;
      return possible.has(value) ? [] : [{ path, line: lineAt(text, index), reason }];
    });
  });
}

/** What makes a decision deny everything, with no word about the rule that is at fault. */
function findingFaults({ path, text, code }: File): LayoutFault[] {
  const [top, stage, rule, ...rest] = path.split('/');
  if (top !== 'rules' || rest.length > 1 || !['access', 'request'].includes(stage ?? '')) return [];
  const faults: LayoutFault[] = [];
  const fault = (at: number, reason: string) => faults.push({ path, line: lineAt(text, at), reason });
  if (!/^\s*(?:default\s+)?findings\b/m.test(code)) {
    fault(0, `has no findings: what the rule ${stage}/${rule} has to say is in the set of that name`);
  }
  for (const { index, 1: effect = '' } of text.matchAll(/"effect":\s*"([^"]*)"/g)) {
    if (effect !== 'deny' && effect !== 'hold')
      fault(index, `the effect ${JSON.stringify(effect)} is none of deny, hold`);
  }
  for (const { index, 1: status = '' } of text.matchAll(/"status":\s*(\d+)/g)) {
    if (!isRefusalStatus(Number(status))) fault(index, `${status} is no status of a refusal`);
  }
  for (const { index } of code.matchAll(/^\s*findings\s*:?=\s*\[/gm)) fault(index, 'findings is a list, and not a set');
  for (const { index, 0: head } of code.matchAll(/^\s*findings\s+contains\s+\{/gm)) {
    const end = closingBrace(code, index + head.length - 1);
    if (!text.slice(index, end).includes('"message"')) fault(index + head.length - 1, 'the finding has no message');
  }
  return faults;
}

/** A list of a misspelt name is edited, and nobody asks it. */
function unreadLists(compiled: ReadonlyMap<string, Buffer>, files: readonly File[]): LayoutFault[] {
  if (!files.some(({ path }) => path.startsWith('rules/'))) return [];
  return [...compiled.keys()].flatMap((path) => {
    const name = /^lists\/(\w+)\/data\.json$/.exec(path)?.[1];
    if (name === undefined || files.some(({ text }) => new RegExp(`lists\\.${name}\\b|"${name}"`).test(text)))
      return [];
    return [{ path, line: 1, reason: `no rule reads data.lists.${name}` }];
  });
}

function stageOf(path: string): (typeof stages)[number] {
  return stages.find((stage) => path.startsWith(`rules/${stage}/`)) ?? 'record';
}

function patternFault(pattern: string): string | null {
  try {
    compiledPattern({ pattern });
    return null;
  } catch (thrown) {
    return thrown instanceof Error ? thrown.message : String(thrown);
  }
}

function unquoted(quoted: string): string {
  if (quoted.startsWith('`')) return quoted.slice(1, -1);
  try {
    return String(JSON.parse(quoted));
  } catch {
    return '';
  }
}

function closingBrace(code: string, at: number): number {
  let depth = 0;
  for (let place = at; place < code.length; place += 1) {
    if (code[place] === '{') depth += 1;
    else if (code[place] === '}') depth -= 1;
    if (depth === 0) return place;
  }
  return code.length;
}

function lineAt(text: string, at: number): number {
  // A match may begin with the blank lines before it.
  const start = at + (/^\s*/.exec(text.slice(at, at + 1000))?.[0].length ?? 0);
  return text.slice(0, start).split('\n').length;
}
