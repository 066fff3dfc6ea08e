import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { JsonValue } from '../../../extproc/claude/json.ts';
import { textBytes } from '../../../extproc/claude/text-bytes.ts';

test('every string counts in UTF-8, in whatever block it stands', () => {
  const counted: [JsonValue, number][] = [
    ['', 0],
    ['aä\u{1f600}', 7],
    [null, 0],
    [[{ type: 'text', text: 'four' }, 'four', { type: 'unheard_of', deep: [{ er: 'four' }] }], 12],
    [[{ type: 'tool_result', tool_use_id: 't', content: [{ type: 'text', text: 'four' }] }], 4],
    [{ type: 'document', title: 'four', source: { type: 'text', media_type: 'text/plain', data: 'four' } }, 18],
    [{ type: 'thinking', thinking: 'four', signature: 'x' }, 4],
  ];
  for (const [content, bytes] of counted) assert.equal(textBytes(content), bytes, JSON.stringify(content));
});

test('in what a tool is given, and in its definition, keys and every string are text', () => {
  assert.equal(textBytes({ type: 'tool_use', id: 't', name: 'find', input: { id: 'four', type: { keys: 1 } } }), 18);
  assert.equal(textBytes({ type: 'tool_definition', definition: { name: 'four', __proto__: null } }), 8);
  assert.equal(textBytes({ input: JSON.parse('{"__proto__":"four"}') }), 13);
});

test('ciphertexts and binary data do not count, and text in their place does', () => {
  const source = (data: string) => ({ type: 'base64', media_type: 'image/png', data });
  assert.equal(textBytes({ type: 'image', source: source('QUFB'.repeat(50_000)) }), 'image/png'.length);
  assert.equal(textBytes({ type: 'image', source: source('plain words, four') }), 'image/png'.length + 17);
  assert.equal(textBytes({ type: 'redacted_thinking', data: 'QUFB' }), 0);
  assert.equal(textBytes({ type: 'compaction', content: 'four', encrypted_content: 'QUFB' }), 4);
});

test('a text is never more than the JSON that carries it', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const bytes = textBytes(value as JsonValue);
      assert.ok(bytes >= 0 && bytes <= Buffer.byteLength(JSON.stringify(value)));
    }),
  );
});
