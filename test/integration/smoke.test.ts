import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { TestGateway } from '../environment/gateway.ts';
import { startTestGateway } from '../environment/gateway.ts';

let gateway: TestGateway;
before(async () => {
  gateway = await startTestGateway();
});
after(() => gateway.stop());

test('a request through Envoy is answered, and found in the index with its answer', async () => {
  const body = JSON.stringify({ model: 'claude-opus-5-5', max_tokens: 9, messages: [{ role: 'user', content: 'Hi' }] });
  const answer = await gateway.post(body, { authorization: `Bearer ${await gateway.token()}` });
  assert.equal(answer.status, 200);
  const document = await gateway.document(answer.exchangeId);
  assert.equal(document.skilltape.outcome, 'complete');
  assert.deepEqual(document.skilltape.answer, JSON.parse(answer.body.toString()));
});
