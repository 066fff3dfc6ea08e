import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isJsonObject, type JsonObject, type JsonValue } from '../../../extproc/claude/json.ts';
import { flatText, refusalText, slimBlocks } from '../../../extproc/claude/text.ts';
import { fixtureJson } from './fixture.ts';

const png = { type: 'base64', media_type: 'image/png', data: Buffer.alloc(12_345, 7).toString('base64') };
const hashOf = (base64: string): string => `h${base64.length}`;
const slimPng = { type: 'base64', media_type: 'image/png', bytes: 12_345, hash: 'h16460' };

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
      'return_code: 0',
      'file_id: file_011FixtureOutputXlsx',
      'The workbook is ready.',
    ].join('\n'),
  );
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
  const block = { type: 'hologram', payload: 'zz', more: [{ caption: 'cc', picture: png }], why: { type: 'because' } };
  assert.equal(
    flatText([block]),
    '[hologram]\npayload: zz\ncaption: cc\n[picture image/png 12345 bytes]\nwhy: because',
  );
});

test('a refusal reads as its category and explanation, without the token that comes with it', () => {
  const refusal = {
    stop_reason: 'refusal',
    stop_details: { type: 'refusal', category: 'cyber', explanation: 'No.', fallback_credit_token: 'secret' },
  };
  assert.equal(refusalText(refusal), '[refusal cyber]\nNo.');
  assert.equal(refusalText({ stop_reason: 'refusal', stop_details: null }), '[refusal]');
  assert.equal(refusalText({ stop_details: { type: 'refusal', category: null, explanation: 7 } }), '[refusal]');
  assert.equal(refusalText({ stop_reason: 'end_turn', stop_details: null }), '');
  assert.equal(refusalText(null), '');
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

test('slim content has type, size and hash in the place of binary data, and is otherwise the same', () => {
  const content = (source: JsonValue): JsonValue => [
    'plain',
    { type: 'image', source, cache_control: null },
    { type: 'tool_result', content: [{ type: 'image', source }] },
    { type: 'document', source: { type: 'content', content: [{ type: 'image', source }] } },
    { type: 'web_fetch_tool_result', content: { type: 'web_fetch_result', content: { type: 'document', source } } },
    { type: 'text', text: png.data },
  ];
  const before = structuredClone(content(png));
  assert.deepEqual(slimBlocks(before, hashOf), content(slimPng));
  assert.deepEqual(before, content(png), 'the input is not changed');
  assert.deepEqual(slimBlocks(content(slimPng), hashOf), content(slimPng), 'slim content stays as it is');
  assert.equal(slimBlocks('text', hashOf), 'text');
});

test('slim content reads like the whole one, with the hash beside the size', () => {
  const content: JsonValue = [{ type: 'image', source: png }];
  assert.equal(flatText(content), '[image image/png 12345 bytes]');
  assert.equal(flatText(slimBlocks(content, hashOf)), '[image image/png 12345 bytes hash h16460]');
  const masked = [{ type: 'image', source: { ...slimPng, bytes: '[CARD 1]', hash: '[KEY 1]' } }];
  assert.equal(flatText(masked), '[image image/png [CARD 1] bytes hash [KEY 1]]');
});

test('slim content keeps tool inputs whole, and prototype keys as keys', () => {
  const content: JsonValue = [{ type: 'tool_use', name: 'n', input: { source: png } }];
  assert.deepEqual(slimBlocks(content, hashOf), content);
  const hostile: JsonValue = JSON.parse('[{"__proto__":{"polluted":1}}]');
  assert.equal(JSON.stringify(slimBlocks(hostile, hashOf)), '[{"__proto__":{"polluted":1}}]');
  assert.equal(({} as { polluted?: unknown }).polluted, undefined);
});

test('text under the name of base64, and other fields of a source, are kept', () => {
  const text = { type: 'base64', media_type: 'image/png', data: 'this is, plainly, text' };
  assert.deepEqual(slimBlocks([{ type: 'image', source: text }], hashOf), [{ type: 'image', source: text }]);
  assert.match(flatText([{ type: 'image', source: text }]), /plainly/);
  const more = { type: 'image', source: { ...png, note: 'seen' } };
  assert.deepEqual(slimBlocks(more, hashOf), { type: 'image', source: { ...slimPng, note: 'seen' } });
  assert.match(flatText(slimBlocks(more, hashOf)), /note: seen/);
});

test('sizes and hashes are those of the data, with or without line ends in it', () => {
  for (const bytes of [0, 1, 2, 3, 100]) {
    const data = Buffer.alloc(bytes).toString('base64');
    const slim: JsonObject = { type: 'base64', media_type: 'm', bytes, hash: `h${data.length}` };
    assert.deepEqual(slimBlocks({ type: 'base64', media_type: 'm', data }, hashOf), slim);
    const wrapped = data.replace(/(.{4})/g, '$1\r\n');
    assert.deepEqual(slimBlocks({ type: 'base64', media_type: 'm', data: wrapped }, hashOf), slim);
  }
});

test('a tool input of 300 000 values has a text', () => {
  const input = Array.from({ length: 300_000 }, (_, at) => at);
  assert.equal(flatText([{ type: 'tool_use', name: 'n', input }]).split('\n').length, 300_001);
});
