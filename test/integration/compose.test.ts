import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Agent, request } from 'undici';
import { parse } from 'yaml';
import {
  startComposeClaude,
  startComposeIdentityProvider,
  userClientSecret,
} from '../../extproc/demo/compose/fakes.ts';
import { fetchToken } from '../../extproc/demo/compose/fetch-token.ts';
import { composePlaces, issuerOf, type Place, type Places } from '../../extproc/demo/compose/places.ts';
import { prepare } from '../../extproc/demo/compose/prepare.ts';
import { setUpElasticsearch } from '../../extproc/index/elasticsearch/open.ts';
import { runChild } from '../../extproc/tools/child.ts';
import { resolveTool } from '../../extproc/tools/resolve.ts';
import { startComposeElasticsearch } from '../environment/compose/elasticsearch.ts';

/** What the containers of docker-compose.yml run that is ours, as processes, with what `setup` made for them. */

const started = new AsyncDisposableStack();
let places: Places;
let elasticsearch = '';
let trusting: Agent;

before(async () => {
  const root = mkdtempSync(join(tmpdir(), 'skilltape-compose-'));
  started.defer(() => rmSync(root, { recursive: true, force: true }));
  const directories = { root, runDirectory: root, logDirectory: root };
  places = { ...composePlaces, ...directories, identityProvider: await freePlace(), claude: await freePlace() };
  await prepare({ places, claudeKeyFile: join(root, 'none') });
  trusting = new Agent({ connect: { ca: made('people/ca.crt') } });
  started.defer(() => trusting.destroy());
  const server = await startComposeElasticsearch(root, made('people/ca.crt'));
  started.defer(() => server.stop());
  elasticsearch = server.url;
});
after(() => started.disposeAsync());

/** The services have fixed ports: another process may take this one before it is used, which then fails loudly. */
async function freePlace(): Promise<Place> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return { host: 'localhost', port: address !== null && typeof address === 'object' ? address.port : 0 };
}

function made(name: string): string {
  return readFileSync(join(places.root, name), 'utf8').trim();
}

async function ask(authorization: string, path: string, body?: object): Promise<Record<string, unknown>> {
  const sent =
    body === undefined ? { method: 'GET' as const } : { method: 'POST' as const, body: JSON.stringify(body) };
  const headers = { authorization, 'content-type': 'application/json' };
  const answer = await request(`${elasticsearch}${path}`, { ...sent, headers, dispatcher: trusting });
  const text = await answer.body.text();
  assert.equal(answer.statusCode, 200, text);
  return JSON.parse(text) as Record<string, unknown>;
}

function basic(login: string): string {
  return `Basic ${Buffer.from(`${made(`${login}.username`)}:${made(`${login}.password`)}`).toString('base64')}`;
}

const index = 'skilltape-standard-2026.01.15';

/** What each account may do; of everything else that stands here it may do nothing. */
const allowed: Record<string, readonly string[]> = {
  'skilltape/writer': ['create_doc'],
  'skilltape/reader': ['read'],
  // `index`, which it takes to leave a document without its texts, has `create_doc` in it.
  'skilltape/retention': ['create_doc', 'read', 'delete', 'delete_index'],
  'install/template': ['manage_index_templates'],
  // Only once Kibana has told Elasticsearch what `space_all` means does it hold `space_read`.
  'install/kibana': ['space_all'],
  'people/kibana': ['read', 'space_read'],
};

test('each account that setup makes may do its one thing, as Elasticsearch understands roles and passwords', async () => {
  const asked = {
    cluster: ['manage_index_templates', 'manage_security'],
    index: [
      { names: [index], privileges: ['create_doc', 'read', 'delete', 'delete_index'] },
      { names: ['other'], privileges: ['read'] },
    ],
    application: [
      { application: 'kibana-.kibana', privileges: ['space_all', 'space_read'], resources: ['space:default'] },
    ],
  };
  type Answer = {
    cluster: Record<string, boolean>;
    index: Record<string, Record<string, boolean>>;
    application: { 'kibana-.kibana': { 'space:default': Record<string, boolean> } };
  };
  for (const [login, privileges] of Object.entries(allowed)) {
    const {
      cluster,
      index: indices,
      application,
    } = (await ask(basic(login), '/_security/user/_has_privileges', asked)) as unknown as Answer;
    const all = { ...cluster, ...indices[index], ...application['kibana-.kibana']['space:default'] };
    const held = Object.keys(all).filter((name) => all[name]);
    assert.deepEqual(held.toSorted(), privileges.toSorted(), login);
    assert.equal(indices.other?.read, false, login);
  }
});

test('Kibana is let in as itself, with a token of its own', async () => {
  const secrets = parse(made('kibana/secrets.yml')) as Record<string, string>;
  const who = await ask(`Bearer ${secrets['elasticsearch.serviceAccountToken']}`, '/_security/_authenticate');
  assert.equal(who.username, 'elastic/kibana');
  // Kibana refuses shorter ones.
  for (const [name, value] of Object.entries(secrets)) assert.ok(value.length >= 32, name);
});

test('the account for the index template puts it in place', async () => {
  const { template } = await setUpElasticsearch({
    nodes: [elasticsearch],
    caFile: join(places.root, 'install/ca.crt'),
    credential: {
      usernameFile: join(places.root, 'install/template.username'),
      passwordFile: join(places.root, 'install/template.password'),
    },
    ...{ prefix: 'skilltape', numberOfReplicas: 0, refreshIntervalMs: 5_000, requestTimeoutMs: 20_000 },
  });
  assert.equal(template, 'skilltape');
});

test('the identity provider gives a token that names the issuer and audience which Envoy expects', async () => {
  const provider = await startComposeIdentityProvider(places);
  try {
    const issuer = issuerOf(places);
    const token = await fetchToken({
      ...{ issuer, caFile: join(places.root, 'fakes/ca.crt'), secret: userClientSecret(places.root), subject: 'alice' },
    });
    const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
    assert.deepEqual([claims.iss, claims.aud, claims.email], [issuer, 'skilltape', 'alice@example.com']);
    const configuration = made('envoy/envoy.yaml');
    assert.ok(configuration.includes(`issuer: ${issuer}`) && configuration.includes(`uri: ${issuer}/jwks`));
    const keys = await request(`${issuer}/jwks`, { dispatcher: trusting });
    assert.equal(keys.statusCode, 200);
    await keys.body.dump();
  } finally {
    await provider.close();
  }
});

test('the fake Claude takes the key that Envoy has, and no other', async () => {
  const fake = await startComposeClaude(places);
  try {
    const [resource] = parse(made('envoy/sds/claude_credential.yaml')).resources;
    const statusWith = async (key: string): Promise<number> => {
      const headers = { 'x-api-key': key, 'anthropic-version': '2023-06-01' };
      const { statusCode, body } = await request(`${fake.url}/v1/models`, { headers, dispatcher: trusting });
      await body.dump();
      return statusCode;
    };
    assert.equal(await statusWith(resource.generic_secret.secret.inline_string), 200);
    assert.equal(await statusWith('sk-ant-api03-other'), 401);
  } finally {
    await fake.close();
  }
});

test('Envoy takes the configuration that setup renders', async () => {
  const { path } = await resolveTool('envoy', { env: process.env });
  const args = ['--mode', 'validate', '-c', join(places.root, 'envoy/envoy.yaml')];
  const result = await runChild(path, args, { env: process.env, timeoutMs: 60_000, cwd: places.root });
  assert.equal(result.kind, 'ended');
  assert.equal(result.kind === 'ended' && result.status, 0, JSON.stringify(result));
});
