import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { SkilltapeError } from '../../extproc/errors.ts';
import { mappingVersion } from '../../extproc/index/elasticsearch/mapping.ts';
import {
  checkElasticsearch,
  openElasticsearchCheckpoints,
  openElasticsearchIndex,
  openElasticsearchReplace,
  openElasticsearchRetention,
  openElasticsearchSearch,
  openStoredCheckpoints,
  setUpElasticsearch,
} from '../../extproc/index/elasticsearch/open.ts';
import type { ElasticsearchOptions } from '../../extproc/index/elasticsearch/options.ts';
import type { Delivery } from '../../extproc/index/port.ts';
import { temporaryDirectory } from '../builders/directory.ts';
import { documentOf } from '../builders/document.ts';
import { elasticsearchCall } from '../environment/elasticsearch/call.ts';
import { startElasticsearch, type TestElasticsearch } from '../environment/elasticsearch.ts';

/** A cluster with TLS, users and the roles that deploy/ gives: each identity may do its own part and nothing else. */

const rolesFile = fileURLToPath(new URL('../../deploy/elasticsearch/roles.yml', import.meta.url));
const roles = readFileSync(rolesFile, 'utf8');
const roleNames = Object.keys(parse(roles) as object);
const password = 'a password of 1 user';
const prefix = 'skilltape';
const index = 'skilltape-standard-2026.01.15';

let server: TestElasticsearch;
before(async () => {
  const users = roleNames.map((name) => ({ name, password, roles: [name] }));
  server = await startElasticsearch({ mode: 'secured', roles, users });
});
after(() => server?.stop());

function passwordOf(user: string): string {
  return user === server.admin?.name ? server.admin.password : password;
}

function optionsFor(t: TestContext, user: string, changes: Partial<ElasticsearchOptions> = {}): ElasticsearchOptions {
  const directory = temporaryDirectory(t);
  const file = (name: string, text: string): string => {
    writeFileSync(join(directory, name), text, { mode: 0o600 });
    return join(directory, name);
  };
  return {
    nodes: [server.url],
    caFile: file('ca.pem', server.ca ?? ''),
    credential: { usernameFile: file('username', user), passwordFile: file('password', passwordOf(user)) },
    ...{ prefix, numberOfReplicas: 0, refreshIntervalMs: 5_000, requestTimeoutMs: 20_000 },
    ...changes,
  };
}

async function deliverAs(
  t: TestContext,
  user: string,
  ids: string[],
  changes?: Partial<ElasticsearchOptions>,
): Promise<Delivery[]> {
  const sink = await openElasticsearchIndex(optionsFor(t, user, changes), { keep: () => assert.fail('rejected') }, 1);
  t.after(() => sink.close());
  return [...(await sink.deliver(ids.map((id) => documentOf({ id }))))];
}

async function call(user: string | null, method: string, path: string, body?: unknown): Promise<number> {
  const login = user === null ? server.admin : { name: user, password };
  const { status, text } = await elasticsearchCall({ url: server.url, ca: server.ca, login, method, path, body });
  if (!path.startsWith('/_bulk')) return status;
  const { items } = JSON.parse(text) as { items: Record<string, { status: number }>[] };
  return Object.values(items[0] ?? {})[0]?.status ?? 0;
}

const isIndexFailed = (words: RegExp) => (thrown: unknown) =>
  thrown instanceof SkilltapeError && thrown.code === 'index_failed' && words.test(thrown.message);

test('without the template the writer writes nothing and says what is to be done', async (t) => {
  const [delivery] = await deliverAs(t, 'skilltape_writer', ['early']);
  assert.equal(delivery?.kind, 'retry');
  assert.match(delivery?.kind === 'retry' ? delivery.reason : '', /is not there: run `skilltape index setup`/);
  assert.equal(await call(null, 'HEAD', `/${index}`), 404);
});

test('the template is put in place by the role for it, and by no other', async (t) => {
  for (const user of roleNames.filter((name) => name !== 'skilltape_setup'))
    await assert.rejects(setUpElasticsearch(optionsFor(t, user)), isIndexFailed(/security_exception/), user);
  assert.deepEqual(await setUpElasticsearch(optionsFor(t, 'skilltape_setup')), {
    template: prefix,
    version: mappingVersion,
  });
});

