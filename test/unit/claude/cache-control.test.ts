import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { withoutCacheControl } from '../../../extproc/claude/cache-control.ts';

const cut = (text: string): string => withoutCacheControl(text).join('');
const mark = '"cache_control":{"type":"ephemeral"}';

test('marks go from system blocks, tools, message blocks and blocks of results', () => {
  const request = (m: string) =>
    `{"system":[{"type":"text","text":"s"${m}}],"tools":[{"name":"t","input_schema":{}${m}}],"messages":[{"role":"user","content":[` +
    `{"type":"tool_result","content":[{"type":"text","text":"r"${m}}]${m}},` +
    `{"type":"document","source":{"type":"content","content":[{"type":"text","text":"d"${m}}]}${m}}]}]}`;
  assert.equal(cut(request(`,${mark}`)), request(''));
  assert.equal(cut(request(', "cache_control": {"ttl": "1h", "type": "ephemeral"}')), request(''));
  assert.equal(cut(request(',"cache_control":null')), request(''));
});

test('a mark that comes first takes the comma behind it along', () => {
  const request = (m: string) => `{"messages":[{"role":"user","content":[{${m}"type":"text","text":"hi"}]}]}`;
  assert.equal(cut(request(`${mark}, `)), request(''));
  assert.equal(cut(request(mark)), request(mark), 'without a comma it is no mark, and no JSON either');
  assert.equal(cut(`{"system":[{${mark}}]}`), '{"system":[{}]}');
});

test('the requests of a batch are looked at like single ones', () => {
  const batch = (m: string) =>
    `{"requests":[{"custom_id":"a","params":{"messages":[{"role":"user","content":[{"type":"text","text":"x"${m}}]}]}}]}`;
  assert.equal(cut(batch(`,${mark}`)), batch(''));
});

test('inputs of tools, schemas, texts and marks of another shape stay', () => {
  const kept = [
    `{"messages":[{"role":"assistant","content":[{"type":"tool_use","input":{"a":1,${mark}}}]}]}`,
    `{"messages":[{"role":"assistant","content":[{"type":"tool_use","input":{"content":[{"a":1,${mark}}]}}]}]}`,
    `{"tools":[{"name":"t","input_schema":{"properties":{"a":1,${mark}}}}]}`,
    `{"messages":[{"role":"user","content":[{"type":"text","text":${JSON.stringify(`x,${mark}`)}}]}]}`,
    '{"system":[{"type":"text","text":"s","cache_control":{"type":"ephemeral","note":"deploy"}}]}',
    '{"system":[{"type":"text","text":"s","cache_control":{"type":"persistent"}}]}',
    '{"system":[{"type":"text","text":"s","cache_control":"ephemeral"}]}',
    `{"metadata":{"a":1,${mark}},${mark}}`,
    `{"messages":[{"role":"user",${mark},"content":"hi"}]}`,
    `{"system":{"type":"text",${mark}}}`,
    `[{"type":"text",${mark}}]`,
  ];
  for (const text of kept) assert.equal(cut(text), text);
});

test('a request has one form wherever marks stand in it, and another one for any other byte', () => {
  const seed = Number(process.env.FC_SEED ?? Date.now() % 2 ** 31);
  console.log(`seed ${seed}`);
  const text = fc.string({
    unit: fc.constantFrom('a', '"', '\\', '{', '}', '[', ',', 'cache_control', ':', '\u00e9', '\n'),
  });
  const blocks = fc.array(fc.record({ type: fc.constant('text'), text }), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(blocks, fc.infiniteStream(fc.boolean()), fc.infiniteStream(fc.boolean()), (all, isMarked, isFirst) => {
      const withMarks = all.map((block) => {
        if (isMarked.next().value !== true) return block;
        const cache_control = { type: 'ephemeral' };
        return isFirst.next().value === true ? { cache_control, ...block } : { ...block, cache_control };
      });
      const request = (content: unknown) => JSON.stringify({ system: content, messages: [{ role: 'user', content }] });
      assert.equal(cut(request(withMarks)), request(all));
      const other = request(all.map((block) => ({ ...block, text: `${block.text}x` })));
      assert.notEqual(cut(other), cut(request(withMarks)));
    }),
    { seed, numRuns: 500 },
  );
});

test('it takes linear time', () => {
  const hostile = [
    `{"system":[{${'"cache_control":'.repeat(50_000)}`,
    `{"system":[{"a":1${',"cache_control":{"type":"ephemeral"'.repeat(30_000)}`,
    `{"system":[{"a":1,"cache_control":${' '.repeat(1_000_000)}1}]}`,
    `{"messages":${'['.repeat(200_000)}`,
  ];
  for (const text of hostile) assert.equal(cut(text).length <= text.length, true);
});
