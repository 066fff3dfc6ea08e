import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { JsonObject, JsonValue } from '../../../extproc/claude/json.ts';
import { flatText } from '../../../extproc/claude/text.ts';

const png = { type: 'base64', media_type: 'image/png', data: Buffer.alloc(12_345, 7).toString('base64') };

/** Each block with the lines that a person reads of it. */
const readings: [name: string, block: JsonObject, lines: string[]][] = [
  ['thinking', { type: 'thinking', thinking: 'hm', signature: 'SIGNATURE' }, ['[thinking]', 'hm']],
  ['omitted thinking', { type: 'thinking', thinking: '', signature: 'SIGNATURE' }, ['[thinking omitted]']],
  ['redacted thinking', { type: 'redacted_thinking', data: 'CIPHERTEXT' }, ['[redacted_thinking]']],
  ['an image', { type: 'image', source: png }, ['[image image/png 12345 bytes]']],
  [
    'an image by URL',
    { type: 'image', source: { type: 'url', url: 'https://i.test/a.png' } },
    ['[image https://i.test/a.png]'],
  ],
  ['a document by file', { type: 'document', source: { type: 'file', file_id: 'file_1' } }, ['[document file_1]']],
  [
    'a document of text',
    {
      type: 'document',
      title: 'Plan',
      context: 'for Q3',
      citations: { enabled: true },
      source: { type: 'text', media_type: 'text/plain', data: 'body' },
    },
    ['[document Plan text/plain]', 'for Q3', 'body'],
  ],
  [
    'a document of blocks',
    {
      type: 'document',
      source: {
        type: 'content',
        content: [
          { type: 'text', text: 'inner' },
          { type: 'image', source: png },
        ],
      },
    },
    ['[document]', 'inner', '[image image/png 12345 bytes]'],
  ],
  [
    'citations',
    {
      type: 'text',
      text: 'so',
      citations: [
        {
          type: 'char_location',
          document_title: 'crm.txt',
          document_index: 0,
          start_char_index: 5,
          cited_text: 'Jane',
        },
        { type: 'page_location', document_title: 'a.pdf', start_page_number: 3, end_page_number: 5, cited_text: 'p' },
        { type: 'web_search_result_location', title: 'News', url: 'https://n.test', encrypted_index: 'CIPHER' },
      ],
    },
    ['so', '[citation crm.txt]', 'Jane', '[citation a.pdf pages 3-4]', 'p', '[citation News https://n.test]'],
  ],
  [
    'a tool call',
    { type: 'tool_use', id: 't', name: 'Bash', input: { command: 'ls' } },
    ['[tool_use Bash]', 'command: ls'],
  ],
  [
    'a call of MCP',
    { type: 'mcp_tool_use', id: 't', server_name: 'crm', name: 'find', input: { q: 'x' } },
    ['[mcp_tool_use crm find]', 'q: x'],
  ],
  [
    'a result of MCP',
    { type: 'mcp_tool_result', tool_use_id: 't', is_error: true, content: [{ type: 'text', text: 'gone' }] },
    ['[mcp_tool_result error]', 'gone'],
  ],
  [
    'a tool result',
    {
      type: 'tool_result',
      is_error: false,
      tool_use_id: 't',
      content: [
        { type: 'image', source: png },
        { type: 'text', text: 'seen' },
        { type: 'tool_reference', tool_name: 'get_weather' },
        {
          type: 'search_result',
          source: 'kb',
          title: 'Hit',
          content: [{ type: 'text', text: 'found' }],
          citations: { enabled: true },
        },
      ],
    },
    [
      '[tool_result]',
      '[image image/png 12345 bytes]',
      'seen',
      '[tool_reference get_weather]',
      '[search_result Hit kb]',
      'found',
    ],
  ],
  [
    'code',
    {
      type: 'code_execution_tool_result',
      content: {
        type: 'code_execution_result',
        stdout: 'out',
        stderr: 'err',
        return_code: 1,
        content: [{ type: 'code_execution_output', file_id: 'file_2' }],
      },
    },
    ['[code_execution_tool_result]', 'stdout: out', 'stderr: err', 'return_code: 1', 'file_id: file_2'],
  ],
  [
    'encrypted code',
    {
      type: 'code_execution_tool_result',
      content: {
        type: 'encrypted_code_execution_result',
        encrypted_stdout: 'CIPHER',
        stderr: '',
        return_code: 0,
        content: [],
      },
    },
    ['[code_execution_tool_result]', 'return_code: 0'],
  ],
  [
    'a failed tool of the server',
    {
      type: 'text_editor_code_execution_tool_result',
      content: {
        type: 'text_editor_code_execution_tool_result_error',
        error_code: 'file_not_found',
        error_message: 'no a.md',
      },
    },
    ['[text_editor_code_execution_tool_result error file_not_found]', 'error_message: no a.md'],
  ],
  [
    'an edit',
    {
      type: 'text_editor_code_execution_tool_result',
      content: { type: 'text_editor_code_execution_str_replace_result', lines: ['-a', '+b'], new_lines: null },
    },
    ['[text_editor_code_execution_tool_result]', 'lines: -a', 'lines: +b'],
  ],
  [
    'a web search',
    {
      type: 'web_search_tool_result',
      tool_use_id: 's',
      content: [
        {
          type: 'web_search_result',
          title: 'News',
          url: 'https://n.test',
          encrypted_content: 'CIPHER',
          page_age: null,
        },
      ],
    },
    ['[web_search_tool_result]', 'News https://n.test'],
  ],
  [
    'a failed web search',
    {
      type: 'web_search_tool_result',
      content: { type: 'web_search_tool_result_error', error_code: 'max_uses_exceeded' },
    },
    ['[web_search_tool_result error max_uses_exceeded]'],
  ],
  [
    'a fetched page',
    {
      type: 'web_fetch_tool_result',
      content: {
        type: 'web_fetch_result',
        url: 'https://f.test',
        content: { type: 'document', title: 'P', source: { type: 'text', media_type: 'text/plain', data: 'page' } },
      },
    },
    ['[web_fetch_tool_result]', 'url: https://f.test', '[document P text/plain]', 'page'],
  ],
  [
    'a search of tools',
    {
      type: 'tool_search_tool_result',
      content: {
        type: 'tool_search_tool_search_result',
        tool_references: [{ type: 'tool_reference', tool_name: 'a' }],
      },
    },
    ['[tool_search_tool_result]', '[tool_reference a]'],
  ],
  [
    'advice',
    { type: 'advisor_tool_result', content: { type: 'advisor_result', text: 'Think twice.', stop_reason: null } },
    ['[advisor_tool_result]', 'Think twice.'],
  ],
  [
    'redacted advice',
    { type: 'advisor_tool_result', content: { type: 'advisor_redacted_result', encrypted_content: 'CIPHER' } },
    ['[advisor_tool_result redacted]'],
  ],
  ['an upload', { type: 'container_upload', file_id: 'file_2' }, ['[container_upload file_2]']],
  [
    'a browser',
    {
      type: 'browser_state',
      tabs: [
        { tab_id: '1', title: 'Mail', url: 'https://m.test', active: true },
        { tab_id: '2', title: 'Wiki', url: 'https://w.test' },
      ],
      state_changes: [{ type: 'download_completed', download_id: 'd', url: 'https://m.test/a.pdf' }],
    },
    [
      '[browser_state]',
      '[tab active Mail https://m.test]',
      '[tab Wiki https://w.test]',
      'state_changes: download_completed',
      'download_id: d',
      'url: https://m.test/a.pdf',
    ],
  ],
  [
    'a new tool',
    { type: 'tool_addition', tool: { type: 'tool_definition', definition: { name: 'pay', description: 'Pays.' } } },
    ['[tool_addition]', 'name: pay', 'description: Pays.'],
  ],
  [
    'a tool taken away',
    { type: 'tool_removal', tool: { type: 'mcp_tool_reference', server_name: 'crm', name: 'find' } },
    ['[tool_removal]', '[mcp_tool_reference crm find]'],
  ],
  [
    'tools of MCP',
    {
      type: 'mcp_tool_listing',
      mcp_server_name: 'crm',
      tools: [{ name: 'find', description: 'Finds.', input_schema: { type: 'object' } }],
    },
    ['[mcp_tool_listing crm]', 'find: Finds.', 'type: object'],
  ],
  ['a compaction', { type: 'compaction', content: 'summary', encrypted_content: null }, ['[compaction]', 'summary']],
  [
    'an encrypted compaction',
    { type: 'compaction', content: null, encrypted_content: 'CIPHER' },
    ['[compaction encrypted]'],
  ],
  [
    'a fallback',
    { type: 'fallback', from: { model: 'a' }, to: { model: 'b' }, trigger: { type: 'refusal', category: 'cyber' } },
    ['[fallback a -> b refusal cyber]'],
  ],
  ['withheld content', { type: 'redacted' }, ['[redacted]']],
];