test('the writer adds documents; it cannot search, change, overwrite or delete one', async (t) => {
  const user = 'skilltape_writer';
  assert.deepEqual(await deliverAs(t, user, ['a', 'b']), [{ kind: 'accepted' }, { kind: 'accepted' }]);
  assert.deepEqual(await deliverAs(t, user, ['a']), [{ kind: 'duplicate' }]);
  await call(null, 'POST', `/${index}/_refresh`);
  const line = (action: object, source?: object): string =>
    [action, ...(source === undefined ? [] : [source])].map((part) => `${JSON.stringify(part)}\n`).join('');
  const at = { _index: index, _id: 'a' };
  const refused: readonly (readonly [method: string, path: string, body?: unknown])[] = [
    ['POST', `/${index}/_search`, { query: { match_all: {} } }],
    ['GET', `/${index}/_doc/a`],
    ['GET', `/${index}/_count`],
    ['PUT', `/${index}/_doc/a`, { overwritten: true }],
    ['POST', `/${index}/_update/a`, { doc: { changed: true } }],
    ['DELETE', `/${index}/_doc/a`],
    ['DELETE', `/${index}`],
    ['PUT', `/${index}/_settings`, { 'index.number_of_replicas': 1 }],
    ['PUT', '/_index_template/skilltape', { index_patterns: ['skilltape-*'] }],
    ['PUT', '/other/_create/1', { a: 1 }],
    ['PUT', '/skilltape-mine', { mappings: { dynamic: true } }],
    ['POST', '/_bulk', line({ index: at }, { overwritten: true })],
    ['POST', '/_bulk', line({ update: at }, { doc: { changed: true } })],
    ['POST', '/_bulk', line({ delete: at })],
  ];
  for (const [method, path, body] of refused)
    assert.equal(await call(user, method, path, body), 403, `${method} ${path} ${JSON.stringify(body)}`);
  const search = openElasticsearchSearch(optionsFor(t, 'skilltape_reader'));
  t.after(() => search.close());
  assert.deepEqual({ ...(await search.get('a')) }, { ...documentOf({ id: 'a' }) });
});

test('masking again replaces a document with a role of its own; shipping and searching cannot', async (t) => {
  const replacer = openElasticsearchReplace(optionsFor(t, 'skilltape_remask'));
  t.after(() => replacer.close());
  const changed = [documentOf({ id: 'b', output: 'masked again' }), documentOf({ id: 'b.1' })];
  assert.deepEqual(await replacer.replace(changed), { kind: 'replaced' });
  await call(null, 'POST', `/${index}/_refresh`);
  assert.deepEqual(await replacer.replace(changed), { kind: 'unchanged' });
  assert.deepEqual(await replacer.replace([documentOf({ id: 'b' })]), { kind: 'replaced' });
  await call(null, 'POST', `/${index}/_refresh`);
  for (const user of ['skilltape_writer', 'skilltape_reader', 'skilltape_kibana_reader']) {
    const other = openElasticsearchReplace(optionsFor(t, user));
    t.after(() => other.close());
    const outcome = await other.replace(changed);
    assert.equal(outcome.kind, 'retry', user);
    assert.match(
      outcome.kind === 'retry' ? outcome.reason : '',
      /the role of the credential does not allow it|403/,
      user,
    );
  }
  assert.equal(await call('skilltape_remask', 'DELETE', `/${index}`), 403);
  assert.equal(await call('skilltape_remask', 'PUT', '/other/_create/1', { a: 1 }), 403);
});

test('the reader finds and sums, and cannot write; the writer cannot search', async (t) => {
  const search = openElasticsearchSearch(optionsFor(t, 'skilltape_reader'));
  t.after(() => search.close());
  assert.equal((await search.search({ text: 'tape' })).hits.length, 2);
  assert.equal((await search.usage({ by: ['user'] }))[0]?.exchanges, 2);
  assert.equal((await search.session('session-1')).documents.length, 2);
  for (const user of ['skilltape_reader', 'skilltape_kibana_reader', 'skilltape_setup']) {
    assert.equal(await call(user, 'PUT', `/${index}/_create/c`, { a: 1 }), 403, user);
    assert.equal(await call(user, 'POST', `/${index}/_update/a`, { doc: { changed: true } }), 403, user);
    assert.equal(await call(user, 'DELETE', `/${index}/_doc/a`), 403, user);
  }
  assert.equal(await call('skilltape_setup', 'POST', `/${index}/_search`, {}), 403);
  assert.equal(await call('skilltape_kibana_reader', 'GET', `/${index}/_mapping`), 200);
  for (const user of roleNames.filter((name) => name !== 'skilltape_retention'))
    assert.equal(await call(user, 'DELETE', `/${index}`), 403, user);
  const writing = openElasticsearchSearch(optionsFor(t, 'skilltape_writer'));
  t.after(() => writing.close());
  await assert.rejects(writing.search({}), isIndexFailed(/the role of the credential does not allow it/));
});

