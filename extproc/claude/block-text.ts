/** Writes each kind of content block as lines of readable text. */
import { base64Data, binaryWords } from './base64-source.ts';
import { BlockFields, verbatimFields } from './block-fields.ts';
import { flatJson } from './flat-json.ts';
import { isJsonObject, type JsonObject, type JsonValue } from './json.ts';

/** Adds the lines of any content: strings as they are, blocks under a line in square brackets. */
export function addContent(lines: string[], content: JsonValue): void {
  if (Array.isArray(content)) for (const item of content) addContent(lines, item);
  else if (isJsonObject(content)) addBlock(lines, content);
  else if (content !== null) lines.push(String(content));
}

/** `[name word word]`, empty words left out. */
export function label(name: string, words: readonly string[]): string {
  return `[${[name === '' ? 'block' : name, ...words.filter((word) => word !== '')].join(' ')}]`;
}

function addBlock(lines: string[], block: JsonObject): void {
  const fields = new BlockFields(block);
  const form = forms.get(fields.type);
  if (form === undefined) lines.push(label(fields.type, []));
  else form(lines, fields);
  addRest(lines, fields);
}

/** Writes what it knows of a block, and leaves the rest to `addRest`. */
type Form = (lines: string[], fields: BlockFields) => void;

const fieldsOnly: Form = () => {};

/** The types are those of the content blocks in the official SDK (1.12), and the results within them. */
const forms: ReadonlyMap<string, Form> = new Map<string, Form>([
  ['text', addText],
  ['thinking', addThinking],
  ['redacted_thinking', addRedacted],
  ['tool_use', addToolUse],
  ['server_tool_use', addToolUse],
  ['mcp_tool_use', addToolUse],
  ['tool_result', addResult],
  ['mcp_tool_result', addResult],
  ['code_execution_tool_result', addResult],
  ['bash_code_execution_tool_result', addResult],
  ['text_editor_code_execution_tool_result', addResult],
  ['web_search_tool_result', addResult],
  ['web_fetch_tool_result', addResult],
  ['tool_search_tool_result', addResult],
  ['advisor_tool_result', addResult],
  ['code_execution_result', fieldsOnly],
  ['encrypted_code_execution_result', fieldsOnly],
  ['bash_code_execution_result', fieldsOnly],
  ['code_execution_output', fieldsOnly],
  ['bash_code_execution_output', fieldsOnly],
  ['text_editor_code_execution_view_result', fieldsOnly],
  ['text_editor_code_execution_create_result', fieldsOnly],
  ['text_editor_code_execution_str_replace_result', fieldsOnly],
  ['web_search_result', addWebSearchResult],
  ['web_fetch_result', fieldsOnly],
  ['tool_search_tool_search_result', fieldsOnly],
  ['advisor_result', fieldsOnly],
  ['image', addMedia],
  ['document', addMedia],
  ['search_result', addSearchResult],
  ['container_upload', (lines, fields) => lines.push(label(fields.type, [fields.text('file_id')]))],
  ['tool_reference', addReference],
  ['mcp_tool_reference', addReference],
  ['mcp_toolset_reference', addReference],
  ['tool_definition', fieldsOnly],
  ['mcp_tool_listing', addToolListing],
  ['browser_state', addBrowserState],
  ['compaction', addCompaction],
  ['fallback', addFallback],
]);

function addText(lines: string[], fields: BlockFields): void {
  addContent(lines, fields.value('text'));
  for (const citation of fields.list('citations')) {
    if (isJsonObject(citation)) addCitation(lines, new BlockFields(citation));
    else addContent(lines, citation);
  }
}

function addCitation(lines: string[], fields: BlockFields): void {
  const names = ['document_title', 'title', 'url', 'source', 'file_id'];
  lines.push(label('citation', [...names.map((name) => fields.text(name)), pages(fields)]));
  addLine(lines, fields.text('cited_text'));
  fields.skipNumbers();
  addRest(lines, fields);
}

/** The end is the page after the last one. */
function pages(fields: BlockFields): string {
  const start = fields.number('start_page_number');
  const end = fields.number('end_page_number');
  if (start === null || end === null) return '';
  return end - 1 <= start ? `page ${start}` : `pages ${start}-${end - 1}`;
}

/** Claude Code asks for thinking without its text: only the signature comes. */
function addThinking(lines: string[], fields: BlockFields): void {
  const thinking = fields.text('thinking');
  lines.push(label('thinking', [thinking === '' ? 'omitted' : '']));
  addLine(lines, thinking);
}

function addRedacted(lines: string[], fields: BlockFields): void {
  fields.text('data');
  lines.push(label(fields.type, []));
}

function addToolUse(lines: string[], fields: BlockFields): void {
  lines.push(label(fields.type, [fields.text('server_name'), fields.text('name')]));
  addJson(lines, fields.value('input') ?? {});
}

