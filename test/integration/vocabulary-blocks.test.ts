import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { TestGateway } from '../environment/gateway.ts';
import { startTestGateway } from '../environment/gateway.ts';
import { callerOf, found } from '../environment/recorded.ts';

let gateway: TestGateway;
before(async () => {
  gateway = await startTestGateway();
});
after(() => gateway.stop());

const pixel = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==';
const source = { type: 'base64', media_type: 'image/png', data: pixel };

/** The parts of the fake's answer, and texts by which it must be found. */
const answers: [parts: string, texts: string[]][] = [
  ['text', ['Thank you for asking']],
  ['citations', ['the north made 1200', 'Revenue by region', 'example.com/revenue']],
  ['web_search web_citations text', ['Revenue report 2', 'The web says the same']],
  ['web_fetch text', ['north 1200, south 800']],
  ['code_execution text', ['open("revenue.csv")', 'wrote revenue.csv']],
  ['bash_code_execution', ['cat revenue.csv', 'north,1200']],
  ['encrypted_code_execution', ['[code_execution_tool_result]']],
  ['text_editor', ['+north,1300', 'notes.txt']],
  ['tool_errors', ['url_not_accessible', 'execution_time_exceeded']],
  ['mcp text', ['Looks a customer up', 'Found nothing about']],
  ['thinking text', ['I should answer briefly']],
  ['redacted_thinking omitted_thinking text', ['redacted_thinking', 'thinking omitted']],
  ['compaction', ['Summary so far']],
  ['advisor', ['Answer plainly']],
  ['refusal', ['I can not help with that', 'The fake was asked to refuse']],
  ['fallback text', ['claude-haiku-5-5']],
];

for (const [parts, texts] of answers) {
  test(`an answer of ${parts} is recorded as its client assembles it, and found by what it says`, async () => {
    const caller = await callerOf(gateway);
    const prompt = { role: 'user' as const, content: `The sorrel question [fake: answer ${parts}]` };
    const params = { model: 'claude-opus-5-5', max_tokens: 64, messages: [prompt] };
    const streamed = await caller.client.beta.messages.stream(params).finalMessage();
    const whole = await caller.client.beta.messages.create(params);
    const documents = await caller.documents();
    for (const [at, message] of [streamed, whole].entries()) {
      const document = documents[at];
      assert.ok(document);
      assert.deepEqual(withoutHelpers(document.skilltape.answer), withoutHelpers(message));
      assert.equal(document.gen_ai.usage.input_tokens, message.usage.input_tokens);
      assert.equal(document.gen_ai.usage.output_tokens, message.usage.output_tokens);
      assert.deepEqual(document.gen_ai.response.finish_reasons, [message.stop_reason]);
      for (const text of texts) {
        assert.deepEqual(await found(gateway, text.replaceAll('"', ' '), { session: document.event.id }), [
          document.event.id,
        ]);
      }
    }
  });
}

/** Only what the SDK adds to what was sent is taken away. */
function withoutHelpers(message: unknown): unknown {
  const plain = JSON.parse(JSON.stringify(message), (key, value) => {
    const isAdded = key === '_request_id' || key === 'parsed_output';
    return isAdded ? undefined : value;
  });
  return plain;
}

test('a prompt with images, documents and results of tools is found by their words, and holds none of their bytes', async () => {
  const caller = await callerOf(gateway);
  const content = [
    { type: 'text', text: 'What does the fennel picture show?' },
    { type: 'image', source },
    {
      type: 'document',
      title: 'Fennel almanac',
      source: { type: 'text', media_type: 'text/plain', data: 'Sow in May.' },
    },
    {
      type: 'search_result',
      source: 'https://example.com/f',
      title: 'Fennel news',
      content: [{ type: 'text', text: 'It grew.' }],
    },
  ];
  const messages = [{ role: 'user', content }];
  await caller.client.messages.create({ model: 'claude-opus-5-5', max_tokens: 9, messages } as never);
  const [document] = await caller.documents();
  assert.ok(document);
  for (const text of ['fennel picture', 'Fennel almanac', 'Sow in May', 'Fennel news', 'It grew', 'image image/png'])
    assert.deepEqual(await found(gateway, text), [document.event.id], text);
  const [message] = document.skilltape.new_messages as { content: { source: Record<string, unknown> }[] }[];
  const slim = message?.content[1]?.source;
  assert.deepEqual([slim?.type, slim?.media_type, slim?.bytes], ['base64', 'image/png', 70]);
  assert.match(String(slim?.hash), /^[0-9a-f]{64}$/);
  assert.ok(!JSON.stringify(document).includes(pixel.slice(0, 40)));
});