test('the writer adds checkpoints and cannot take one back; the reader reads them, and others do neither', async (t) => {
  const checkpoint = { hash: 'aa01', writer: 'aa', number: 1, timeMs: 1_700_000_000_000, line: '{}\tsigned' };
  const writing = openElasticsearchCheckpoints(optionsFor(t, 'skilltape_writer'));
  t.after(() => writing.close());
  for (let times = 0; times < 2; times += 1) await writing.add(checkpoint);
  const place = '/skilltape_checkpoints';
  await call(null, 'POST', `${place}/_refresh`);
  const stored = openStoredCheckpoints(optionsFor(t, 'skilltape_reader'));
  t.after(() => stored.close());
  const lines: string[] = [];
  for await (const line of stored.lines()) lines.push(line);
  assert.deepEqual(lines, [checkpoint.line]);
  for (const user of roleNames) {
    assert.equal(await call(user, 'DELETE', `${place}/_doc/aa01`), 403, user);
    assert.equal(await call(user, 'PUT', `${place}/_doc/aa01`, { line: 'another' }), 403, user);
    assert.equal(await call(user, 'DELETE', place), 403, user);
    const mayRead = user === 'skilltape_reader';
    assert.equal(await call(user, 'POST', `${place}/_search`, {}), mayRead ? 200 : 403, user);
  }
  for (const user of ['skilltape_reader', 'skilltape_retention', 'skilltape_remask'])
    assert.equal(await call(user, 'PUT', `${place}/_create/bb`, { line: 'forged' }), 403, user);
});

test('a check says what a credential lacks for its part and what it may do beside it', async (t) => {
  const check = (user: string, purpose: 'shipping' | 'searching', changes?: Partial<ElasticsearchOptions>) =>
    checkElasticsearch(optionsFor(t, user, changes), purpose);
  const right = { problem: null, excess: [] };
  assert.deepEqual(await check('skilltape_writer', 'shipping'), right);
  assert.deepEqual(await check('skilltape_reader', 'searching'), right);
  const other = { prefix: 'other' };
  for (const [user, purpose, problem, changes] of [
    ['skilltape_reader', 'shipping', /lacks monitor and create_doc and auto_configure$/, {}],
    ['skilltape_writer', 'searching', /lacks read$/, {}],
    ['skilltape_writer', 'shipping', /lacks create_doc and auto_configure$/, other],
    ['test-admin', 'shipping', /index template other is not there/, other],
    ['nobody', 'searching', /does not accept the credential/, {}],
  ] as const)
    assert.match((await check(user, purpose, changes)).problem ?? '', problem, `${user} ${purpose}`);
  const { excess } = await check('test-admin', 'searching');
  assert.deepEqual(excess, ['index', 'delete', 'delete_index', 'manage']);
});

test('a cluster that the authority did not vouch for gets nothing', async (t) => {
  const [delivery] = await deliverAs(t, 'skilltape_writer', ['untrusted'], { caFile: undefined });
  assert.equal(delivery?.kind, 'retry');
  assert.match(delivery?.kind === 'retry' ? delivery.reason : '', /cannot be reached: .*certificate/);
});

test('a credential that is refused means later, and the file is read again', async (t) => {
  const options = optionsFor(t, 'skilltape_writer');
  const file = options.credential?.passwordFile ?? assert.fail('no password file');
  writeFileSync(file, 'an old password');
  const sink = await openElasticsearchIndex(options, { keep: () => assert.fail('rejected') }, 1);
  t.after(() => sink.close());
  const [refused] = await sink.deliver([documentOf({ id: 'rotated' })]);
  assert.match(refused?.kind === 'retry' ? refused.reason : '', /does not accept the credential/);
  assert.doesNotMatch(JSON.stringify(refused), /old password/);
  writeFileSync(file, password);
  assert.deepEqual(await sink.deliver([documentOf({ id: 'rotated' })]), [{ kind: 'accepted' }]);
});

test('retention reduces, erases and deletes with a role of its own; it makes no index and touches no other', async (t) => {
  const of = { retentionClass: 'standard', day: '2026-01-15' };
  const retention = openElasticsearchRetention(optionsFor(t, 'skilltape_retention'));
  t.after(() => retention.close());
  const documents = (await retention.days())[0]?.documents ?? 0;
  assert.ok(documents > 0);
  assert.ok((await retention.reduce(of)) > 0);
  assert.deepEqual((await retention.days())[0], { ...of, documents, withContent: 0 });
  const nobody = { issuer: 'https://login.example.org', ids: ['nobody'] };
  assert.equal(await retention.removePerson(nobody, new Date()), 0);
  assert.equal(await call('skilltape_retention', 'PUT', '/other/_create/1', { a: 1 }), 403);
  assert.equal(await call('skilltape_retention', 'PUT', '/skilltape-mine', {}), 403);
  for (const user of ['skilltape_writer', 'skilltape_reader', 'skilltape_remask']) {
    const other = openElasticsearchRetention(optionsFor(t, user));
    t.after(() => other.close());
    await assert.rejects(other.days(), isIndexFailed(/the role of the credential does not allow it/), user);
    await assert.rejects(other.remove(of), isIndexFailed(/the role of the credential does not allow it/), user);
  }
  assert.equal(await retention.remove(of), documents);
  const search = openElasticsearchSearch(optionsFor(t, 'skilltape_reader'));
  t.after(() => search.close());
  assert.deepEqual((await search.search({})).hits, []);
});
