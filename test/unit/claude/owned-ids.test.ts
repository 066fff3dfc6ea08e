import assert from 'node:assert/strict';
import { test } from 'node:test';
import { endpointOf } from '../../../extproc/claude/endpoint.ts';
import type { JsonValue } from '../../../extproc/claude/json.ts';
import { isJsonObject } from '../../../extproc/claude/json.ts';
import {
  idsBrought,
  idsMadeByJson,
  idsMadeByMessage,
  idsNamedByBody,
  idsNamedByTarget,
  makesThings,
  namedIdsMax,
  type OwnedId,
} from '../../../extproc/claude/owned-ids.ts';
import { fixtureJson } from './fixture.ts';

const shown = (ids: readonly OwnedId[] | null) => ids?.map(({ kind, id }) => `${kind} ${id}`).sort() ?? null;
const inBody = (body: JsonValue) => shown(idsNamedByBody(body));

function inTarget(path: string, query = '', method = 'GET') {
  return shown(idsNamedByTarget(endpointOf(method, path).kind, path, query));
}

test('a path names the thing that it is about, at every depth below it', () => {
  const paths: [string, string[]][] = [
    ['/v1/files/file_1', ['file file_1']],
    ['/v1/files/file_1/content', ['file file_1']],
    ['/v1/messages/batches/msgbatch_1', ['batch msgbatch_1']],
    ['/v1/messages/batches/msgbatch_1/results', ['batch msgbatch_1']],
    ['/v1/skills/skill_1', ['skill skill_1']],
    ['/v1/skills/skill_1/versions/3/content', ['skill skill_1']],
    ['/v1/sessions/sesn_1', ['session sesn_1']],
    ['/v1/sessions/sesn_1/threads/t_1/stream', ['session sesn_1']],
    ['/v1/sessions/sesn_1/resources/r_1', ['session sesn_1']],
    ['/v1/agents/agent_1', ['agent agent_1']],
    ['/v1/agents/agent_1/versions', ['agent agent_1']],
    ['/v1/environments/env_1/work/w_1', ['environment env_1']],
    ['/v1/deployments/depl_1', ['deployment depl_1']],
    ['/v1/deployment_runs/drun_1', ['deployment drun_1']],
    ['/v1/memory_stores/memstore_1', ['memory_store memstore_1']],
    ['/v1/memory_stores/memstore_1/memories/mem_1', ['memory_store memstore_1']],
    ['/v1/memory_stores/memstore_1/memory_versions', ['memory_store memstore_1']],
    ['/v1/dreams/drm_1', ['dream drm_1']],
    ['/v1/user_profiles/uprof_1', ['user_profile uprof_1']],
    ['/v1/vaults/vlt_1/credentials/vcrd_1', ['vault vlt_1']],
    ['/v1/memory_stores', []],
    ['/v1/agents', []],
    ['/v1/deployment_runs', []],
    ['/v1/skills/xlsx', []],
    ['/v1/files', []],
    ['/v1/messages/batches', []],
    ['/v1/models/claude-opus-5-5', []],
  ];
  for (const [path, expected] of paths) assert.deepEqual(inTarget(path), expected, path);
});

test('a query names what a list is asked for, in every way in which a list can be written', () => {
  const query = '?ids%5B%5D=file_1&ids[]=file_2&ids=file_3&ids[0]=file_4&limit=2&after_id=file_9&scope_id=sesn_1';
  const expected = ['file file_1', 'file file_2', 'file file_3', 'file file_4', 'session sesn_1'];
  assert.deepEqual(inTarget('/v1/files', query), expected);
  assert.deepEqual(inTarget('/v1/models', '?ids[]=file_1'), []);
  const chosen =
    '?agent_id=agent_1&deployment_id=depl_1&environment_id=env_1&memory_store_id=memstore_1&agent_version=3';
  const things = ['agent agent_1', 'deployment depl_1', 'environment env_1', 'memory_store memstore_1'];
  assert.deepEqual(inTarget('/v1/sessions', chosen), things);
});

