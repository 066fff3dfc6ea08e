import assert from 'node:assert/strict';
import { test } from 'node:test';
import type Anthropic from '@anthropic-ai/sdk';
import { withFake } from './with-fake.ts';

type StreamEvent = Anthropic.Beta.Sessions.BetaManagedAgentsStreamSessionEvents;

function message(text: string) {
  return { type: 'user.message' as const, content: [{ type: 'text' as const, text }] };
}

async function openSession(client: Anthropic, initial?: string) {
  const agent = await client.beta.agents.create({ name: 'Helper', model: 'claude-opus-5-5', system: 'Be kind.' });
  const environment = await client.beta.environments.create({ name: 'cloud' });
  return client.beta.sessions.create({
    agent: agent.id,
    environment_id: environment.id,
    title: 'A session',
    metadata: { team: 'finance' },
    ...(initial === undefined ? {} : { initial_events: [message(initial)] }),
  });
}

async function typesOf(client: Anthropic, id: string): Promise<string[]> {
  const types: string[] = [];
  for await (const event of client.beta.sessions.events.list(id, { limit: 3 })) types.push(event.type);
  return types;
}

/** Reads until the agent is idle; what comes after stays unread. */
async function untilIdle(events: AsyncIterable<StreamEvent>): Promise<StreamEvent[]> {
  const seen: StreamEvent[] = [];
  for await (const event of events) {
    seen.push(event);
    if (event.type === 'session.status_idle') break;
  }
  return seen;
}

test('agents and environments are created, shown, changed and listed', async () => {
  await withFake({}, async (_fake, clients) => {
    for (const { name, client } of clients) {
      const agent = await client.beta.agents.create({ name: 'Helper', model: 'claude-opus-5-5', system: 'Be kind.' });
      assert.match(agent.id, /^agent_011Fake/, name);
      assert.deepEqual([agent.version, agent.model.id, agent.system], [1, 'claude-opus-5-5', 'Be kind.']);
      assert.deepEqual(await client.beta.agents.retrieve(agent.id), agent);
      const changed = await client.beta.agents.update(agent.id, { version: 1, system: 'Be brief.' });
      assert.deepEqual([changed.version, changed.system, changed.name], [2, 'Be brief.', 'Helper']);
      assert.equal((await client.beta.agents.retrieve(agent.id, { version: 1 })).system, 'Be kind.');
      const versions = (await client.beta.agents.versions.list(agent.id)).data.map(({ version }) => version);
      assert.deepEqual(versions, [2, 1]);
      assert.equal((await client.beta.agents.list()).data[0]?.id, agent.id);
      assert.notEqual((await client.beta.agents.archive(agent.id)).archived_at, null);

      const environment = await client.beta.environments.create({ name: 'cloud', config: { type: 'cloud' } });
      assert.deepEqual(await client.beta.environments.retrieve(environment.id), environment);
      assert.equal((await client.beta.environments.list()).data[0]?.id, environment.id);
      const renamed = await client.beta.environments.update(environment.id, { name: 'other' });
      assert.deepEqual([renamed.name, renamed.config], ['other', environment.config]);
      assert.notEqual((await client.beta.environments.archive(environment.id)).archived_at, null);
      await client.beta.environments.delete(environment.id);
      await assert.rejects(client.beta.environments.retrieve(environment.id), { status: 404 });
    }
  });
});

test('a session is created, shown, changed, listed and deleted', async () => {
  await withFake({}, async (_fake, clients) => {
    for (const { client } of clients) {
      const session = await openSession(client);
      assert.match(session.id, /^sesn_011Fake/);
      assert.deepEqual([session.status, session.title, session.agent.system], ['idle', 'A session', 'Be kind.']);
      assert.deepEqual(await client.beta.sessions.retrieve(session.id), session);
      assert.equal((await client.beta.sessions.update(session.id, { title: 'Other' })).title, 'Other');
      assert.notEqual((await client.beta.sessions.archive(session.id)).archived_at, null);
      assert.equal((await client.beta.sessions.list()).data[0]?.id, session.id);
      assert.deepEqual(await client.beta.sessions.delete(session.id), { id: session.id, type: 'session_deleted' });
      await assert.rejects(client.beta.sessions.retrieve(session.id), { status: 404 });
      await assert.rejects(
        client.beta.sessions.create({ agent: 'agent_unknown', environment_id: session.environment_id }),
        { status: 404 },
      );
    }
  });
});

