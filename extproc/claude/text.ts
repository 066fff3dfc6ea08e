/** Turns content blocks into flat text for search and terminal, and takes the binary data out of them. */
import { base64Source } from './base64-source.ts';
import { flatJson } from './flat-json.ts';
import { isJsonObject, type JsonObject, type JsonValue } from './json.ts';

/**
 * Readable text of a message's content: strings as they are, blocks one after another, each under a line in square
 * brackets that names it (plain text has none). Binary data is named by media type and size; ciphertexts, signatures
 * and ids are left out. Blocks of unknown types give all their strings. Linear; recursion is bounded by the depth that
 * the parsers of this folder allow.
 */
export function flatText(content: JsonValue): string {
  const lines: string[] = [];
  addContent(lines, content);
  return lines.join('\n');
}

/**
 * The same content with each base64 source replaced by `{type, media_type, bytes}`, decoded size in bytes. The input
 * of a tool is kept whole: there it is text that the model wrote, whatever it looks like.
 */
export function slimBlocks(content: JsonValue): JsonValue {
  if (Array.isArray(content)) return content.map(slimBlocks);
  if (!isJsonObject(content)) return content;
  const source = base64Source(content);
  if (source !== null) return source;
  // fromEntries defines own properties, so a key named `__proto__` stays a key.
  return Object.fromEntries(
    Object.entries(content).map(([key, value]) => [key, verbatimFields.has(key) ? value : slimBlocks(value)]),
  );
}

const verbatimFields = new Set(['input', 'input_schema', 'definition']);

const hiddenFields = new Set([
  'type',
  'id',
  'tool_use_id',
  'caller',
  'cache_control',
  'signature',
  'encrypted_content',
  'encrypted_stdout',
  'encrypted_index',
]);

function addContent(lines: string[], content: JsonValue): void {
  if (Array.isArray(content)) for (const item of content) addContent(lines, item);
  else if (isJsonObject(content)) addBlock(lines, content);
  else if (content !== null) lines.push(String(content));
}

function addBlock(lines: string[], block: JsonObject): void {
  const type = typeof block.type === 'string' ? block.type : '';
  switch (type) {
    case 'text':
      addText(lines, block);
      break;
    case 'redacted_thinking':
      lines.push(label(type, []));
      break;
    case 'tool_use':
    case 'server_tool_use':
    case 'mcp_tool_use':
      lines.push(label(type, [block.server_name, block.name]));
      addJson(lines, block.input ?? {});
      break;
    case 'tool_result':
      lines.push(label(type, [block.is_error === true ? 'error' : null]));
      addContent(lines, block.content ?? null);
      break;
    case 'image':
    case 'document':
      addMedia(lines, type, block);
      break;
    case 'container_upload':
      lines.push(label(type, [block.file_id]));
      break;
    default:
      lines.push(label(type, []));
      addFields(lines, block);
  }
}

function addText(lines: string[], block: JsonObject): void {
  if (typeof block.text === 'string') lines.push(block.text);
  if (!Array.isArray(block.citations)) return;
  for (const citation of block.citations) {
    if (!isJsonObject(citation)) continue;
    lines.push(label('citation', [citation.document_title, citation.title, citation.url, citation.source]));
    if (typeof citation.cited_text === 'string') lines.push(citation.cited_text);
  }
}

function addMedia(lines: string[], type: string, block: JsonObject): void {
  const source = isJsonObject(block.source) ? block.source : {};
  const binary = base64Source(source);
  const bytes = binary === null ? null : `${binary.bytes} bytes`;
  lines.push(label(type, [block.title, source.media_type, source.url, source.file_id, bytes]));
  addContent(lines, block.context ?? null);
  if (binary === null) addContent(lines, source.data ?? null);
  addContent(lines, source.content ?? null);
}

function addFields(lines: string[], object: JsonObject): void {
  for (const [key, value] of Object.entries(object)) {
    if (hiddenFields.has(key)) continue;
    // Text named like its block needs no name of its own: a block `thinking` has a field `thinking`.
    addValue(lines, key === object.type || key === 'text' ? '' : key, value);
  }
}

function addValue(lines: string[], key: string, value: JsonValue): void {
  if (value === null) return;
  if (Array.isArray(value)) {
    for (const item of value) addValue(lines, key, item);
  } else if (!isJsonObject(value)) {
    lines.push(key === '' ? String(value) : `${key}: ${value}`);
  } else if (verbatimFields.has(key)) {
    addJson(lines, value);
  } else if (base64Source(value) !== null) {
    addMedia(lines, key, { source: value });
  } else if (value.type === 'text' || value.type === 'image' || value.type === 'document') {
    addBlock(lines, value);
  } else {
    addFields(lines, value);
  }
}

/** Not by spreading: a long list of arguments overflows the stack. */
function addJson(lines: string[], value: JsonValue): void {
  for (const line of flatJson(value)) lines.push(line);
}

function label(name: string, details: (JsonValue | undefined)[]): string {
  const words = details.filter((detail) => typeof detail === 'string' && detail !== '');
  return `[${[name === '' ? 'block' : name, ...words].join(' ')}]`;
}
