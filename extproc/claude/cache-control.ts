/**
 * Finds the marks for prompt caching in the text of a request, so that the same request is recognised when a client
 * sends it again with the marks elsewhere: Claude Code moves them with each turn.
 */
import { stringEnd } from './json.ts';

/** A half-open range of UTF-16 units. */
export type TextRange = { start: number; end: number };

/** Where in a request a container stands; below `opaque` nothing is a mark, whatever it looks like. */
type Role =
  | 'request'
  | 'messages'
  | 'message'
  | 'blocks'
  | 'block'
  | 'source'
  | 'tools'
  | 'tool'
  | 'entries'
  | 'entry'
  | 'opaque';

/** What stands below a container: in each item of an array, or under these keys of an object. */
const below: Readonly<Record<Role, { items?: Role; fields?: Readonly<Record<string, Role>> }>> = {
  request: { fields: { system: 'blocks', messages: 'messages', tools: 'tools', requests: 'entries' } },
  messages: { items: 'message' },
  message: { fields: { content: 'blocks' } },
  blocks: { items: 'block' },
  block: { fields: { content: 'blocks', source: 'source' } },
  source: { fields: { content: 'blocks' } },
  tools: { items: 'tool' },
  tool: {},
  entries: { items: 'entry' },
  entry: { fields: { params: 'request' } },
  opaque: {},
};

const marked: ReadonlySet<Role> = new Set(['block', 'tool']);

/** The shapes that the API knows; one of another shape is content like any other. */
const plainMark =
  /"cache_control"[ \t\n\r]*:[ \t\n\r]*(?:null|\{[ \t\n\r]*(?:"type"[ \t\n\r]*:[ \t\n\r]*"ephemeral"[ \t\n\r]*(?:,[ \t\n\r]*"ttl"[ \t\n\r]*:[ \t\n\r]*(?:"5m"|"1h"|null)[ \t\n\r]*)?|"ttl"[ \t\n\r]*:[ \t\n\r]*(?:"5m"|"1h"|null)[ \t\n\r]*,[ \t\n\r]*"type"[ \t\n\r]*:[ \t\n\r]*"ephemeral"[ \t\n\r]*)\})(?=[ \t\n\r]*[,}])/y;
const nextMember = /,[ \t\n\r]*/y;
const afterKey = /[ \t\n\r]*:/y;

type Open = { role: Role; isObject: boolean; key: string; keyNext: boolean; comma: number };

/**
 * The ranges that are left out so that nothing of a mark remains, with the comma that goes with each. `text` is JSON
 * without duplicate keys, as `parseStrictJson` takes it.
 */
export function cacheControlRanges(text: string): TextRange[] {
  const ranges: TextRange[] = [];
  const stack: Open[] = [];
  for (let at = 0; at < text.length; at += 1) {
    const top = stack.at(-1);
    switch (text[at]) {
      case '"': {
        const end = stringEnd(text, at);
        if (top?.keyNext !== true) {
          at = end;
          break;
        }
        const mark = marked.has(top.role) ? markAt(text, at, top.comma) : null;
        if (mark !== null) {
          ranges.push(mark);
          at = mark.end - 1;
          break;
        }
        afterKey.lastIndex = end + 1;
        top.key = end - at > keyMaxChars ? '' : text.slice(at + 1, end);
        top.keyNext = false;
        at = afterKey.test(text) ? afterKey.lastIndex - 1 : end;
        break;
      }
      case '{':
      case '[':
        stack.push(opened(text[at] === '{', top));
        break;
      case '}':
      case ']':
        stack.pop();
        break;
      case ',':
        if (top?.isObject) Object.assign(top, { keyNext: true, comma: at });
        break;
    }
  }
  return ranges;
}

/** Longer than any key that has a role. */
const keyMaxChars = 32;

function opened(isObject: boolean, parent: Open | undefined): Open {
  const rest = { isObject, key: '', keyNext: isObject, comma: -1 };
  if (parent === undefined) return { ...rest, role: isObject ? 'request' : 'opaque' };
  const { items, fields } = below[parent.role];
  const role = parent.isObject ? own(fields, parent.key) : items;
  const fits = role !== undefined && isObject === (below[role].items === undefined);
  return { ...rest, role: fits ? role : 'opaque' };
}

function own(fields: Readonly<Record<string, Role>> = {}, key: string): Role | undefined {
  return Object.hasOwn(fields, key) ? fields[key] : undefined;
}

/** A first member goes with the comma behind it, any other with the one before. */
function markAt(text: string, at: number, comma: number): TextRange | null {
  plainMark.lastIndex = at;
  if (!plainMark.test(text)) return null;
  const end = plainMark.lastIndex;
  if (comma !== -1) return { start: comma, end };
  nextMember.lastIndex = end;
  return { start: at, end: nextMember.test(text) ? nextMember.lastIndex : end };
}

/** The text in pieces, without the marks. */
export function withoutCacheControl(text: string): string[] {
  const pieces: string[] = [];
  let from = 0;
  for (const { start, end } of cacheControlRanges(text)) {
    pieces.push(text.slice(from, start));
    from = end;
  }
  pieces.push(text.slice(from));
  return pieces;
}
