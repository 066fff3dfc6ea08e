import { randomBytes } from 'node:crypto';
import type { Snippet } from './port.ts';

/** In UTF-16 units; a "word" of a hostile text may be as long as the text. */
const snippetMaxLength = 320;
const contextBeforeMatchMax = 120;

export type SnippetMarkers = { open: string; close: string };

/** Fresh random markers for each search, so that an indexed text cannot contain them and forge a match. */
export function newMarkers(): SnippetMarkers {
  const nonce = randomBytes(16).toString('hex');
  return { open: `<${nonce}`, close: `${nonce}>` };
}

/** Takes the markers that an index put into `marked` out again and gives their places as ranges. */
export function parseMarked(marked: string, { open, close }: SnippetMarkers): Snippet {
  let text = '';
  const marks: Snippet['marks'] = [];
  for (const part of marked.split(open)) {
    const end = part.indexOf(close);
    if (end < 0) {
      text += part;
      continue;
    }
    marks.push({ start: text.length, end: text.length + end });
    text += part.slice(0, end) + part.slice(end + close.length);
  }
  return cut({ text, marks });
}

/** The beginning of a text, for searches without words. */
export function beginningOf(text: string): Snippet {
  return cut({ text, marks: [] });
}

function cut({ text, marks }: Snippet): Snippet {
  if (text.length <= snippetMaxLength) return { text, marks };
  const start = notInsidePair(text, Math.max(0, (marks[0]?.start ?? 0) - contextBeforeMatchMax));
  const end = notInsidePair(text, start + snippetMaxLength);
  const shift = start > 0 ? 1 - start : 0;
  return {
    text: `${start > 0 ? '…' : ''}${text.slice(start, end)}${end < text.length ? '…' : ''}`,
    marks: marks
      .filter((mark) => mark.start < end)
      .map((mark) => ({
        start: mark.start + shift,
        end: Math.min(mark.end, end) + shift,
      })),
  };
}

function notInsidePair(text: string, offset: number): number {
  const unit = text.charCodeAt(offset);
  return unit >= 0xdc00 && unit <= 0xdfff ? Math.max(0, offset - 1) : offset;
}
