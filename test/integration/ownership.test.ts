import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import Anthropic, { toFile } from '@anthropic-ai/sdk';
import type { TestGateway } from '../environment/gateway.ts';
import { startTestGateway } from '../environment/gateway.ts';
import { readJournal } from '../environment/journal-view.ts';
import type { Caller } from '../environment/recorded.ts';
import { callerOf } from '../environment/recorded.ts';
import { servedAgain } from '../environment/traffic.ts';

let gateway: TestGateway;
let alice: Caller;
let bob: Caller;
let hers: Things;
before(async () => {
  gateway = await startTestGateway();
  [alice, bob] = [await callerOf(gateway, 'alice'), await callerOf(gateway, 'bob')];
  hers = await thingsOf(alice);
});
after(() => gateway.stop());

const model = 'claude-opus-5-5';
const tools = [{ type: 'code_execution_20260521', name: 'code_execution' }];
const betas = ['message-threads-2026-08-12'];
const ask = (content: unknown) => ({ model, max_tokens: 64, tools, messages: [{ role: 'user' as const, content }] });

type Things = Record<
  | ('file' | 'produced' | 'streamed' | 'batch' | 'skill' | 'container' | 'streamedIn' | 'session' | 'message')
  | ('agent' | 'environment' | 'compared'),
  string
>;

/** One of each kind, as a person gets them: uploaded, created, and out of answers whole and streamed. */
async function thingsOf({ client }: Caller): Promise<Things> {
  const file = await client.files.upload({ file: await toFile(Buffer.from('larch'), 'larch.txt') });
  const files = [await toFile(Buffer.from('---\nname: larch\n---\nCount the larches.\n'), 'larch/SKILL.md')];
  const skill = await client.skills.create({ files, display_name: 'larch' });
  const requests = [{ custom_id: 'larch', params: ask('Count the larches') as never }];
  const batch = await client.messages.batches.create({ requests });
  const prompt = ask('Draw the larch [fake: answer code_execution]') as never;
  const whole = await client.messages.create(prompt);
  const streamed = await client.messages.stream(prompt).finalMessage();
  const agent = await client.beta.agents.create({ name: 'Forester', model });
  const environment = await client.beta.environments.create({ name: 'wood' });
  const session = await client.beta.sessions.create({ agent: agent.id, environment_id: environment.id });
  const turn = await client.beta.messages.create({ ...ask('One'), thread: { type: 'create' }, betas } as never);
  const diagnostics = { previous_message_id: null };
  const compared = await client.messages.stream({ ...ask('One'), diagnostics } as never).finalMessage();
  const fileIn = (message: unknown) => /"file_id":"(file_[^"]+)"/.exec(JSON.stringify(message))?.[1] ?? '';
  const things = {
    ...{ file: file.id, produced: fileIn(whole), streamed: fileIn(streamed), batch: batch.id, skill: skill.id },
    ...{ container: whole.container?.id ?? '', streamedIn: streamed.container?.id ?? '' },
    ...{ session: session.id, message: turn.id, agent: agent.id, environment: environment.id },
    compared: compared.id,
  };
  for (const [name, id] of Object.entries(things)) assert.notEqual(id, '', name);
  return things;
}

type Use = (client: Anthropic) => Promise<unknown>;