test('a body names files, containers, skills, sessions and threads wherever they stand', () => {
  const source = { type: 'file', file_id: 'file_2' };
  const content = [
    { type: 'container_upload', file_id: 'file_1' },
    { type: 'document', source },
    { type: 'tool_result', content: [{ type: 'image', source: { type: 'file', file_id: 'file_3' } }] },
    { type: 'a block of tomorrow', nested: { deeper: [{ file_id: 'file_4' }] } },
  ];
  const skills = [
    { type: 'custom', skill_id: 'skill_1', version: 'latest' },
    { type: 'custom', skill_id: 'xlsx' },
    { type: 'anthropic', skill_id: 'xlsx', version: 'latest' },
    { type: 'anthropic', skill_id: 'skill_2' },
  ];
  const params = { messages: [{ role: 'user', content }], container: { id: 'container_1', skills } };
  const files = ['file file_1', 'file file_2', 'file file_3', 'file file_4'];
  const named = ['container container_1', ...files, 'skill skill_1', 'skill skill_2', 'skill xlsx'];
  assert.deepEqual(inBody(params), named, "only a vendor's own skill is nobody's");
  assert.deepEqual(
    inBody({
      requests: [
        { custom_id: 'a', params: {} },
        { custom_id: 'b', params },
      ],
    }),
    named,
  );
  assert.deepEqual(inBody({ container: 'container_2' }), ['container container_2']);
  assert.deepEqual(inBody({ thread: { type: 'continue', previous_message_id: 'msg_1' } }), ['message msg_1']);
  const compared = { diagnostics: { previous_message_id: 'msg_2' } };
  assert.deepEqual(inBody(compared), ['compared_message msg_2']);
  assert.deepEqual(inBody({ requests: [{ custom_id: 'a', params: compared }] }), ['compared_message msg_2']);
  for (const none of [null, {}, { previous_message_id: null }]) assert.deepEqual(inBody({ diagnostics: none }), []);
  const session = { agent: 'agent_1', resources: [{ type: 'file', file_id: 'file_5' }], initial_events: [{ content }] };
  assert.deepEqual(inBody(session), ['agent agent_1', ...files, 'file file_5']);
  const roster = [{ type: 'agent', id: 'agent_2', version: 1 }, 'agent_3', { type: 'self' }];
  const deployment = {
    ...{ agent: { type: 'agent_with_overrides', id: 'agent_1', model: 'm' }, environment_id: 'env_1' },
    multiagent: { agents: roster, subagents: { predefined_agents: ['agent_4', { type: 'agent', id: 'agent_5' }] } },
  };
  assert.deepEqual(inBody(deployment), [1, 2, 3, 4, 5].map((n) => `agent agent_${n}`).concat('environment env_1'));
  assert.deepEqual(inBody({ inputs: [{ deployment_id: 'depl_1' }, { agent_ids: ['agent_1'] }] }), [
    'agent agent_1',
    'deployment depl_1',
  ]);
  assert.deepEqual(inBody({ inputs: [{ type: 'sessions', session_ids: ['sesn_1', 'sesn_2'] }] }), [
    'session sesn_1',
    'session sesn_2',
  ]);
});

test('a body names memory stores, vaults and user profiles, of which no answer shows the content to everybody', () => {
  const resources = [{ type: 'memory_store', memory_store_id: 'memstore_1', access: 'read_write' }];
  assert.deepEqual(inBody({ agent: 'agent_1', resources, vault_ids: ['vlt_1', 'vlt_2'] }), [
    ...['agent agent_1', 'memory_store memstore_1', 'vault vlt_1', 'vault vlt_2'],
  ]);
  assert.deepEqual(inBody({ vault_ids: null }), []);
  const params = { model: 'm', user_profile_id: 'uprof_1', messages: [] };
  assert.deepEqual(inBody({ requests: [{ custom_id: 'a', params }] }), ['user_profile uprof_1']);
  const dream = { inputs: [{ type: 'memory_store', memory_store_id: 'memstore_2' }, { session_ids: ['sesn_1'] }] };
  assert.deepEqual(inBody(dream), ['memory_store memstore_2', 'session sesn_1']);
});

test('an id that is written in another form is the same thing', () => {
  for (const id of [' file_1', 'file_1\n', '\u00a0file_1\t'])
    assert.deepEqual(inBody({ file_id: id }), ['file file_1']);
  assert.deepEqual(inBody({ file_id: ['file_1', 'file_2'], file_ids: 'file_3' }), [
    'file file_1',
    'file file_2',
    'file file_3',
  ]);
  assert.deepEqual(inTarget('/v1/files', '?ids[]=file_1%20&ids[]=+file_2'), ['file file_1', 'file file_2']);
  for (const id of [' skill_1', 'skill_1 ']) {
    assert.deepEqual(inBody({ container: { skills: [{ type: 'anthropic', skill_id: id }] } }), ['skill skill_1']);
  }
  assert.deepEqual(inBody({ skill_id: 'SKILL_1', type: 'anthropic' }), ['skill SKILL_1']);
  const blanks = ' '.repeat(100_000);
  assert.deepEqual(inBody({ file_id: blanks }), []);
  assert.deepEqual(inBody({ file_id: `${blanks}file_1${blanks}` }), ['file file_1']);
});

test('what a caller calls so for its own tools names nothing', () => {
  const own = { file_id: 'mine', skill_id: 'mine', session_id: 'mine', container: 'mine', agent: 'mine' };
  const content = [{ type: 'tool_use', name: 'open', input: own }];
  const tools = [
    { name: 'open', input_schema: { properties: { file_id: { type: 'string' } } }, input_examples: [own] },
  ];
  assert.deepEqual(inBody({ messages: [{ role: 'assistant', content }], tools, metadata: own }), []);
  for (const value of [null, 7, '', [], {}]) {
    assert.deepEqual(inBody({ file_id: value, container: value, thread: value, skill_id: value }), []);
  }
});

