import { type Document, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml';
import { dottedKey, type Fault } from './fault.ts';

/** Bounds the work of the YAML parser; a real file has a few kilobytes. */
const fileMaxChars = 256 * 1024;
const depthMax = 32;

/** The plain data of a YAML text, the faults that do not stop its reading, and where its keys stand. */
export type YamlReading =
  | {
      ok: true;
      data: unknown;
      faults: Fault[];
      lineOf: (path: readonly PropertyKey[]) => number | undefined;
    }
  | { ok: false; faults: Fault[] };

/** Reads one YAML document. Duplicate keys are faults, never "last one wins". */
export function readYaml(text: string): YamlReading {
  if (text.length > fileMaxChars) {
    return refused({
      key: '',
      message: `is larger than ${fileMaxChars} characters`,
    });
  }
  try {
    return read(text);
  } catch (error) {
    // The parser recurses: deep nesting ends in a RangeError, unresolvable aliases in a ReferenceError.
    const why =
      error instanceof RangeError ? 'nested too deeply' : error instanceof Error ? error.message : String(error);
    return refused({ key: '', message: `cannot be read as YAML: ${why}` });
  }
}

function refused(...faults: Fault[]): YamlReading {
  return { ok: false, faults };
}

function read(text: string): YamlReading {
  const lines = new LineCounter();
  const document = parseDocument(text, {
    uniqueKeys: false,
    prettyErrors: false,
    lineCounter: lines,
  });
  const broken = [...document.errors, ...document.warnings];
  if (broken.length > 0) {
    return refused(
      ...broken.map((error) => ({
        key: '',
        message: `is not valid YAML: ${error.message}`,
        line: lines.linePos(error.pos[0]).line,
      })),
    );
  }
  const walk = new KeyWalk(lines);
  walk.visit(document.contents, []);
  const data: unknown = document.toJS({ maxAliasCount: 100 });
  return {
    ok: true,
    data,
    faults: walk.faults,
    lineOf: (path) => lineOf(document, lines, path),
  };
}

/** Finds what plain data no longer shows: keys written twice and keys that are not text. */
class KeyWalk {
  readonly faults: Fault[] = [];
  readonly #lines: LineCounter;

  constructor(lines: LineCounter) {
    this.#lines = lines;
  }

  visit(node: unknown, path: readonly PropertyKey[]): void {
    if (path.length > depthMax) throw new RangeError('nested too deeply');
    if (isSeq(node)) {
      for (const [position, item] of node.items.entries()) this.visit(item, [...path, position]);
    }
    if (!isMap(node)) return;
    const seen = new Map<string, number>();
    for (const { key, value } of node.items) {
      const line = this.#line(key);
      if (!isScalar(key) || typeof key.value !== 'string') {
        const name = isScalar(key) ? String(key.value) : 'a key that is not text';
        this.#fault([...path, name], 'is not a text key', line, 'put it in quotes');
        continue;
      }
      const first = seen.get(key.value);
      const at = [...path, key.value];
      if (first === undefined) seen.set(key.value, line);
      else this.#fault(at, `is written twice; the first stands on line ${first}`, line, 'keep one of them');
      this.visit(value, at);
    }
  }

  #line(node: unknown): number {
    const range = isScalar(node) || isMap(node) || isSeq(node) ? node.range : undefined;
    return this.#lines.linePos(range?.[0] ?? 0).line;
  }

  #fault(path: readonly PropertyKey[], message: string, line: number, remedy: string): void {
    this.faults.push({ key: dottedKey(path), message, remedy, line });
  }
}

/** Line of the key at `path`, or of the nearest key above it that is written. */
function lineOf(document: Document.Parsed, lines: LineCounter, path: readonly PropertyKey[]): number | undefined {
  let node: Node | null = document.contents;
  let offset: number | undefined;
  for (const part of path) {
    if (!isMap(node)) break;
    const pair = node.items.find((item) => isScalar(item.key) && item.key.value === part);
    if (pair === undefined || !isScalar(pair.key)) break;
    offset = pair.key.range?.[0];
    node = pair.value as Node | null;
  }
  return offset === undefined ? undefined : lines.linePos(offset).line;
}
