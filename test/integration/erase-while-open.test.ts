import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { messagesBody } from '../builders/messages-body.ts';
import { skilltape } from '../environment/command.ts';
import type { TestGateway } from '../environment/gateway.ts';
import { startTestGateway } from '../environment/gateway.ts';
import { openCall } from '../environment/raw-call.ts';
import { waitUntil } from '../environment/wait.ts';

let gateway: TestGateway;

before(async () => {
  gateway = await startTestGateway();
});
after(() => gateway.stop());

const run = (...args: string[]) => skilltape(['--config', gateway.configFile, ...args]);

async function ask(subject: string, text: string): Promise<string> {
  const { exchangeId } = await gateway.post(messagesBody(text), {
    authorization: `Bearer ${await gateway.token(subject)}`,
  });
  await gateway.document(exchangeId);
  return exchangeId;
}

test('what a person had begun to say when they were erased is found nowhere, and what they say later is', async () => {
  const first = await ask('alice', 'zebrastripe before');
  const { user } = await gateway.document(first);
  assert.ok(user !== null);
  const call = openCall(gateway, { headers: { authorization: `Bearer ${await gateway.token('alice')}` } });
  call.end(messagesBody('[fake: large 4000] [fake: slow 50] zebrastripe while it runs', { stream: true }));
  const { headers } = await call.head;
  const running = String(headers['x-skilltape-exchange']);
  await waitUntil('the first events', () => call.received().includes('content_block_delta'));
  const erased = await run('erase', '--person', user.domain, user.id, '--reason', 'asked for it', '--json');
  assert.deepEqual([erased.status, JSON.parse(erased.stdout).outcome], [0, 'erased'], erased.stderr);
  await waitUntil('the end of the answer', () => call.received().includes('message_stop'));
  // Shipped in the order of their ends.
  const others = await ask('bob', 'zebrastripe of another');
  const later = await ask('alice', 'zebrastripe after');
  const found = await run('search', 'zebrastripe', '--json');
  const ids = found.stdout.match(/[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f-]{21}/g) ?? [];
  assert.deepEqual(new Set(ids.filter((id) => [first, running, others, later].includes(id))), new Set([others, later]));
  for (const from of ['index', 'archive'] as const) {
    const shown = await run(
      'show',
      running,
      ...(from === 'archive' ? ['--from', from] : []),
      '--reason',
      'a look at it',
    );
    assert.notEqual(shown.status, 0);
    assert.doesNotMatch(shown.stdout, /while it runs/);
  }
  const [receipt] = JSON.parse((await run('retention', 'sweep', '--reason', 'daily', '--json')).stdout).erasures
    .inJournal;
  assert.equal(receipt, JSON.parse(erased.stdout).run, 'the journal is still to let go of it');
});