/** Every way to name a thing, in paths, a query and bodies of every form. */
function usesOf(things: Things): [string, Use][] {
  const { file, produced, streamed, batch, skill, container, streamedIn, session, message } = things;
  const { agent, environment, compared } = things;
  const diagnostics = { previous_message_id: compared };
  const upload = (id: string) => ask([{ type: 'container_upload', file_id: id }]) as never;
  const ofSkill = (id: string) => ({ skills: [{ type: 'custom' as const, skill_id: id, version: 'latest' }] });
  const said = { type: 'user.message' as const, content: [{ type: 'text' as const, text: 'Go' }] };
  return [
    ['a file', (client) => client.files.retrieveMetadata(file)],
    ['the content of a file', async (client) => (await client.files.download(file)).arrayBuffer()],
    ['a file that code wrote', async (client) => (await client.files.download(produced)).arrayBuffer()],
    ['a file of a stream', async (client) => (await client.files.download(streamed)).arrayBuffer()],
    ['a file in a prompt', (client) => client.messages.create(upload(file))],
    [
      'a file in a batch',
      (client) => client.messages.batches.create({ requests: [{ custom_id: 'f', params: upload(file) }] }),
    ],
    [
      'a file whose tokens are counted',
      (client) => client.messages.countTokens({ ...(upload(file) as object), max_tokens: undefined } as never),
    ],
    ['a batch', (client) => client.messages.batches.retrieve(batch)],
    ['the cancelling of a batch', (client) => client.messages.batches.cancel(batch)],
    ['a skill', (client) => client.skills.retrieve(skill)],
    [
      'a skill in a prompt',
      (client) => client.messages.create({ ...ask('Count'), container: ofSkill(skill) } as never),
    ],
    ['a skill of an agent', (client) => client.beta.agents.create({ name: 'a', model, ...ofSkill(skill) } as never)],
    ['a container', (client) => client.messages.create({ ...ask('Go on'), container } as never)],
    [
      'a container of a stream',
      (client) => client.messages.create({ ...ask('Go on'), container: { id: streamedIn } } as never),
    ],
    ['an agent', (client) => client.beta.agents.retrieve(agent)],
    ['a new version of an agent', (client) => client.beta.agents.update(agent, { name: 'b' } as never)],
    ['versions of an agent', (client) => client.beta.agents.versions.list(agent)],
    ['an environment', (client) => client.beta.environments.retrieve(environment)],
    ['the work of an environment', (client) => client.beta.environments.work.list(environment)],
    [
      'a session of an agent',
      (client) => client.beta.sessions.create({ agent: { type: 'agent', id: agent }, environment_id: environment }),
    ],
    ['a deployment of an agent', (client) => client.beta.deployments.create({ name: 'd', agent } as never)],
    ['a session', (client) => client.beta.sessions.retrieve(session)],
    ['events of a session', (client) => client.beta.sessions.events.send(session, { events: [said] })],
    ['a message to compare with', (client) => client.messages.create({ ...ask('Two'), diagnostics } as never)],
    [
      'a thread',
      async (client) => {
        const thread = { type: 'continue', previous_message_id: message };
        const turn = await client.beta.messages.create({ ...ask('And'), thread, betas } as never);
        things.message = (turn as { id: string }).id;
      },
    ],
  ];
}

/** Denied by this rule, recorded so, and nothing upstream. */
async function denied(caller: Caller, rule: string, name: string, use: Use): Promise<void> {
  const before = gateway.fake.requestCount();
  await assert.rejects(use(caller.client), (thrown) => thrown instanceof Anthropic.PermissionDeniedError, name);
  assert.equal(gateway.fake.requestCount(), before, `${name} went upstream`);
  const document = await gateway.document(caller.exchangeIds.at(-1));
  assert.equal(document.skilltape.outcome, 'denied', name);
  const rules = document.skilltape.verdict.reasons.map((reason) => reason.rule);
  assert.deepEqual([...new Set(rules)], [rule], name);
}

async function allowed(caller: Caller, name: string, use: Use): Promise<void> {
  const upstream = gateway.fake.requestCount();
  // What the fake makes of it is its own; that it came there is what counts.
  await use(caller.client).catch((thrown: unknown) => {
    assert.ok(!(thrown instanceof Anthropic.PermissionDeniedError), `${name}: ${thrown}`);
  });
  assert.ok(gateway.fake.requestCount() > upstream, `${name} did not come upstream`);
}

test('everything that a person was given is theirs, by every way to name it', async () => {
  for (const [name, use] of usesOf(hers)) await allowed(alice, name, use);
});

test("another person's things are denied by every way to name them, and the denial is recorded", async () => {
  for (const [name, use] of usesOf(hers)) await denied(bob, 'request/owner_only', name, use);
});

test('over another connection with the same key they are denied too', async () => {
  const headers = { authorization: `Bearer ${await gateway.token('alice')}`, 'anthropic-version': '2023-06-01' };
  const url = `${gateway.url}/sandbox/v1/files/${hers.file}`;
  assert.equal(((await gateway.fetch(url, { headers } as never)) as Response).status, 403);
});