test('the resources of a session never show the token that came with them', async () => {
  await withFake({}, async (_fake, clients) => {
    for (const { client } of clients) {
      const { agent, environment_id } = await openSession(client);
      const session = await client.beta.sessions.create({
        agent: { type: 'agent_with_overrides', id: agent.id, system: 'Be brief.' },
        environment_id,
        resources: [{ type: 'github_repository', url: 'https://example.com/a.git', authorization_token: 'ghp_secret' }],
      });
      assert.equal(session.agent.system, 'Be brief.');
      const { resources } = client.beta.sessions;
      const added = await resources.add(session.id, { type: 'file', file_id: 'file_1' });
      const [repository] = session.resources;
      assert.ok(repository?.type === 'github_repository');
      const params = { session_id: session.id };
      await resources.update(repository.id, { ...params, authorization_token: 'ghp_other' });
      const shown = [(await resources.list(session.id)).data, await resources.retrieve(repository.id, params)];
      assert.doesNotMatch(JSON.stringify([session, shown]), /ghp_|authorization_token/);
      await resources.delete(added.id, params);
      assert.equal((await client.beta.sessions.retrieve(session.id)).resources.length, 1);
    }
  });
});

test('a message sets the agent to work, and its events are kept in their order', async () => {
  await withFake({}, async (_fake, clients) => {
    for (const { client } of clients) {
      const { id } = await openSession(client, 'Where is my order?');
      const [, , , , answer] = (await client.beta.sessions.events.list(id)).data;
      assert.ok(answer?.type === 'agent.message' && answer.content[0]?.type === 'text');
      assert.match(answer.content[0].text, /Where is my order\?/);
      const turn = [
        ...['user.message', 'session.status_running', 'span.model_request_start', 'agent.thinking', 'agent.message'],
        ...['span.model_request_end', 'session.status_idle'],
      ];
      assert.deepEqual(await typesOf(client, id), turn);
      const sent = await client.beta.sessions.events.send(id, { events: [message('And now?')] });
      assert.equal(sent.data?.[0]?.type, 'user.message');
      assert.deepEqual(await typesOf(client, id), [...turn, ...turn]);
      const chosen = await client.beta.sessions.events.list(id, { types: ['agent.message'], order: 'desc' });
      assert.equal(chosen.data.length, 2);
    }
  });
});

test('an open stream hears of every event from then on, and its previews add up to the message', async () => {
  await withFake({}, async (_fake, clients) => {
    for (const { client } of clients) {
      const { id } = await openSession(client, 'before');
      const plain = await client.beta.sessions.events.stream(id);
      const previewed = await client.beta.sessions.events.stream(id, { event_deltas: ['agent.message'] });
      await client.beta.sessions.events.send(id, { events: [message('after 😀'.repeat(9))] });

      const types = (await untilIdle(plain)).map(({ type }) => type);
      assert.equal(types[0], 'user.message');
      assert.ok(!types.includes('event_start') && types.includes('agent.message'));

      const events = await untilIdle(previewed);
      const start = events.find((event) => event.type === 'event_start');
      const deltas = events.flatMap((event) => (event.type === 'event_delta' ? [event] : []));
      const whole = events.find((event) => event.type === 'agent.message');
      assert.equal(start?.event.id, whole?.id);
      assert.ok(deltas.length > 2 && deltas.every(({ event_id }) => event_id === whole?.id));
      const text = whole?.content[0]?.type === 'text' ? whole.content[0].text : '';
      assert.equal(deltas.map(({ delta }) => delta.content.text).join(''), text);
    }
  });
});

test('a stream ends when its session is deleted or terminated', async () => {
  await withFake({}, async (fake, clients) => {
    for (const { client } of clients) {
      const deleted = await openSession(client);
      const stream = await client.beta.sessions.events.stream(deleted.id);
      const number = fake.requestCount();
      await client.beta.sessions.delete(deleted.id);
      const seen: string[] = [];
      for await (const { type } of stream) seen.push(type);
      assert.deepEqual(seen, ['session.deleted']);
      assert.equal((await fake.waitForSettled(number)).clientAborted, false);

      const { id } = await openSession(client);
      const other = await client.beta.sessions.events.stream(id);
      await client.beta.sessions.events.send(id, { events: [message('[fake: agent terminate]')] });
      const last: string[] = [];
      for await (const { type } of other) last.push(type);
      assert.equal(last.at(-1), 'session.status_terminated');
      assert.equal((await client.beta.sessions.retrieve(id)).status, 'terminated');
      await assert.rejects(client.beta.sessions.events.send(id, { events: [message('hello')] }), { status: 400 });
    }
  });
});

