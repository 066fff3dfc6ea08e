import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isJsonObject, type JsonValue } from '../../../extproc/claude/json.ts';
import { flatText, slimBlocks } from '../../../extproc/claude/text.ts';
import { fixtureJson } from './fixture.ts';

const png = { type: 'base64', media_type: 'image/png', data: Buffer.alloc(12_345, 7).toString('base64') };

function contentOf(name: string): JsonValue {
  const message = fixtureJson(name);
  assert.ok(isJsonObject(message));
  return message.content ?? null;
}

test('a string is its own text, and text blocks stand on lines of their own', () => {
  assert.equal(flatText('hello'), 'hello');
  assert.equal(
    flatText([
      { type: 'text', text: 'a' },
      { type: 'text', text: 'b' },
    ]),
    'a\nb',
  );
  assert.equal(flatText(null), '');
});

test('an answer with skills reads as its text, tool inputs and tool results', () => {
  assert.equal(
    flatText(contentOf('e_skills_response.json')),
    [
      "I'll read the skill, then build the workbook.",
      '[server_tool_use text_editor_code_execution]',
      'command: view',
      'path: /skills/xlsx/SKILL.md',
      '[text_editor_code_execution_tool_result]',
      'file_type: text',
      'content: ---\nname: xlsx\n---\n# Excel skill\n',
      'num_lines: 4',
      'start_line: 1',
      'total_lines: 4',
      '[server_tool_use bash_code_execution]',
      'command: python /skills/quarterly-report/build.py $INPUT_DIR/q3.csv -o $OUTPUT_DIR/q3.xlsx',
      '[bash_code_execution_tool_result]',
      'stdout: wrote q3.xlsx (3 sheets); owner jane.doe@example.com\n',
      'stderr: ',
      'return_code: 0',
      'file_id: file_011FixtureOutputXlsx',
      'The workbook is ready.',
    ].join('\n'),
  );
});

test('thinking is text, its signature and redacted thinking are not', () => {
  const content = [
    { type: 'thinking', thinking: 'hm', signature: 'SIGNATURE' },
    { type: 'redacted_thinking', data: 'CIPHERTEXT' },
  ];
  assert.equal(flatText(content), '[thinking]\nhm\n[redacted_thinking]');
});

test('images and documents are named by type and size, and their readable parts are text', () => {
  const content: JsonValue = [
    { type: 'image', source: png },
    { type: 'image', source: { type: 'url', url: 'https://images.test/a.png' } },
    {
      type: 'document',
      title: 'Plan',
      context: 'for Q3',
      source: { type: 'text', media_type: 'text/plain', data: 'body' },
    },
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
    { type: 'document', source: { type: 'file', file_id: 'file_1' } },
    {
      type: 'tool_result',
      is_error: true,
      tool_use_id: 't',
      content: [
        { type: 'image', source: png },
        { type: 'text', text: 'seen' },
      ],
    },
    { type: 'container_upload', file_id: 'file_2' },
  ];
  assert.equal(
    flatText(content),
    [
      '[image image/png 12345 bytes]',
      '[image https://images.test/a.png]',
      '[document Plan text/plain]',
      'for Q3',
      'body',
      '[document]',
      'inner',
      '[image image/png 12345 bytes]',
      '[document file_1]',
      '[tool_result error]',
      '[image image/png 12345 bytes]',
      'seen',
      '[container_upload file_2]',
    ].join('\n'),
  );
});

test('web results, search results and citations give what a person reads, without ciphertexts', () => {
  const text = flatText([
    {
      type: 'web_search_tool_result',
      tool_use_id: 's',
      content: [{ type: 'web_search_result', title: 'News', url: 'https://n.test', encrypted_content: 'CIPHER' }],
    },
    {
      type: 'web_fetch_tool_result',
      content: {
        type: 'web_fetch_result',
        url: 'https://f.test',
        content: { type: 'document', source: { type: 'text', media_type: 'text/plain', data: 'page' } },
      },
    },
    { type: 'search_result', source: 'kb', title: 'Hit', content: [{ type: 'text', text: 'found' }] },
    {
      type: 'text',
      text: 'so',
      citations: [{ type: 'char_location', document_title: 'crm.txt', cited_text: 'Jane Doe' }],
    },
  ]);
  for (const part of [
    'News',
    'https://n.test',
    'https://f.test',
    'page',
    'kb',
    'Hit',
    'found',
    'so',
    'crm.txt',
    'Jane Doe',
  ]) {
    assert.ok(text.includes(part), part);
  }
  assert.ok(!text.includes('CIPHER'));
});

test('every string of a tool input is found, whatever it looks like', () => {
  const input: JsonValue = {
    id: 'an id',
    signature: 'a signature',
    deep: { 'a key': {}, list: [], source: { type: 'base64', media_type: 'text/plain', data: 'looks like data' } },
    nothing: null,
  };
  const text = flatText([{ type: 'tool_use', name: 'n', input }]);
  for (const part of ['an id', 'a signature', 'a key', 'list', 'looks like data', 'nothing'])
    assert.ok(text.includes(part), part);
});

test('unknown blocks give their strings', () => {
  const block = { type: 'hologram', payload: 'zz', more: [{ caption: 'cc', picture: png }] };
  assert.equal(flatText([block]), '[hologram]\npayload: zz\ncaption: cc\n[picture image/png 12345 bytes]');
});

test('any JSON has a text, and the strings of any tool input are in it', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.string({ minLength: 1 }), (value, needle) => {
      assert.equal(typeof flatText(value as JsonValue), 'string');
      const content = [{ type: 'tool_use', input: [value, { [needle]: [needle] }] }] as JsonValue;
      assert.ok(flatText(content).includes(`${needle}: ${needle}`));
    }),
  );
});

test('slim content has the size of binary data in its place, and is otherwise the same', () => {
  const slim = { type: 'base64', media_type: 'image/png', bytes: 12_345 };
  const content = (source: JsonValue): JsonValue => [
    'plain',
    { type: 'image', source, cache_control: null },
    { type: 'tool_result', content: [{ type: 'image', source }] },
    { type: 'document', source: { type: 'content', content: [{ type: 'image', source }] } },
    { type: 'text', text: png.data },
  ];
  const before = structuredClone(content(png));
  assert.deepEqual(slimBlocks(before), content(slim));
  assert.deepEqual(before, content(png), 'the input is not changed');
  assert.equal(slimBlocks('text'), 'text');
});

test('slim content keeps tool inputs whole, and prototype keys as keys', () => {
  const content: JsonValue = [{ type: 'tool_use', name: 'n', input: { source: png } }];
  assert.deepEqual(slimBlocks(content), content);
  const hostile: JsonValue = JSON.parse('[{"__proto__":{"polluted":1}}]');
  assert.equal(JSON.stringify(slimBlocks(hostile)), '[{"__proto__":{"polluted":1}}]');
  assert.equal(({} as { polluted?: unknown }).polluted, undefined);
});

test('sizes are those of the decoded data', () => {
  for (const bytes of [0, 1, 2, 3, 100]) {
    const data = Buffer.alloc(bytes).toString('base64');
    assert.deepEqual(slimBlocks({ type: 'base64', media_type: 'm', data }), { type: 'base64', media_type: 'm', bytes });
  }
});

test('a tool input of 300 000 values has a text', () => {
  const input = Array.from({ length: 300_000 }, (_, at) => at);
  assert.equal(flatText([{ type: 'tool_use', name: 'n', input }]).split('\n').length, 300_001);
});