test("what nobody was given is denied, but for a skill that is used and a message to compare with; the skills of Anthropic are nobody's", async () => {
  const made = Object.fromEntries(Object.entries(hers).map(([name, id]) => [name, `${id}x`])) as Things;
  const used = new Set(['a skill in a prompt', 'a skill of an agent', 'a message to compare with']);
  for (const [name, use] of usesOf(made)) {
    if (used.has(name)) await allowed(bob, name, use);
    else await denied(bob, 'request/owner_only', name, use);
  }
  const skills = [{ type: 'anthropic' as const, skill_id: 'xlsx', version: 'latest' }];
  await allowed(bob, 'a skill of Anthropic', (client) =>
    client.messages.create({ ...ask('Count [fake: answer skills]'), container: { skills } } as never),
  );
  await allowed(bob, 'what such a skill is', (client) => client.skills.retrieve('xlsx'));
});

test('memory stores, dreams and vaults that nobody was given are denied, by every way to name them', async () => {
  const store = { type: 'memory_store', memory_store_id: 'memstore_01larch' };
  const session = { agent: hers.agent, environment_id: hers.environment };
  const uses: [string, Use][] = [
    ['a memory store', ({ beta }) => beta.memoryStores.retrieve('memstore_01larch')],
    ['its memories', ({ beta }) => beta.memoryStores.memories.list('memstore_01larch')],
    ['a memory', ({ beta }) => beta.memoryStores.memories.retrieve('mem_1', { memory_store_id: 'memstore_01larch' })],
    ['a dream', ({ beta }) => beta.dreams.retrieve('drm_01larch')],
    ['a dream of a memory store', ({ beta }) => beta.dreams.create({ inputs: [store], model } as never)],
    ['a session with it', ({ beta }) => beta.sessions.create({ ...session, resources: [store] } as never)],
    ['a session with a vault', ({ beta }) => beta.sessions.create({ ...session, vault_ids: ['vlt_01larch'] } as never)],
  ];
  for (const [name, use] of uses) await denied(alice, 'request/owner_only', name, use);
});

test('lists of what everybody made are denied to all', async () => {
  const lists: [string, Use][] = [
    ['files', (client) => client.files.list()],
    ['files by id', (client) => client.files.list({ ids: [hers.file] } as never)],
    ['batches', (client) => client.messages.batches.list()],
    ['skills', (client) => client.skills.list()],
    ['sessions', (client) => client.beta.sessions.list()],
    ['agents', (client) => client.beta.agents.list()],
    ['environments', (client) => client.beta.environments.list()],
    ['deployments', (client) => client.beta.deployments.list()],
    ['runs of deployments', (client) => client.beta.deploymentRuns.list()],
    ['memory stores', (client) => client.beta.memoryStores.list()],
    ['dreams', (client) => client.beta.dreams.list()],
    ['user profiles', (client) => client.beta.userProfiles.list()],
  ];
  for (const [name, use] of lists)
    for (const caller of [alice, bob]) await denied(caller, 'access/list_closed', name, use);
});

test('the record says whose things a request named', async () => {
  await bob.client.files.retrieveMetadata(hers.file).catch(() => undefined);
  const entry = (await readJournal(gateway.dataDirectory)).find(({ id }) => id === bob.exchangeIds.at(-1));
  const owners = entry?.records.flatMap((record) => {
    return record.kind === 'decided' ? [(record.decided.input as { owners: unknown }).owners] : [];
  });
  assert.deepEqual(owners, [[{ kind: 'file', owner: 'others', count: 1 }]]);
});

test('after a kill and a start everything is still whose it was', async () => {
  await alice.documents();
  gateway.processor.process.kill('SIGKILL');
  await gateway.processor.exited;
  await gateway.restartProcessor();
  await servedAgain(gateway, { authorization: `Bearer ${await gateway.token('bob')}` });
  for (const [name, use] of usesOf(hers)) await denied(bob, 'request/owner_only', name, use);
  for (const [name, use] of usesOf(hers)) await allowed(alice, name, use);
});