for (const [name, block, lines] of readings) {
  test(`${name} reads as what a person needs of it`, () => {
    assert.equal(flatText([block]), lines.join('\n'));
  });
}

test('a field in a place or of a type that the API does not know is shown all the same', () => {
  const blocks = fc.constantFrom(...readings.map(([, block]) => block));
  const needle = fc.stringMatching(/^[a-z]{12}$/);
  fc.assert(
    fc.property(blocks, needle, fc.nat(), fc.boolean(), (block, word, at, replaces) => {
      const names = Object.keys(block).filter((name) => !unreadable.has(name));
      const name = replaces ? (names[at % names.length] ?? 'extra') : 'extra';
      for (const value of [word, [word], { deep: { deeper: word } }, [{ type: 'text', text: word }]] as JsonValue[]) {
        assert.ok(flatText([{ ...block, [name]: value }]).includes(word), `${name} of ${String(block.type)}`);
      }
    }),
    { numRuns: 500 },
  );
});

const unreadable = new Set(['type', 'id', 'tool_use_id', 'signature', 'encrypted_content', 'data']);

test('no ciphertext is in any text, and any change of a block has a text', () => {
  for (const [name, block] of readings) assert.doesNotMatch(flatText([block]), /CIPHER|SIGNATURE/, name);
  fc.assert(
    fc.property(
      fc.constantFrom(...readings.map(([, block]) => block)),
      fc.dictionary(fc.constantFrom('content', 'source', 'tabs', 'tools', 'from', 'citations', 'text'), fc.jsonValue()),
      (block, changes) => {
        assert.equal(typeof flatText([{ ...block, ...(changes as JsonObject) }]), 'string');
      },
    ),
  );
});