test('a stream that its client leaves is over at once', async () => {
  await withFake({}, async (fake, [current]) => {
    const client = current?.client as Anthropic;
    const { id } = await openSession(client);
    const stream = await client.beta.sessions.events.stream(id);
    const number = fake.requestCount();
    stream.controller.abort();
    assert.equal((await fake.waitForSettled(number)).clientAborted, true);
    await client.beta.sessions.events.send(id, { events: [message('nobody listens')] });
  });
});

test('a tool of the caller, and a tool that needs its word, wait for the answer', async () => {
  await withFake({}, async (_fake, clients) => {
    for (const { client } of clients) {
      const { id } = await openSession(client, '[fake: agent custom_tool_use]');
      const find = async () => {
        const all: Anthropic.Beta.Sessions.BetaManagedAgentsSessionEvent[] = [];
        for await (const event of client.beta.sessions.events.list(id)) all.push(event);
        return all;
      };
      const call = (await find()).find((event) => event.type === 'agent.custom_tool_use');
      const idle = (await find()).find((event) => event.type === 'session.status_idle');
      assert.deepEqual(idle?.stop_reason, { type: 'requires_action', event_ids: [call?.id] });
      const content = [{ type: 'text' as const, text: 'found' }];
      const result = { type: 'user.custom_tool_result' as const, custom_tool_use_id: call?.id ?? '', content };
      await client.beta.sessions.events.send(id, { events: [result] });
      assert.deepEqual((await typesOf(client, id)).slice(-3), [
        'session.status_running',
        'agent.message',
        'session.status_idle',
      ]);

      await client.beta.sessions.events.send(id, { events: [message('[fake: agent ask]')] });
      const asked = (await find()).findLast((event) => event.type === 'agent.tool_use');
      assert.equal(asked?.evaluated_permission, 'ask');
      const allow = { type: 'user.tool_confirmation' as const, tool_use_id: asked?.id ?? '', result: 'allow' as const };
      await client.beta.sessions.events.send(id, { events: [allow, allow] });
      const types = await typesOf(client, id);
      assert.deepEqual(types.slice(-3), ['agent.message', 'session.status_idle', 'user.tool_confirmation']);
    }
  });
});

test('tools, errors and refusals have their events', async () => {
  await withFake({}, async (_fake, clients) => {
    for (const { client } of clients) {
      for (const [turn, expected] of [
        ['tool_use', ['agent.tool_use', 'agent.tool_result', 'agent.message']],
        ['mcp_tool_use', ['agent.mcp_tool_use', 'agent.mcp_tool_result', 'agent.message']],
        ['error', ['session.error']],
        ['refusal', []],
      ] as const) {
        const { id } = await openSession(client, `[fake: agent ${turn}]`);
        const types = await typesOf(client, id);
        assert.deepEqual(types.slice(4, -2), expected, turn);
      }
      await assert.rejects(openSession(client, '[fake: agent dance]'), { status: 400 });
    }
  });
});

test('a thread of its own has its own events and stream', async () => {
  await withFake({}, async (_fake, clients) => {
    for (const { client } of clients) {
      const { id } = await openSession(client, '[fake: agent thread]');
      assert.ok((await typesOf(client, id)).includes('session.thread_created'));
      const [main, helper] = (await client.beta.sessions.threads.list(id)).data;
      assert.equal(helper?.parent_thread_id, main?.id);
      const thread = await client.beta.sessions.threads.retrieve(helper?.id ?? '', { session_id: id });
      assert.equal(thread.agent.type, 'agent');
      assert.notEqual((await client.beta.sessions.threads.archive(thread.id, { session_id: id })).archived_at, null);
      const events = await client.beta.sessions.threads.events.list(thread.id, { session_id: id });
      assert.deepEqual(
        events.data.map(({ type }) => type),
        [
          ...['agent.thread_message_received', 'session.thread_status_running', 'agent.message'],
          'session.thread_status_idle',
        ],
      );
      const stream = await client.beta.sessions.threads.events.stream(main?.id ?? '', { session_id: id });
      await client.beta.sessions.events.send(id, { events: [{ type: 'user.interrupt' }] });
      const seen: string[] = [];
      for await (const event of stream) {
        seen.push(event.type);
        if (event.type === 'session.status_idle') break;
      }
      assert.deepEqual(seen, ['user.interrupt', 'session.status_idle']);
    }
  });
});
