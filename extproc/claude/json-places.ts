/** Where the parts of an object or a list stand in a JSON text, so that they can go on as they came. The text is valid. */
import { stringEnd } from './json.ts';

export type Member = { name: string; start: number; end: number };

/** The members of the object that opens at `at`, in valid JSON. */
export function* membersOf(text: string, at: number): Generator<Member> {
  let next = skipSpace(text, at + 1);
  while (text[next] === '"') {
    const keyEnd = stringEnd(text, next) + 1;
    const start = skipSpace(text, skipSpace(text, keyEnd) + 1);
    const end = valueEnd(text, start);
    yield { name: String(JSON.parse(text.slice(next, keyEnd))), start, end };
    next = afterComma(text, end);
  }
}

/** The texts of the elements of the list that opens at `at`. */
export function* elementsOf(text: string, at: number): Generator<string> {
  let start = skipSpace(text, at + 1);
  while (start < text.length && text[start] !== ']') {
    const end = valueEnd(text, start);
    yield text.slice(start, end);
    start = afterComma(text, end);
  }
}

function afterComma(text: string, at: number): number {
  const comma = skipSpace(text, at);
  return text[comma] === ',' ? skipSpace(text, comma + 1) : comma;
}

/** Behind the value that begins at `start`. */
function valueEnd(text: string, start: number): number {
  let depth = 0;
  for (let at = start; at < text.length; at += 1) {
    const char = text.charAt(at);
    if (char === '"') at = stringEnd(text, at);
    else if (char === '{' || char === '[') depth += 1;
    else if (char === '}' || char === ']') depth -= 1;
    else if (depth > 0 || !' \t\n\r,'.includes(char)) continue;
    else return at;
    if (depth === 0) return at + 1;
    if (depth < 0) return at;
  }
  return text.length;
}

function skipSpace(text: string, from: number): number {
  let at = from;
  while (at < text.length && ' \t\n\r'.includes(text.charAt(at))) at += 1;
  return at;
}
