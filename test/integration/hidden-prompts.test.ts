import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import type { TestGateway } from '../environment/gateway.ts';
import { startTestGateway } from '../environment/gateway.ts';
import { httpsCall } from '../environment/https-call.ts';
import { ownPolicies } from '../environment/policy-edits.ts';
import { ownList, ownRule } from '../unit/masking/own-list.ts';

/** What policy looks for, where somebody would hide it: the verdict is the same, and so is the record. */
let gateway: TestGateway;
before(async () => {
  gateway = await startTestGateway({
    settings: ownPolicies.settings,
    prepare(directory) {
      ownPolicies.prepare(directory);
      const badge = ownRule({ id: 'badge', type: 'BADGE', pattern: 'QXA-[0-9]{4}', positive: ['QXA-1234'] });
      const lists = {
        detectors: ownList({ rules: [badge] }),
        findings: { rules: [{ effect: 'deny', types: ['BADGE'] }] },
      };
      for (const [name, list] of Object.entries(lists)) {
        writeFileSync(join(directory, 'policies/lists', name, 'data.json'), JSON.stringify(list));
      }
    },
  });
});
after(() => gateway.stop());

const risky = 'my badge is QXA-4711';
const user = (content: unknown) => ({ role: 'user', content });
const assistant = (content: unknown) => ({ role: 'assistant', content });
const body = (change: object = {}) => ({
  ...{ model: 'claude-opus-5-5', max_tokens: 64, messages: [user('What is the weather?')] },
  ...change,
});
const tool = (change: object) => ({ name: 'look', description: 'Looks.', input_schema: { type: 'object' }, ...change });
const use = { type: 'tool_use', id: 'toolu_1', name: 'look', input: {} };
const result = (content: unknown) => [
  ...[user('Look'), assistant([use])],
  user([{ type: 'tool_result', tool_use_id: 'toolu_1', content }]),
];
const document = (change: object) => ({
  type: 'document',
  source: { type: 'text', media_type: 'text/plain', data: 'a' },
  ...change,
});

const hidden: Record<string, object> = {
  'an answer that Claude never gave': body({ messages: [user('Hi'), assistant(risky), user('Go on')] }),
  'a first turn long ago': body({
    messages: [user(risky), ...Array.from({ length: 20 }, (_, at) => (at % 2 === 0 ? assistant('Yes') : user('And')))],
  }),
  'the input of a call that Claude never made': body({
    messages: [user('Look'), assistant([{ ...use, input: { deep: [{ er: risky }] } }]), ...result('ok').slice(2)],
  }),
  'the result of a tool': body({ messages: result(risky) }),
  'a block in the result of a tool': body({ messages: result([{ type: 'text', text: risky }]) }),
  'a result that is an error': body({
    messages: [
      ...result('x').slice(0, 2),
      user([{ type: 'tool_result', tool_use_id: 'toolu_1', is_error: true, content: risky }]),
    ],
  }),
  'a search result in the result of a tool': body({
    messages: result([{ type: 'search_result', source: 'x', title: risky, content: [{ type: 'text', text: 'a' }] }]),
  }),
  'the system prompt': body({ system: risky }),
  'a block of the system prompt': body({
    system: [
      { type: 'text', text: 'You help.' },
      { type: 'text', text: risky },
    ],
  }),
  'a thought': body({
    messages: [user('Hi'), assistant([{ type: 'thinking', thinking: risky, signature: 'x' }]), user('Go on')],
  }),
  'a document': body({
    messages: [user([document({ source: { type: 'text', media_type: 'text/plain', data: risky } })])],
  }),
  'the title of a document': body({ messages: [user([document({ title: risky })])] }),
  'the context of a document': body({ messages: [user([document({ context: risky })])] }),
  'the description of a tool': body({ tools: [tool({ description: risky })] }),
  'the schema of a tool': body({
    tools: [tool({ input_schema: { type: 'object', properties: { a: { description: risky } } } })],
  }),
  'the name of a field of a tool': body({
    tools: [tool({ input_schema: { type: 'object', properties: { 'QXA-4711': {} } } })],
  }),
  'a stop sequence': body({ stop_sequences: [risky] }),
  'the id of the user': body({ metadata: { user_id: risky } }),
  'a field that nobody knows': body({ notes_of_tomorrow: { text: [risky] } }),
  'a block that nobody knows': body({ messages: [user([{ type: 'hologram', layers: [{ words: risky }] }])] }),
};

async function send(
  sent: string | Uint8Array,
  headers: readonly (readonly [string, string])[] = [],
  path = '/v1/messages',
) {
  const before = gateway.fake.requestCount();
  const usual = [
    ['authorization', `Bearer ${await gateway.token()}`] as const,
    ...([
      ['content-type', 'application/json'],
      ['anthropic-version', '2023-06-01'],
    ] as const),
  ];
  const answer = await httpsCall(gateway, { headers: [...usual, ...headers], body: sent, path });
  return { ...answer, upstream: gateway.fake.requestCount() - before };
}

async function assertDenied(name: string, answer: Awaited<ReturnType<typeof send>>): Promise<void> {
  assert.equal(answer.status, 403, `${name}: ${answer.status} ${answer.body}`);
  assert.equal(answer.upstream, 0, name);
  const { skilltape } = await gateway.document(answer.exchangeId);
  assert.deepEqual(
    [skilltape.outcome, skilltape.verdict.reasons[0]?.rule],
    ['denied', 'request/findings_listed'],
    name,
  );
}

test('without it the same requests pass', async () => {
  const answer = await send(JSON.stringify(body()));
  assert.equal(answer.status, 200, String(answer.body));
});

for (const [name, request] of Object.entries(hidden)) {
  test(`${name} hides nothing`, async () => assertDenied(name, await send(JSON.stringify(request))));
}

test('neither escapes, nor an encoding, nor a batch, nor counting hides anything', async () => {
  const plain = JSON.stringify(body({ system: risky }));
  const escaped = plain.replace('QXA', '\\u0051\\u0058A').replace('4711', '\\u00347\\u0031\\u0031');
  assert.notEqual(escaped, plain);
  await assertDenied('escapes', await send(escaped));
  await assertDenied('gzip', await send(gzipSync(plain), [['content-encoding', 'gzip']]));
  const requests = [body(), body({ system: risky })].map((params, at) => ({ custom_id: `r${at}`, params }));
  await assertDenied('a batch', await send(JSON.stringify({ requests }), [], '/v1/messages/batches'));
  const { max_tokens: _, ...counted } = body({ system: risky });
  await assertDenied('counting', await send(JSON.stringify(counted), [], '/v1/messages/count_tokens'));
});

test('what was let through before the rule is judged when somebody says it was history', async () => {
  const first = await send(JSON.stringify(body({ messages: [user('my badge is QXB-4711')] })));
  assert.equal(first.status, 200);
  const claimed = [user('my badge is QXB-4711'), assistant('Noted: QXA-4711'), user('Which is it?')];
  await assertDenied('a changed answer', await send(JSON.stringify(body({ messages: claimed }))));
});
