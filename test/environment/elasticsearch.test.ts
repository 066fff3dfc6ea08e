import assert from 'node:assert/strict';
import { once } from 'node:events';
import { chmodSync, existsSync, readdirSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { temporaryDirectory } from '../builders/directory.ts';
import { brokerVariable, openBroker } from './elasticsearch/broker.ts';
import { elasticsearchCall } from './elasticsearch/call.ts';
import { startElasticsearch, type TestElasticsearch } from './elasticsearch.ts';
import { sharedElasticsearch } from './shared-elasticsearch.ts';

const roles = `
writer:
  indices:
    - names: ['box-*']
      privileges: [create_doc, auto_configure]
`;
const writer = { name: 'writer', password: 'pass wörd: 1', roles: ['writer'] };

let server: TestElasticsearch;

const call = (path: string, method = 'GET', body?: unknown, login = server.admin) =>
  elasticsearchCall({ url: server.url, ca: server.ca, login, path, method, body });

before(async () => {
  // These tests are of servers that are started here.
  delete process.env.ELASTICSEARCH_URL;
  server = await startElasticsearch({ mode: 'secured', roles, users: [writer], settings: { 'node.attr.box': 'own' } });
});

after(() => server?.stop());

test('a secured server speaks TLS of its own authority and gives each user the rights of its roles', async () => {
  assert.equal((await call('/box-1/_create/1', 'PUT', { a: 1 }, writer)).status, 201);
  assert.equal((await call('/box-1/_search', 'GET', undefined, writer)).status, 403);
  assert.equal((await call('/other/_create/1', 'PUT', { a: 1 }, writer)).status, 403);
  assert.equal((await call('/', 'GET', undefined, { name: 'writer', password: 'wrong' })).status, 401);
  await assert.rejects(elasticsearchCall({ url: server.url, path: '/' }), /unable to verify|self-signed/);
  assert.match((await call('/_cat/nodeattrs?h=attr,value')).text, /box +own/);
});

test('a snapshot repository may lie in the folder of the server', async () => {
  const settings = { type: 'fs', settings: { location: join(await folder(), 'repository', 'own') } };
  assert.equal((await call('/_snapshot/own', 'PUT', settings)).status, 200);
});

test('a frozen server takes a request and answers it when it is thawed', async () => {
  server.freeze();
  let answered = false;
  const answer = call('/_cluster/health').finally(() => {
    answered = true;
  });
  // A second request, which is given up, shows that the first one had its time.
  await assert.rejects(
    elasticsearchCall({ ...{ url: server.url, ca: server.ca, path: '/' }, timeoutMs: 200 }),
    /no answer/,
  );
  assert.equal(answered, false);
  server.thaw();
  assert.equal((await answer).status, 200);
});

test('a killed server is gone, and comes back with its data at the same address', async () => {
  await call('/box-2/_create/1?refresh=true', 'PUT', { a: 1 });
  await server.kill();
  await assert.rejects(call('/'), { code: 'ECONNREFUSED' });
  await server.restart();
  assert.equal((await call('/box-2/_doc/1')).status, 200);
});

test('a stopped server leaves no folder', async () => {
  const path = await folder();
  assert.ok(existsSync(path));
  await server.stop();
  assert.ok(!existsSync(path));
});

test('a start that fails says what the server said, and leaves no folder', async (t) => {
  const temporary = temporaryDirectory(t);
  chmodSync(temporary, 0o755);
  const saved = process.env.TMPDIR;
  process.env.TMPDIR = temporary;
  t.after(() => {
    if (saved === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = saved;
  });
  const placeholder = ['$', '{not.set}'].join('');
  await assert.rejects(
    startElasticsearch({ mode: 'plain', settings: { 'node.attr.box': placeholder } }),
    /^Error: Elasticsearch ended while it started:\n[\s\S]*not\.set/,
  );
  assert.deepEqual(readdirSync(temporary), []);
});

test('a server given by its URL is used in plain mode, and is neither ended nor anything else', async (t) => {
  const stub = createServer((_, response) => response.end('{"status":"yellow"}')).listen(0, '127.0.0.1');
  t.after(() => stub.close());
  await once(stub, 'listening');
  const url = `http://127.0.0.1:${(stub.address() as AddressInfo).port}`;
  process.env.ELASTICSEARCH_URL = url;
  t.after(() => delete process.env.ELASTICSEARCH_URL);
  const named = await startElasticsearch({ mode: 'plain' });
  assert.equal(named.url, url);
  await named.stop();
  for (const what of [named.kill, named.restart]) await assert.rejects(what(), /not possible with the server that/);
  for (const what of [named.freeze, named.thaw, named.logs]) assert.throws(what, /not possible with the server that/);
  await assert.rejects(startElasticsearch({ mode: 'secured', roles: '', users: [] }), /a server with users is not/);
});

test('who shares a server leaves nothing of its own behind, and nothing of others is touched', async () => {
  const own = process.env[brokerVariable] === undefined ? await openBroker() : undefined;
  if (own !== undefined) process.env[brokerVariable] = own.url;
  try {
    const [one, other] = [await sharedElasticsearch(), await sharedElasticsearch()];
    assert.equal(one.url, other.url);
    assert.notEqual(one.prefix, other.prefix);
    const put = (path: string, body: unknown) => elasticsearchCall({ url: one.url, method: 'PUT', path, body });
    for (const { prefix } of [one, other]) {
      await put(`/_component_template/${prefix}c`, { template: {} });
      await put(`/_index_template/${prefix}t`, { index_patterns: [`${prefix}*`], composed_of: [`${prefix}c`] });
      await put(`/${prefix}a/_create/1`, {});
    }
    await one.stop();
    for (const path of ['', '_index_template/', '_component_template/']) {
      const status = async ({ prefix }: { prefix: string }, name: string) =>
        (await elasticsearchCall({ url: one.url, path: `/${path}${prefix}${name}` })).status;
      const name = path === '' ? 'a' : path === '_index_template/' ? 't' : 'c';
      assert.deepEqual([await status(one, name), await status(other, name)], [404, 200], path);
    }
  } finally {
    if (own !== undefined) delete process.env[brokerVariable];
    await own?.close();
  }
});

/** Where the server under test keeps everything. */
async function folder(): Promise<string> {
  const { text } = await call('/_nodes/settings');
  const path = /"logs":"([^"]+)\/logs"/.exec(text)?.[1] ?? '';
  assert.ok(path.startsWith(tmpdir()), text);
  return path;
}
