import type { JsonValue } from '../transcript/document.ts';

/** A piece of a message as a reader sees it; `text` is not sanitised yet. */
export type Piece = { title: string | null; text: string; dim: boolean };

type JsonObject = { [key: string]: JsonValue };

/** Tool results hold blocks again; nothing the API documents nests deeper. */
const nestedBlocksMax = 3;
/** Indentation grows with the depth, so deeper values are shown on one line: linear in the size of the value. */
const indentedDepthMax = 24;

/** Object or nothing: neither null nor an array. */
export function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The content of a message or of a tool result: a string, or a list of blocks, or whatever else came. */
export function piecesOf(content: JsonValue | undefined, depth: number = 0): Piece[] {
  if (content === undefined || content === null) return [];
  if (typeof content === 'string') return [said(content)];
  if (!Array.isArray(content) || depth > nestedBlocksMax) return [asJson('content', content)];
  return content.flatMap((block) => blockPieces(block, depth));
}

function blockPieces(block: JsonValue, depth: number): Piece[] {
  if (!isObject(block)) return [asJson('content', block)];
  const type = stringAt(block, 'type');
  switch (type) {
    case 'text':
      return typeof block.text === 'string' ? [said(block.text)] : [asJson(type, block)];
    case 'thinking':
      return typeof block.thinking === 'string'
        ? [{ title: 'thinking', text: block.thinking, dim: true }]
        : [asJson(type, block)];
    case 'redacted_thinking':
      return [{ title: 'thinking, encrypted by the provider', text: '', dim: true }];
    case 'tool_use':
    case 'server_tool_use':
    case 'mcp_tool_use':
      return [asJson(`${type} ${stringAt(block, 'name')}`, block.input ?? null)];
    case 'tool_result':
    case 'mcp_tool_result':
      return [toolResultTitle(type, block), ...piecesOf(block.content, depth + 1)];
    case 'image':
    case 'document':
    case 'container_upload':
      return mediaPieces(type, block, depth);
    default:
      return [asJson(type === '' ? 'block' : type, block)];
  }
}

function toolResultTitle(type: string, block: JsonObject): Piece {
  const failed = block.is_error === true ? ', an error' : '';
  return {
    title: `${type} ${stringAt(block, 'tool_use_id')}${failed}`,
    text: '',
    dim: false,
  };
}

/** One line that says what it is and how large; the bytes themselves are never printed. */
function mediaPieces(type: string, block: JsonObject, depth: number): Piece[] {
  const source = isObject(block.source) ? block.source : block;
  if (source.type === 'content') return [note(type), ...piecesOf(source.content, depth + 1)];
  if (source.type === 'text' && typeof source.data === 'string') return [{ ...said(source.data), title: type }];
  const facts = ['media_type', 'url', 'file_id', 'sha256'].map((key) => stringAt(source, key));
  return [note([type, stringAt(block, 'title'), ...facts, sizeOf(source)].filter((fact) => fact !== '').join(' '))];
}

function sizeOf(source: JsonObject): string {
  if (typeof source.bytes === 'number') return `${source.bytes} bytes`;
  // Base64 carries 3 bytes in 4 characters.
  if (typeof source.data === 'string') return `${Math.floor((source.data.length * 3) / 4)} bytes`;
  return '';
}

function said(text: string): Piece {
  return { title: null, text, dim: false };
}

function note(title: string): Piece {
  return { title, text: '', dim: false };
}

/** A value that we have no better form for. */
export function asJson(title: string, value: JsonValue): Piece {
  return { title, text: jsonText(value), dim: false };
}

function jsonText(value: JsonValue): string {
  if (!isDeeperThan(value, indentedDepthMax)) return JSON.stringify(value, null, 2);
  try {
    return JSON.stringify(value);
  } catch {
    return '(nested too deeply to show)';
  }
}

function isDeeperThan(value: JsonValue, depth: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return depth === 0 || Object.values(value).some((inner) => isDeeperThan(inner, depth - 1));
}

/** The string under an own key, or the empty string: the keys of a caller's object are hostile. */
export function stringAt(object: JsonObject, key: string): string {
  const value = Object.hasOwn(object, key) ? object[key] : undefined;
  return typeof value === 'string' ? value : '';
}
