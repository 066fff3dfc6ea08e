import assert from 'node:assert/strict';
import { test } from 'node:test';
import Anthropic from '@anthropic-ai/sdk';
import Anthropic0 from 'anthropic-sdk-0';
import { endpointNames, endpointOf } from '../../../extproc/claude/endpoint.ts';
import { isListOfThings, readList, shownList } from '../../../extproc/claude/list-answer.ts';
import { pageByCursor, pageById } from '../../fakes/claude/storage/paging.ts';

const pagedByIds = new Set(['batches.list']);
/** Pages of two: the first, the third and the last have nothing of the caller. */
const things = ['his_1', 'his_2', 'her_1', 'his_3', 'his_4', 'his_5', 'her_2', 'her_3', 'his_6'];
const isHers = (id: string | null) => id?.startsWith('her_') === true;
const hers = things.filter(isHers);

/** As the gateway answers a list that it filters: an upstream's page, and of it what is the caller's. */
function filteredPage(path: string, query: URLSearchParams, items = things): { endpoint: string; json: string } {
  const endpoint = endpointOf('GET', path).name;
  const objects = items.map((id) => ({ id, ...(endpoint === 'deployment_runs.list' ? { deployment_id: id } : {}) }));
  const page = JSON.stringify(pagedByIds.has(endpoint) ? pageById(objects, query) : pageByCursor(objects, query));
  const read = readList(endpoint, Buffer.from(page));
  assert.ok(read.ok, endpoint);
  const shown = shownList(read.list, ({ id }) => isHers(id));
  assert.ok(shown.ok, endpoint);
  return { endpoint, json: shown.json ?? page };
}

type Lists = Record<string, AsyncIterable<{ id: string }>>;
type Query = { limit: number; before_id?: string; after_id?: string };

/** Every list that is filtered, by the name of its endpoint, and what the SDK asked for meanwhile. */
function listsOf(Client: typeof Anthropic, query: Query, items = things): { asked: string[]; lists: Lists } {
  const asked: string[] = [];
  const client = new Client({
    apiKey: 'test',
    baseURL: 'http://gateway.invalid',
    maxRetries: 0,
    fetch: async (input) => {
      const { pathname, searchParams } = new URL(String(input));
      const { endpoint, json } = filteredPage(pathname, searchParams, items);
      asked.push(endpoint);
      return new Response(json, { headers: { 'content-type': 'application/json' } });
    },
  });
  const { beta } = client;
  const lists = {
    'files.list': beta.files.list(query),
    'batches.list': beta.messages.batches.list(query),
    'skills.list': beta.skills.list(query),
    'sessions.list': beta.sessions.list(query),
    'agents.list': beta.agents.list(query),
    'environments.list': beta.environments.list(query),
    'deployments.list': beta.deployments.list(query),
    'memory_stores.list': beta.memoryStores.list(query),
    'dreams.list': beta.dreams.list(query),
    'user_profiles.list': beta.userProfiles.list(query),
    'vaults.list': beta.vaults.list(query),
    'deployment_runs.list': beta.deploymentRuns.list(query),
  };
  return { asked, lists: lists as unknown as Lists };
}

async function idsIn(listing: AsyncIterable<{ id: string }> | undefined): Promise<string[]> {
  const ids: string[] = [];
  for await (const { id } of listing ?? []) ids.push(id);
  return ids;
}

for (const [name, Client] of [
  ['@anthropic-ai/sdk', Anthropic],
  ['anthropic-sdk-0', Anthropic0 as unknown as typeof Anthropic],
] as const) {
  test(`${name} goes on through pages without an entry of the caller, in every list that has cursors`, async () => {
    const { lists } = listsOf(Client, { limit: 2 });
    assert.deepEqual(Object.keys(lists).sort(), endpointNames.filter(isListOfThings).sort());
    for (const [endpoint, listing] of Object.entries(lists)) {
      if (!pagedByIds.has(endpoint)) assert.deepEqual(await idsIn(listing), hers, endpoint);
    }
  });

  test(`${name} goes on by the ids at the ends of pages that have an entry of the caller, in both directions`, async () => {
    const mixed = ['his_1', 'her_1', 'his_2', 'her_2', 'her_3', 'his_3', 'his_4', 'her_4', 'his_5'];
    const forwards = listsOf(Client, { limit: 3 }, mixed);
    assert.deepEqual(await idsIn(forwards.lists['batches.list']), ['her_1', 'her_2', 'her_3', 'her_4']);
    const backwards = listsOf(Client, { limit: 3, before_id: 'her_4' }, mixed);
    const seen = await idsIn(backwards.lists['batches.list']);
    assert.deepEqual(seen.sort(), ['her_1', 'her_2', 'her_3']);
  });

  test(`${name} ends at an empty page of batches, although it says that more is behind; a page of 1,000 gets over 999 of others`, async () => {
    const { asked, lists } = listsOf(Client, { limit: 2 });
    assert.deepEqual(await idsIn(lists['batches.list']), []);
    assert.equal(asked.filter((endpoint) => endpoint === 'batches.list').length, 1);
    const page = JSON.parse(filteredPage('/v1/messages/batches', new URLSearchParams('limit=2')).json);
    assert.deepEqual(page, { data: [], has_more: true, first_id: null, last_id: null });
    const many = Array.from({ length: 999 }, (_, at) => `his_${at}`);
    assert.deepEqual(await idsIn(listsOf(Client, { limit: 1_000 }, [...many, ...hers]).lists['batches.list']), hers);
  });
}
