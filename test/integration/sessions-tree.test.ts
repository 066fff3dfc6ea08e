import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { ExchangeDocument } from '../../extproc/transcript/document.ts';
import type { TestGateway } from '../environment/gateway.ts';
import { startTestGateway } from '../environment/gateway.ts';
import { sharedWorkspace } from '../environment/policy-edits.ts';
import { callerOf, found } from '../environment/recorded.ts';
import type { Replayed } from '../environment/replay.ts';
import { recordedCalls, replay } from '../environment/replay.ts';

let gateway: TestGateway;
before(async () => {
  gateway = await startTestGateway(sharedWorkspace);
});
after(() => gateway.stop());

const model = 'claude-opus-5-5';
const sessionsOf = (documents: readonly ExchangeDocument[]) => documents.map(({ skilltape }) => skilltape.session.id);

/** Who sent a request and on whose behalf, as the document has it; an agent without a parent works for the main one. */
function nodeOf({ gen_ai: genAi, skilltape }: ExchangeDocument) {
  const { agent } = skilltape;
  return [agent.prompt_id, agent.request_class, genAi.agent.id, genAi.agent.name, agent.parent_id];
}

function nodeSent({ call }: Replayed) {
  const names = ['prompt-id', 'request-class', 'agent-id', 'agent-type', 'parent-agent-id'];
  return names.map((name) => call.headers[`x-claude-code-${name}`] ?? null);
}

test('the tree of agents in the index is the one that Claude Code named, with each agent having its own turns', async () => {
  const replayed = await replay(gateway, recordedCalls('agents'));
  const documents = replayed.map(({ document }) => document);
  assert.equal(new Set(sessionsOf(documents)).size, 1);
  assert.deepEqual(documents.map(nodeOf), replayed.map(nodeSent));
  const agents = new Set(documents.map(({ gen_ai: genAi }) => genAi.agent.id));
  assert.equal(agents.size, 4, 'the main agent, two helpers, and one that a helper asked');
  const parents = documents.flatMap(({ skilltape }) => skilltape.agent.parent_id ?? []);
  assert.ok(parents.length > 0 && parents.every((parent) => agents.has(parent)));
  for (const { call, document } of replayed) {
    assert.deepEqual(document.skilltape.answer, call.answer);
    assert.equal(document.skilltape.noise, null);
  }
  // The words of a helper come again in the result that its caller gets, as words of the caller's own conversation.
  const asAnswer = (text: string) =>
    documents
      .filter(({ gen_ai: genAi }) => genAi.output.text.startsWith(text))
      .map(({ gen_ai: genAi }) => genAi.agent.id);
  for (const text of ['North rhubarb is ripe', 'South rhubarb is raw', 'Deepest rhubarb answer'])
    assert.equal(asAnswer(text).length, 1, text);
  assert.equal(new Set(['Helper A', 'Helper B', 'Deepest rhubarb', 'I ask two'].flatMap(asAnswer)).size, 4);
});

test('the same recording sent by two people makes two sessions, and the second person sees nothing as said before', async () => {
  const calls = recordedCalls('tools-and-continue');
  const mine = (await replay(gateway, calls)).map(({ document }) => document);
  const yours = (await replay(gateway, calls, { person: 'bob' })).map(({ document }) => document);
  assert.deepEqual([new Set(sessionsOf(mine)).size, new Set(sessionsOf(yours)).size], [1, 1]);
  assert.notEqual(sessionsOf(mine)[0], sessionsOf(yours)[0]);
  const told = yours.map(({ skilltape }) => [
    skilltape.history.message_count,
    skilltape.system !== null,
    skilltape.link,
  ]);
  assert.deepEqual(told, [
    [0, true, []],
    [3, false, []],
    [5, false, []],
    [7, false, []],
  ]);
  assert.deepEqual(await found(gateway, 'cardamom-from-notes', { user: 'bob' }), [yours[2]?.event.id]);
  for (const { user } of yours) assert.equal(user?.id, 'bob');
});

test("an id of another person's file, container, batch or message leads nowhere", async () => {
  const [alice, bob] = [await callerOf(gateway, 'alice'), await callerOf(gateway, 'bob')];
  const tools = [{ type: 'code_execution_20260521', name: 'code_execution' }];
  const ask = (content: string) => ({ model, max_tokens: 64, tools, messages: [{ role: 'user' as const, content }] });
  const betas = ['message-threads-2026-08-12'];
  const made = await alice.client.messages.create(ask('Draw the yarrow [fake: answer code_execution]') as never);
  const file = /"file_id":"(file_[^"]+)"/.exec(JSON.stringify(made))?.[1] ?? '';
  const container = made.container?.id;
  const requests = [{ custom_id: 'yarrow', params: ask('Count the yarrow') as never }];
  const batch = await alice.client.messages.batches.create({ requests });
  const turn = await alice.client.beta.messages.create({ ...ask('One'), thread: { type: 'create' }, betas } as never);
  const brought = new Set((await alice.documents()).map(({ event }) => event.id));

  for (const { client } of [bob, alice]) {
    await (await client.files.download(file)).arrayBuffer();
    await client.messages.create({ ...ask('And the tansy'), container } as never);
    for await (const _ of await client.messages.batches.results(batch.id));
    const thread = { type: 'continue', previous_message_id: turn.id };
    // Of a thread goes on only one: whoever asks second is refused upstream, in a session of their own all the same.
    await client.beta.messages.create({ ...ask('Two'), thread, betas } as never).catch(() => undefined);
  }
  const theirs = await bob.documents();
  for (const { skilltape } of theirs) {
    assert.deepEqual(
      skilltape.link.filter(({ event_id }) => brought.has(event_id)),
      [],
      skilltape.endpoint.name,
    );
    assert.ok(!brought.has(skilltape.session.id), skilltape.endpoint.name);
  }
  const own = (await alice.documents()).slice(brought.size);
  assert.deepEqual(
    own.map(({ skilltape }) => skilltape.link.map(({ via }) => via)),
    [['file'], [], ['batch'], ['batch'], []],
  );
  assert.ok([own[1], own[4]].every((document) => brought.has(document?.skilltape.session.id ?? '')));
});

test('the same session id over another connection is another session, and its text is new there', async () => {
  const headers = { 'x-claude-code-session-id': '5a1b2c3d-0000-4000-8000-000000000000', authorization: '' };
  headers.authorization = `Bearer ${await gateway.token()}`;
  const body = JSON.stringify({
    model,
    max_tokens: 9,
    messages: [{ role: 'user', content: 'Where does the teasel grow?' }],
  });
  const paths = ['/v1/messages', '/sandbox/v1/messages', '/v1/messages'];
  const documents: ExchangeDocument[] = [];
  for (const path of paths)
    documents.push(await gateway.document((await gateway.post(body, headers, path)).exchangeId));
  const [here, there, again] = sessionsOf(documents);
  assert.equal(again, here);
  assert.notEqual(there, here);
  assert.deepEqual(
    documents.map(({ skilltape }) => skilltape.link.map(({ via }) => via)),
    [[], [], ['repeat']],
  );
});
