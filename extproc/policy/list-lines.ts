/** Finds where something stands in a data.json, and what plain data no longer shows: keys that are written twice. */
import { isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml';

export type ListLines = {
  /** Line of the value at the path, or of what is nearest above it; 1 for a text that cannot be read. */
  lineOf(path: readonly PropertyKey[]): number;
  twice: readonly { line: number; key: string }[];
  /** Line of the first thing that is no YAML either; null without one. */
  broken: number | null;
};

/** A list is read with its place for people alone; of a larger one the first line is named. */
const textMaxChars = 256 * 1024;

/** JSON is YAML too, and this parser keeps the places. */
export function linesOf(text: string): ListLines {
  const unknown: ListLines = { lineOf: () => 1, twice: [], broken: null };
  if (text.length > textMaxChars) return unknown;
  const lines = new LineCounter();
  try {
    const { contents, errors } = parseDocument(text, { uniqueKeys: false, prettyErrors: false, lineCounter: lines });
    const line = (node: Node | null): number => lines.linePos(node?.range?.[0] ?? 0).line;
    const [first] = errors;
    const broken = first === undefined ? null : lines.linePos(first.pos[0]).line;
    return { lineOf: (path) => line(nearest(contents, path)), twice: twiceIn(contents, line), broken };
  } catch {
    // Nested too deeply for it; what is wrong with the list is told all the same.
    return unknown;
  }
}

function nearest(root: Node | null, path: readonly PropertyKey[]): Node | null {
  let node = root;
  for (const part of path) {
    const inner = isMap(node) || isSeq(node) ? node.get(part, true) : undefined;
    if (inner === undefined || inner === null) break;
    node = inner as Node;
  }
  return node;
}

function twiceIn(node: unknown, line: (node: Node | null) => number): { line: number; key: string }[] {
  if (isSeq(node)) return node.items.flatMap((item) => twiceIn(item, line));
  if (!isMap(node)) return [];
  const seen = new Set<unknown>();
  return node.items.flatMap(({ key, value }) => {
    const inner = twiceIn(value, line);
    if (!isScalar(key)) return inner;
    if (seen.has(key.value)) return [{ line: line(key), key: String(key.value) }, ...inner];
    seen.add(key.value);
    return inner;
  });
}