/** An error stands in the block (`is_error`) or in the place of its result (`error_code`). */
function addResult(lines: string[], fields: BlockFields): void {
  const error = fields.flag('is_error') ? 'error' : '';
  const result = fields.object('content');
  if (result === null) {
    lines.push(label(fields.type, [error]));
    addContent(lines, fields.value('content'));
    return;
  }
  const inner = new BlockFields(result);
  const code = inner.type.endsWith('_error') ? inner.text('error_code') : '';
  const redacted = inner.type === 'advisor_redacted_result' ? 'redacted' : '';
  lines.push(label(fields.type, [code === '' ? error : 'error', code, redacted]));
  if (code === '' && redacted === '') addBlock(lines, result);
  else addRest(lines, inner);
}

function addWebSearchResult(lines: string[], fields: BlockFields): void {
  const words = [fields.text('title'), fields.text('url')];
  lines.push(words.filter((word) => word !== '').join(' '));
}

function addMedia(lines: string[], fields: BlockFields): void {
  const source = fields.object('source') ?? {};
  const inner = new BlockFields(source);
  const words = ['media_type', 'url', 'file_id'].map((name) => inner.text(name));
  lines.push(label(fields.type, [fields.text('title'), ...words, ...binaryWords(source)]));
  addLine(lines, fields.text('context'));
  if (base64Data(source) !== null) inner.text('data');
  else addContent(lines, inner.value('data'));
  addContent(lines, inner.value('content'));
  if (source.type === 'base64') {
    inner.number('bytes');
    for (const name of ['bytes', 'hash']) inner.text(name);
  }
  addRest(lines, inner);
  addCitationConfig(lines, fields);
}

/** Whether the model may cite is no text: the citations themselves stand in its answer. */
function addCitationConfig(lines: string[], fields: BlockFields): void {
  const config = new BlockFields(fields.object('citations') ?? {});
  config.flag('enabled');
  addRest(lines, config);
}

function addSearchResult(lines: string[], fields: BlockFields): void {
  lines.push(label(fields.type, [fields.text('title'), fields.text('source')]));
  addContent(lines, fields.value('content'));
  addCitationConfig(lines, fields);
}

function addReference(lines: string[], fields: BlockFields): void {
  lines.push(
    label(
      fields.type,
      ['server_name', 'name', 'tool_name'].map((name) => fields.text(name)),
    ),
  );
}

function addToolListing(lines: string[], fields: BlockFields): void {
  lines.push(label(fields.type, [fields.text('mcp_server_name')]));
  for (const tool of fields.list('tools')) {
    if (!isJsonObject(tool)) {
      addContent(lines, tool);
      continue;
    }
    const inner = new BlockFields(tool);
    lines.push([inner.text('name'), inner.text('description')].filter((text) => text !== '').join(': '));
    addRest(lines, inner);
  }
}

function addBrowserState(lines: string[], fields: BlockFields): void {
  lines.push(label(fields.type, []));
  for (const tab of fields.list('tabs')) {
    if (!isJsonObject(tab)) {
      addContent(lines, tab);
      continue;
    }
    const inner = new BlockFields(tab);
    inner.text('tab_id');
    const words = [inner.flag('active') ? 'active' : '', inner.text('title'), inner.text('url')];
    lines.push(label('tab', words));
    addRest(lines, inner);
  }
}

/** The summary may come in the clear, as a ciphertext, or not at all when it failed. */
function addCompaction(lines: string[], fields: BlockFields): void {
  const content = fields.text('content');
  const isEncrypted = content === '' && fields.text('encrypted_content') !== '';
  lines.push(label(fields.type, [isEncrypted ? 'encrypted' : '']));
  addLine(lines, content);
}

function addFallback(lines: string[], fields: BlockFields): void {
  const from = new BlockFields(fields.object('from') ?? {});
  const to = new BlockFields(fields.object('to') ?? {});
  const trigger = new BlockFields(fields.object('trigger') ?? {});
  const words = [from.text('model'), '->', to.text('model'), trigger.type, trigger.text('category')];
  lines.push(label(fields.type, words));
  for (const inner of [from, to, trigger]) addRest(lines, inner);
}

function addRest(lines: string[], fields: BlockFields): void {
  for (const [name, value] of fields.rest()) {
    // Text named like its block needs no name of its own.
    addValue(lines, name === fields.type || name === 'text' ? '' : name, value);
  }
}

function addValue(lines: string[], key: string, value: JsonValue): void {
  if (value === null || value === '') return;
  if (typeof value !== 'object') {
    lines.push(key === '' ? String(value) : `${key}: ${value}`);
  } else if (verbatimFields.has(key)) {
    addJson(lines, value);
  } else if (Array.isArray(value)) {
    for (const item of value) addValue(lines, key, item);
  } else if (value.type === 'base64') {
    addMedia(lines, new BlockFields({ type: key, source: value }));
  } else if (typeof value.type === 'string' && forms.has(value.type)) {
    addBlock(lines, value);
  } else {
    const fields = new BlockFields(value);
    if (fields.type !== '') lines.push(key === '' ? fields.type : `${key}: ${fields.type}`);
    addRest(lines, fields);
  }
}

/** Not by spreading: a long list of arguments overflows the stack. */
function addJson(lines: string[], value: JsonValue): void {
  for (const line of flatJson(value)) lines.push(line);
}

function addLine(lines: string[], text: string): void {
  if (text !== '') lines.push(text);
}
