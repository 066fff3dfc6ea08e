import type { SearchHit, Snippet } from '../index/port.ts';
import type { Masked } from '../masking/masked.ts';
import { sanitiseLine } from './sanitise.ts';
import { type Style, styleFor } from './style.ts';
import type { TerminalOptions } from './transcript.ts';
import { wrap } from './wrap.ts';

const gutter = '  | ';

/** The hits of one page, one block each; ends with a newline. */
export function renderHits(hits: readonly Masked<SearchHit>[], { color, width }: TerminalOptions): string {
  const style = styleFor(color);
  return `${hits.flatMap((hit) => [...hitLines(hit, style, width), '']).join('\n')}\n`;
}

function hitLines(hit: Masked<SearchHit>, style: Style, width: number): string[] {
  const tokens = hit.totalTokens === null ? [] : [`${hit.totalTokens} tokens`];
  const facts = [
    userOf(hit),
    hit.connection,
    hit.model,
    `${hit.verdict}/${hit.outcome}`,
    ...tokens,
    ...(hit.noise === null ? [] : [`noise: ${hit.noise}`]),
    ...(hit.skills.length === 0 ? [] : [`skills: ${hit.skills.join(', ')}`]),
    `session ${hit.session}`,
  ];
  const lines = [`${style.bold(sanitiseLine(hit.id))}  ${sanitiseLine(hit.time)}`];
  for (const line of wrap(facts.map(sanitiseLine).join('  '), width - gutter.length)) lines.push(`    ${line}`);
  if (hit.snippet.text !== '') lines.push(...snippetLines(hit.snippet, style, width));
  return lines;
}

function userOf({ user }: Masked<SearchHit>): string {
  if (user === null) return 'unknown user';
  return [user.name, user.email, user.id].find((value) => value !== '') ?? 'unknown user';
}

/** The pieces are sanitised one by one, because naming a character moves the offsets after it; styled after wrapping. */
function snippetLines(snippet: Snippet, style: Style, width: number): string[] {
  let at = 0;
  const pieces: { text: string; marked: boolean }[] = [];
  for (const { start, end } of snippet.marks) {
    pieces.push({
      text: sanitiseLine(snippet.text.slice(at, start)),
      marked: false,
    });
    pieces.push({
      text: sanitiseLine(snippet.text.slice(start, end)),
      marked: true,
    });
    at = end;
  }
  pieces.push({ text: sanitiseLine(snippet.text.slice(at)), marked: false });
  return styledLines(pieces, style, width - gutter.length).map((line) => gutter + line);
}

function styledLines(pieces: { text: string; marked: boolean }[], style: Style, width: number): string[] {
  const queue = pieces.filter((piece) => piece.text !== '');
  return wrap(pieces.map((piece) => piece.text).join(''), width).map((line) => {
    let styled = '';
    let left = line.length;
    while (left > 0) {
      const piece = queue[0];
      if (piece === undefined) break;
      const part = piece.text.slice(0, left);
      styled += piece.marked ? style.mark(part) : part;
      left -= part.length;
      piece.text = piece.text.slice(part.length);
      if (piece.text === '') queue.shift();
    }
    return styled;
  });
}
