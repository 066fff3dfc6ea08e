import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type Anthropic from '@anthropic-ai/sdk';
import type { TestGateway } from '../environment/gateway.ts';
import { startTestGateway } from '../environment/gateway.ts';
import type { Caller } from '../environment/recorded.ts';
import { callerOf, found } from '../environment/recorded.ts';

let gateway: TestGateway;
before(async () => {
  gateway = await startTestGateway();
});
after(() => gateway.stop());

const model = 'claude-opus-5-5';
const ask = (content: string) => ({ model, max_tokens: 64, messages: [{ role: 'user' as const, content }] });
const said = (text: string) => ({ type: 'user.message' as const, content: [{ type: 'text' as const, text }] });

async function openSession(client: Anthropic, prompt: string) {
  const agent = await client.beta.agents.create({ name: 'Gardener', model, system: 'Grow the hawthorn kindly.' });
  const environment = await client.beta.environments.create({ name: 'garden' });
  const about = { agent: agent.id, environment_id: environment.id, title: 'The hedge' };
  return client.beta.sessions.create({ ...about, initial_events: [said(prompt)] });
}

/** The prompts among the events of an answer, as JSON. */
function promptsIn(answer: unknown): string[] {
  const { content } = Object(answer) as { content?: unknown };
  const events = Array.isArray(content) ? content : [];
  return events.filter((event) => Object(event).type === 'user.message').map((event) => JSON.stringify(event));
}

const dialects = [
  ['SDK 1.x', ({ client }: Caller) => client],
  ['SDK 0.x', ({ old }: Caller) => old],
] as const;

for (const [name, of] of dialects) {
  const word = name === 'SDK 1.x' ? 'rowan' : 'elder';

  test(`what goes into a managed session and what its agent says are found once each, in one session: ${name}`, async () => {
    const caller = await callerOf(gateway);
    const client = of(caller);
    const { id } = await openSession(client, `Where does the ${word} stand?`);
    const stream = await client.beta.sessions.events.stream(id, { event_deltas: ['agent.message'] });
    await client.beta.sessions.events.send(id, { events: [said(`Cut the ${word} hedge`)] });
    for await (const { type } of stream) {
      // The stream ends with the session.
      if (type === 'session.status_idle')
        await client.beta.sessions.events.send(id, { events: [said('[fake: agent terminate]')] });
    }
    for await (const _ of client.beta.sessions.events.list(id));
    await client.beta.sessions.retrieve(id);
    const documents = await caller.documents();
    const named = (endpoint: string) => documents.find(({ skilltape }) => skilltape.endpoint.name === endpoint);
    const [created, streamed] = [named('sessions.create'), named('sessions.events.stream')];
    const [sent, listed, looked] = ['events.send', 'events.list', 'get'].map((name) => named(`sessions.${name}`));
    assert.ok(created && streamed && sent && listed && looked);
    const { session } = sent.skilltape;
    assert.equal(session.source, 'managed_session');
    for (const each of [streamed, listed, looked]) assert.deepEqual(each.skilltape.session, session);
    assert.equal(created.skilltape.session.id, session.id, 'the session begins with the request that made it');
    assert.equal(streamed.skilltape.outcome, 'complete');
    assert.equal(looked.skilltape.noise, 'polling');
    assert.match(sent.gen_ai.input.text, new RegExp(`Cut the ${word} hedge`));
    const answered = `You wrote: \\"Cut the ${word} hedge`;
    assert.deepEqual(await found(gateway, answered.replaceAll('\\"', ' ')), [streamed.event.id]);
    assert.deepEqual((await found(gateway, `Cut the ${word} hedge`)).sort(), [streamed.event.id, sent.event.id].sort());
    assert.ok((await found(gateway, `Where does the ${word} stand`)).includes(created.event.id));
    // The words that end the session may be streamed back before the request that sends them is over.
    const again = [streamed, listed].flatMap(({ skilltape }) => promptsIn(skilltape.answer));
    assert.deepEqual(
      again.filter((text) => !text.includes('[fake: agent terminate]')),
      [],
      'what was sent is not indexed a second time when it is streamed back',
    );
  });
}

test('a thread, of which each request sends only the new turn, is one session with each turn found once', async () => {
  const caller = await callerOf(gateway);
  const turns = ['first hornbeam turn', 'second hornbeam turn', 'third hornbeam turn'];
  let previous = '';
  for (const turn of turns) {
    const thread = previous === '' ? { type: 'create' } : { type: 'continue', previous_message_id: previous };
    const params = { ...ask(turn), thread, betas: ['message-threads-2026-08-12'] };
    previous = (await caller.client.beta.messages.create(params as never)).id;
  }
  const documents = await caller.documents();
  assert.deepEqual(new Set(documents.map(({ skilltape }) => skilltape.session.id)), new Set([documents[0]?.event.id]));
  assert.deepEqual(
    documents.map(({ skilltape }) => skilltape.session.source),
    ['exchange', 'thread', 'thread'],
  );
  for (const [at, turn] of turns.entries()) {
    assert.deepEqual(documents[at]?.skilltape.new_messages, [{ role: 'user', content: turn }]);
    assert.deepEqual(await found(gateway, turn), [documents[at]?.event.id]);
  }
});

test('requests that go on in a container are one session, and a turn that paused brings its rest and nothing twice', async () => {
  const caller = await callerOf(gateway);
  const tools = [{ type: 'code_execution_20260521', name: 'code_execution' }];
  const prompt = { role: 'user' as const, content: 'Sort the alder list [fake: answer pause_turn]' };
  const first = await caller.client.messages.create({ ...ask(''), messages: [prompt], tools } as never);
  assert.equal(first.stop_reason, 'pause_turn');
  const container = first.container?.id;
  const messages = [prompt, { role: 'assistant', content: first.content }];
  const second = await caller.client.messages.create({ ...ask(''), messages, tools, container } as never);
  const last = [
    ...messages,
    { role: 'assistant', content: second.content },
    { role: 'user', content: 'And the aspen list' },
  ];
  await caller.client.messages.create({ ...ask(''), messages: last, tools, container } as never);
  const documents = await caller.documents();
  assert.equal(new Set(documents.map(({ skilltape }) => skilltape.session.id)).size, 1);
  assert.deepEqual(
    documents.map(({ skilltape }) => skilltape.new_messages.length),
    [1, 0, 1],
  );
  assert.deepEqual(await found(gateway, 'wrote revenue.csv', { session: documents[0]?.event.id ?? '' }), [
    documents[1]?.event.id,
  ]);
});
