const tabColumns = 8;

/**
 * Breaks a sanitised text into lines of at most `width` columns, between words where it can; newlines break too.
 * Columns are never counted too low: a line that the terminal wrapped by itself would begin left of the gutter and
 * could pass for one of ours.
 */
export function wrap(text: string, width: number): string[] {
  return text.split('\n').flatMap((line) => wrapLine(line, Math.max(width, tabColumns)));
}

function wrapLine(line: string, width: number): string[] {
  const lines: string[] = [];
  let start = 0;
  let column = 0;
  let afterSpace = { at: 0, column: 0 };
  let at = 0;
  for (const character of line) {
    const columns = columnsOf(character);
    while (column + columns > width) {
      const breakAt = afterSpace.at > start ? afterSpace : { at, column };
      lines.push(line.slice(start, breakAt.at));
      start = breakAt.at;
      column -= breakAt.column;
      afterSpace = { at: start, column: 0 };
    }
    at += character.length;
    column += columns;
    if (character === ' ') afterSpace = { at, column };
  }
  lines.push(line.slice(start));
  return lines;
}

/** Exact for Latin, an upper bound for the rest: what is wide depends on the terminal and its font. */
function columnsOf(character: string): number {
  if (character === '\t') return tabColumns;
  return (character.codePointAt(0) ?? 0) < 0x1100 ? 1 : 2;
}

const ellipsis = '…';

/** The begin of a sanitised text that is one line of at most `width` columns; what was cut off is shown by a mark. */
export function cutLine(text: string, width: number): string {
  if (columnsIn(text) <= width) return text;
  let columns = columnsOf(ellipsis);
  let end = 0;
  for (const character of text) {
    columns += columnsOf(character);
    if (columns > width) break;
    end += character.length;
  }
  return text.slice(0, end) + ellipsis;
}

/** Columns that a sanitised line takes; never too few, see `wrap`. */
export function columnsIn(text: string): number {
  let columns = 0;
  for (const character of text) columns += columnsOf(character);
  return columns;
}