test('a thing that is named often counts once, and more things than can be looked up are told', () => {
  const files = (count: number) => Array.from({ length: count }, (_, at) => ({ file_id: `file_${at}` }));
  assert.deepEqual(inBody([{ file_id: 'file_1' }, { file_id: 'file_1' }]), ['file file_1']);
  assert.equal(idsNamedByBody(files(namedIdsMax))?.length, namedIdsMax);
  assert.equal(idsNamedByBody(files(namedIdsMax + 1)), null);
});

test('only what an endpoint makes is brought by its answer', () => {
  const made = (endpoint: string, answer: JsonValue) => shown(idsMadeByJson(endpoint, answer));
  assert.deepEqual(made('files.upload', { type: 'file', id: 'file_1' }), ['file file_1']);
  assert.deepEqual(made('batches.create', { type: 'message_batch', id: 'msgbatch_1' }), ['batch msgbatch_1']);
  assert.deepEqual(made('skills.create', { id: 'skill_1' }), ['skill skill_1']);
  assert.deepEqual(made('sessions.create', { type: 'session', id: 'sesn_1' }), ['session sesn_1']);
  assert.deepEqual(made('deployments.run', { id: 'drun_1', session_id: 'sesn_2' }), [
    'deployment drun_1',
    'session sesn_2',
  ]);
  assert.deepEqual(made('agents.create', { type: 'agent', id: 'agent_1' }), ['agent agent_1']);
  assert.deepEqual(made('environments.create', { type: 'environment', id: 'env_1' }), ['environment env_1']);
  assert.deepEqual(made('deployments.create', { type: 'deployment', id: 'depl_1' }), ['deployment depl_1']);
  assert.deepEqual(made('memory_stores.create', { id: 'memstore_1' }), ['memory_store memstore_1']);
  assert.deepEqual(made('user_profiles.create', { id: 'uprof_1' }), ['user_profile uprof_1']);
  for (const endpoint of [
    'files.get',
    'memory_stores.get',
    'memories.create',
    'user_profiles.update',
    'vaults.create',
    'dreams.list',
    'files.list',
    'skills.get',
    'batches.get',
    'sessions.get',
    'skills.versions.create',
    'agents.update',
    'environments.list',
    'deployment_runs.get',
  ]) {
    assert.deepEqual([made(endpoint, { id: 'x_1', session_id: 'x_2' }), makesThings(endpoint)], [[], false], endpoint);
  }
  for (const answer of [null, [], 'file_1', { id: 7 }, { id: '' }, {}])
    assert.deepEqual(made('files.upload', answer), []);
});

test('a dream brings the memory store that it made, and not the one that it read', () => {
  const inputs = [{ type: 'memory_store', memory_store_id: 'memstore_1' }];
  const outputs = ['memstore_1', 'memstore_2'].map((memory_store_id) => ({ type: 'memory_store', memory_store_id }));
  const dream = { type: 'dream', id: 'drm_1', session_id: 'sesn_1', inputs, outputs };
  assert.deepEqual(shown(idsMadeByJson('dreams.create', { ...dream, outputs: [] })), ['dream drm_1', 'session sesn_1']);
  assert.deepEqual(shown(idsMadeByJson('dreams.get', dream)), ['memory_store memstore_2', 'session sesn_1']);
  assert.deepEqual(shown(idsMadeByJson('dreams.get', { ...dream, session_id: null, outputs: null })), []);
  assert.ok(makesThings('dreams.get'));
});

test('a message brings its container and the files that its code wrote', () => {
  const message = fixtureJson('e_skills_response.json');
  assert.ok(isJsonObject(message));
  const [container = '', ...files] = shown(idsMadeByMessage(message)) ?? [];
  assert.match(container, /^container container_/);
  assert.ok(files.length > 0 && files.every((file) => file.startsWith('file file_')));
  assert.deepEqual(
    idsMadeByMessage({ content: [{ type: 'text', text: '{"file_id":"file_1"}' }], container: null }),
    [],
  );
});

test('what was named is not brought', () => {
  const file = { kind: 'file', id: 'file_1' } as const;
  assert.deepEqual(idsBrought([file, { kind: 'skill', id: 'file_1' }], [file]), [{ kind: 'skill', id: 'file_1' }]);
});

test("an id that is longer than any is brought by nothing, and is nobody's when it is named", () => {
  const id = 'x'.repeat(256);
  assert.deepEqual(idsMadeByJson('files.upload', { id }), [{ kind: 'file', id }]);
  assert.deepEqual(idsMadeByJson('files.upload', { id: `${id}x` }), []);
  assert.deepEqual(idsMadeByMessage({ container: { id: `${id}x` } }), []);
  assert.deepEqual(idsNamedByBody({ file_id: `${id}xyz` }), [{ kind: 'file', id: `${id}x` }]);
});
