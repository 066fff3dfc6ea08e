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
/** Ids by who made them, the newest first as lists have them. */
const made = { alice: {} as Made, bob: {} as Made };
before(async () => {
  const settings = { connections: { claude: { identityProviders: ['idp'], lists: 'filtered' } } };
  gateway = await startTestGateway({ settings } as never);
  [alice, bob] = [await callerOf(gateway, 'alice'), await callerOf(gateway, 'bob')];
  // In turns, and at the end a page that is Bob's alone.
  for (let round = 0; round < 3; round += 1) {
    await make(made.alice, alice, `a${round}`);
    await make(made.bob, bob, `b${round}`);
  }
  for (let round = 3; round < 6; round += 1) await make(made.bob, bob, `b${round}`);
});
after(() => gateway.stop());

const kinds = ['files', 'batches', 'skills', 'sessions', 'agents', 'environments'] as const;
type Made = Record<(typeof kinds)[number], string[]>;
const model = 'claude-opus-5-5';

async function make(into: Made, { client }: Caller, name: string): Promise<void> {
  const params = { model, max_tokens: 64, messages: [{ role: 'user' as const, content: name }] };
  const skill = [await toFile(Buffer.from(`---\nname: ${name}\n---\nCount.\n`), `${name}/SKILL.md`)];
  const agent = await client.beta.agents.create({ name, model });
  const environment = await client.beta.environments.create({ name });
  const things = {
    files: await client.files.upload({ file: await toFile(Buffer.from(name), `${name}.txt`) }),
    batches: await client.messages.batches.create({ requests: [{ custom_id: name, params }] }),
    skills: await client.skills.create({ files: skill, display_name: name }),
    ...{ agents: agent, environments: environment },
    sessions: await client.beta.sessions.create({ agent: agent.id, environment_id: environment.id }),
  };
  for (const kind of kinds) into[kind] = [things[kind].id, ...(into[kind] ?? [])];
}

type Page = { data: { id: string }[]; has_more?: boolean; first_id?: string | null; last_id?: string | null };

/** As the SDK pages: it goes on by itself. */
const listings = (client: Anthropic, limit: number): Record<(typeof kinds)[number], AsyncIterable<{ id: string }>> => ({
  files: client.files.list({ limit }),
  batches: client.messages.batches.list({ limit }),
  skills: client.skills.list({ limit }),
  sessions: client.beta.sessions.list({ limit }),
  agents: client.beta.agents.list({ limit }),
  environments: client.beta.environments.list({ limit }),
});

async function idsOf(listing: AsyncIterable<{ id: string }>): Promise<string[]> {
  const ids: string[] = [];
  for await (const { id } of listing) ids.push(id);
  return ids;
}

for (const kind of kinds) {
  test(`${kind}: the SDK's paging goes through pages of others, and gives each person their own`, async () => {
    for (const limit of [2, 100]) {
      // Where pages are known by the ids at their ends, the SDK stops at one that has none.
      if (kind === 'batches' && limit === 2) continue;
      for (const [who, caller] of [
        ['alice', alice],
        ['bob', bob],
      ] as const) {
        const ids = await idsOf(listings(caller.client, limit)[kind]);
        const uploaded = kind === 'skills' ? ids.filter((id) => id.startsWith('skill_')) : ids;
        assert.deepEqual(uploaded, made[who][kind], `${who}, ${limit} a page`);
      }
    }
  });
}

test('a page of batches that has nothing of the caller says that more is behind, and has no id', async () => {
  const first = (await alice.client.messages.batches.list({ limit: 2 })) as unknown as Page;
  const { data, has_more, first_id, last_id } = first;
  assert.deepEqual({ data, has_more, first_id, last_id }, { data: [], has_more: true, first_id: null, last_id: null });
  const page = (await bob.client.messages.batches.list({ limit: 5 })) as unknown as Page;
  assert.deepEqual([page.data.length, page.first_id, page.last_id], [4, made.bob.batches[0], made.bob.batches[3]]);
  const own = { after_id: page.last_id ?? '', limit: 1 };
  const next = (await bob.client.messages.batches.list(own)) as unknown as Page;
  assert.equal(next.data.length, 0);
  assert.equal(next.has_more, true);
});

test("nobody pages by somebody else's ids", async () => {
  for (const cursor of [{ after_id: made.bob.batches[0] }, { before_id: made.bob.batches[2] }, { after_id: 'none' }]) {
    const before = gateway.fake.requestCount();
    const listing = alice.client.messages.batches.list(cursor as never);
    await assert.rejects(async () => listing, Anthropic.PermissionDeniedError, JSON.stringify(cursor));
    assert.equal(gateway.fake.requestCount(), before);
    const { skilltape } = await gateway.document(alice.exchangeIds.at(-1));
    assert.equal(skilltape.verdict.reasons[0]?.rule, 'request/owner_only');
  }
  const mine = await alice.client.messages.batches.list({ after_id: made.alice.batches[0] ?? '', limit: 10 });
  assert.deepEqual(
    mine.data.map(({ id }) => id),
    made.alice.batches.slice(1),
  );
});

test('the record has the list as the upstream gave it, what the caller was given, and says so', async () => {
  await alice.client.files.list({ limit: 100 });
  const id = alice.exchangeIds.at(-1);
  const { skilltape } = await gateway.document(id);
  assert.equal(skilltape.outcome, 'complete');
  const entry = (await readJournal(gateway.dataDirectory)).find((each) => each.id === id);
  const raw = JSON.parse(String(entry?.answerBody)) as Page;
  const listed = new Set(raw.data.map((file) => file.id));
  for (const file of [...made.alice.files, ...made.bob.files]) assert.ok(listed.has(file), file);
  const changed = entry?.records.flatMap((record) => (record.kind === 'answer_changed' ? [record.bytes] : []));
  assert.deepEqual(
    (JSON.parse(String(changed?.[0])) as Page).data.map((file) => file.id),
    made.alice.files,
  );
  const end = entry?.records.flatMap((record) => (record.kind === 'finished' ? [record.finished.detail] : []));
  assert.deepEqual(end, [`list filtered: 3 of ${raw.data.length} entries given`]);
});

test('a connection that says nothing of lists denies them still', async () => {
  const headers = { authorization: `Bearer ${await gateway.token('alice')}`, 'anthropic-version': '2023-06-01' };
  const answer = (await gateway.fetch(`${gateway.url}/sandbox/v1/files`, { headers } as never)) as Response;
  assert.equal(answer.status, 403);
});

test('after a kill and a start everybody still sees their own', async () => {
  await alice.documents();
  gateway.processor.process.kill('SIGKILL');
  await gateway.processor.exited;
  await gateway.restartProcessor();
  await servedAgain(gateway, { authorization: `Bearer ${await gateway.token('bob')}` });
  assert.deepEqual(await idsOf(listings(alice.client, 2).files), made.alice.files);
  assert.deepEqual(await idsOf(listings(bob.client, 2).agents), made.bob.agents);
});
