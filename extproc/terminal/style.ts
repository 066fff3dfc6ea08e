/** Adds terminal colours to text that is sanitised already; with colour off it adds nothing. */
export type Style = {
  bold(text: string): string;
  dim(text: string): string;
  mark(text: string): string;
  warn(text: string): string;
};

const plain = (text: string): string => text;

/** One SGR pair around the text; never spans a newline, so a cut-off page leaves no colour behind. */
function sgr(on: number, off: number): (text: string) => string {
  return (text) => (text === '' ? '' : `\u001b[${on}m${text}\u001b[${off}m`);
}

export function styleFor(color: boolean): Style {
  if (!color) return { bold: plain, dim: plain, mark: plain, warn: plain };
  return {
    bold: sgr(1, 22),
    dim: sgr(2, 22),
    mark: sgr(7, 27),
    warn: sgr(31, 39),
  };
}
