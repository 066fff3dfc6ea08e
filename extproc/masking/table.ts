import { codeAt, isSpace } from './characters.ts';

const separators = [',', ';', '\t', '|'];
const headerMaxChars = 2_000;
/** How far from the beginning of its line a cell is told: counting is done anew for each that is asked about. */
const lineMaxChars = 500;
const headerCell = /^"?[\p{L}_][\p{L}\p{N}_ .#/()-]{0,39}"?$/u;
const quote = 34;

export type Cell = { start: number; end: number; name: string };

type Header = { separator: number; marks: number; names: readonly string[] };

/**
 * The tables of a text: lines of cells under a line of names. The name of a column is context for its cells, which stand
 * too far from it for any other. Reads the text once.
 */
export class Tables {
  readonly #text: string;
  readonly #starts: number[] = [];
  readonly #ends: number[] = [];
  readonly #headers: Header[] = [];

  constructor(text: string) {
    this.#text = text;
    let header: Header | null = null;
    for (let start = 0; start < text.length; ) {
      const found = text.indexOf('\n', start);
      const end = found === -1 ? text.length : found;
      if (
        header !== null &&
        this.#marks(start, Math.min(end, start + lineMaxChars), header.separator) === header.marks
      ) {
        this.#starts.push(start);
        this.#ends.push(end);
        this.#headers.push(header);
      } else header = end - start > headerMaxChars ? null : headerIn(text.slice(start, end));
      start = end + 1;
    }
  }

  /** The name over the cell that holds the character at `at`; empty where there is none. */
  nameAt(at: number): string {
    let [low, high] = [0, this.#starts.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#starts[middle] ?? 0) <= at) low = middle + 1;
      else high = middle;
    }
    const start = this.#starts[low - 1];
    const header = this.#headers[low - 1];
    if (start === undefined || header === undefined || at - start > lineMaxChars) return '';
    if (at > (this.#ends[low - 1] ?? 0)) return '';
    return header.names[this.#marks(start, at, header.separator)] ?? '';
  }

  /** The cells under each of these names, without the quotes around them. */
  cellsUnder(isWanted: (name: string) => boolean): Cell[] {
    const wanted = new Map<Header, number[]>();
    const cells: Cell[] = [];
    for (const [row, header] of this.#headers.entries()) {
      let columns = wanted.get(header);
      if (columns === undefined) {
        columns = [...header.names.keys()].filter((at) => isWanted(header.names[at] ?? ''));
        wanted.set(header, columns);
      }
      if (columns.length > 0) this.#addCells(row, header, columns, cells);
    }
    return cells;
  }

  #addCells(row: number, { separator, names }: Header, columns: readonly number[], cells: Cell[]): void {
    const start = this.#starts[row] ?? 0;
    const end = Math.min(this.#ends[row] ?? 0, start + lineMaxChars);
    let [column, from, isQuoted] = [0, start, false];
    for (let at = start; at <= end; at++) {
      const code = at === end ? separator : codeAt(this.#text, at);
      if (code === quote) isQuoted = !isQuoted;
      if (at < end && (code !== separator || isQuoted)) continue;
      if (columns.includes(column)) cells.push({ ...trimmed(this.#text, from, at), name: names[column] ?? '' });
      column++;
      from = at + 1;
    }
  }

  /** Separators in a part of a line, those in quotes not counted. */
  #marks(from: number, to: number, separator: number): number {
    let [marks, isQuoted] = [0, false];
    for (let at = from; at < to; at++) {
      const code = codeAt(this.#text, at);
      if (code === quote) isQuoted = !isQuoted;
      else if (code === separator && !isQuoted) marks++;
    }
    return marks;
  }
}

/** Null for a line that is not made of names. */
function headerIn(line: string): Header | null {
  for (const separator of separators) {
    if (!line.includes(separator)) continue;
    const cells = line.split(separator).map((cell) => cell.trim());
    const inner = separator === '|' ? cells.filter((cell) => cell !== '') : cells;
    if (inner.length < 2 || !inner.every((cell) => headerCell.test(cell))) continue;
    const names = cells.map((cell) => cell.replaceAll('"', ''));
    return { separator: separator.charCodeAt(0), marks: cells.length - 1, names };
  }
  return null;
}

/** Without the white space and the quotes around what stands in a cell. */
function trimmed(text: string, from: number, to: number): { start: number; end: number } {
  const isEdge = (at: number): boolean => isSpace(codeAt(text, at)) || codeAt(text, at) === quote;
  let [start, end] = [from, to];
  while (start < end && isEdge(start)) start++;
  while (end > start && isEdge(end - 1)) end--;
  return { start, end };
}
