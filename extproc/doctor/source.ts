import { isUtf8 } from 'node:buffer';
import { readFileSync, statSync } from 'node:fs';
import { type Document, isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml';
import { SkilltapeError } from '../errors.ts';
import { type Path, Setting } from './setting.ts';

/** A configuration file as it is checked: its values, and where in the text they stand. */
export type Source = {
  file: string;
  root: Setting;
  /** Line, from 1, of the nearest written key on the way to `path`. */
  lineOf(path: Path): number;
  /** Keys that stand twice in one mapping: readers differ in which of them counts. */
  repeated: readonly Path[];
};

/** A config dump with many listeners has a few MB. */
const fileMaxBytes = 32 * 1024 * 1024;
const depthMax = 200;
const aliasesMax = 10_000;
const remedy = "name Envoy's bootstrap file (YAML or JSON), or what GET /config_dump of its admin interface gave";

/**
 * Reads an Envoy configuration. JSON is read as YAML, of which it is a part, so that lines are known.
 * @throws SkilltapeError `usage`: the file cannot be read, with its name and the reason
 */
export function readSource(file: string): Source {
  let bytes: Buffer;
  try {
    if (statSync(file).size > fileMaxBytes) throw unreadable(file, `it is larger than ${fileMaxBytes} bytes`);
    bytes = readFileSync(file);
  } catch (thrown) {
    throw thrown instanceof SkilltapeError ? thrown : unreadable(file, SkilltapeError.from(thrown).message);
  }
  if (!isUtf8(bytes)) throw unreadable(file, 'it is not UTF-8 text');
  return parseSource(bytes.toString('utf8'), file);
}

/** @throws SkilltapeError `usage`: the text is no mapping in YAML or JSON */
export function parseSource(text: string, file: string): Source {
  if (text.length > fileMaxBytes) throw unreadable(file, `it is larger than ${fileMaxBytes} bytes`);
  const lines = new LineCounter();
  try {
    // Envoy knows no merge keys (`<<`).
    const document = parseDocument(text, { merge: false, uniqueKeys: false, prettyErrors: false, lineCounter: lines });
    const [error] = document.errors;
    if (error !== undefined) {
      throw unreadable(
        file,
        `it is neither YAML nor JSON (line ${lines.linePos(error.pos[0]).line}): ${error.message}`,
      );
    }
    const repeated: Path[] = [];
    findRepeated(document.contents, [], repeated);
    const data: unknown = document.toJS({ maxAliasCount: aliasesMax });
    if (typeof data !== 'object' || data === null || Array.isArray(data)) throw unreadable(file, 'it is no mapping');
    const lineOf = (path: Path) => lines.linePos(offsetOf(document, path)).line;
    return { file, root: new Setting(data), lineOf, repeated };
  } catch (thrown) {
    if (thrown instanceof SkilltapeError) throw thrown;
    // The parser recurses, and throws what it likes of aliases.
    const why = thrown instanceof RangeError ? 'it is nested too deeply' : SkilltapeError.from(thrown).message;
    throw unreadable(file, why);
  }
}

function unreadable(file: string, why: string): SkilltapeError {
  return new SkilltapeError('usage', `${file} cannot be read: ${why}`, { remedy });
}

function findRepeated(node: unknown, path: Path, found: Path[]): void {
  if (path.length > depthMax) throw new RangeError();
  if (isSeq(node)) {
    for (const [at, item] of node.items.entries()) findRepeated(item, [...path, at], found);
  }
  if (!isMap(node)) return;
  const seen = new Set<string>();
  for (const { key, value } of node.items) {
    const name = isScalar(key) ? String(key.value) : '';
    if (seen.has(name)) found.push([...path, name]);
    seen.add(name);
    findRepeated(value, [...path, name], found);
  }
}

function offsetOf(document: Document.Parsed, path: Path): number {
  let node: Node | null | undefined = document.contents;
  let offset = 0;
  for (const part of path) {
    if (isAlias(node)) node = node.resolve(document);
    if (isMap(node)) {
      const pair = node.items.findLast(({ key }) => isScalar(key) && String(key.value) === String(part));
      if (pair === undefined || !isScalar(pair.key)) break;
      offset = pair.key.range?.[0] ?? offset;
      node = pair.value as Node | null;
    } else if (isSeq(node) && typeof part === 'number') {
      const item = node.items[part] as Node | undefined;
      if (item === undefined) break;
      offset = item.range?.[0] ?? offset;
      node = item;
    } else break;
  }
  return offset;
}
