import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { SkilltapeError } from '../../../extproc/errors.ts';
import { fileSha256 } from '../../../extproc/tools/checksum.ts';
import { type ElasticsearchOptions, resolveElasticsearch } from '../../../extproc/tools/elasticsearch.ts';
import { emptyMachine, javaScript, type Machine } from './machine.ts';

const top = 'elasticsearch-8.19.21';
const jar = `${top}/lib/${top}.jar`;
const artifactPath = '/org/elasticsearch/distribution/integ-test-zip/elasticsearch/8.19.21/elasticsearch-8.19.21.zip';

type Member = readonly [name: string, mode: number];
const wholeZip: readonly Member[] = [
  [`${top}/config/`, 0o40750],
  [`${top}/config/users`, 0o100660],
  [`${top}/bin/elasticsearch`, 0o100755],
  [jar, 0o100644],
];

function zip(machine: Machine, members: readonly Member[]): string {
  const path = join(machine.root, 'source.zip');
  const make = `import json, sys, zipfile
with zipfile.ZipFile(sys.argv[1], 'w') as z:
    for name, mode in json.loads(sys.argv[2]):
        info = zipfile.ZipInfo(name)
        info.external_attr = mode << 16
        z.writestr(info, '' if name.endswith('/') else 'content of ' + name)`;
  execFileSync('python3', ['-c', make, path, JSON.stringify(members)]);
  return path;
}

/** A machine with Java, and with a Maven client that copies this zip to where it is told. */
function withMaven(t: TestContext, source: (machine: Machine) => string): Machine {
  const machine = emptyMachine(t);
  machine.borrow('cp');
  machine.command('java', javaScript('/opt/java', 17));
  machine.command(
    'mvn',
    `echo "$*" >> ${join(machine.root, 'mvn.log')}
for word in "$@"; do case $word in -DoutputDirectory=*) folder=\${word#*=};; esac; done
cp ${source(machine)} "$folder/elasticsearch-8.19.21.zip"`,
  );
  return machine;
}

async function optionsFor(machine: Machine, source = join(machine.root, 'source.zip')): Promise<ElasticsearchOptions> {
  return { env: machine.env, progress: () => {}, sha256: await fileSha256(source) };
}

async function refusal(options: ElasticsearchOptions): Promise<string> {
  const error = await resolveElasticsearch({ progress: () => {}, ...options }).then(
    () => null,
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof SkilltapeError && error.code === 'tool_missing', String(error));
  assert.match(error.message, /^Elasticsearch 8\.19\.21 is missing, which skilltape needs to .+: .+; .+\.$/);
  assert.ok(!error.message.includes('\n'));
  return error.message;
}

test('a server that is named by its URL is used as it is, and nothing is looked for', async (t) => {
  const machine = emptyMachine(t);
  const env = { ...machine.env, ELASTICSEARCH_URL: 'https://search.example:9200/' };
  const found = await resolveElasticsearch({ env, progress: assert.fail });
  assert.deepEqual(found, { kind: 'server', url: 'https://search.example:9200' });
  for (const wrong of ['search.example:9200', 'ftp://search.example', 'no url']) {
    const message = await refusal({ env: { ...env, ELASTICSEARCH_URL: wrong } });
    assert.match(message, /ELASTICSEARCH_URL does not hold an http or https URL; set ELASTICSEARCH_URL/);
    assert.ok(!message.includes(wrong), 'a URL may hold a password');
  }
});

test('without Java nothing is fetched, and the sentence says what would do', async (t) => {
  const machine = withMaven(t, (own) => zip(own, wholeZip));
  machine.command('java', javaScript('/opt/old', 11));
  const message = await refusal({ env: machine.env });
  assert.match(message, /it runs on Java 17 or newer, which was not found \(\/opt\/old is Java 11\)/);
  assert.match(message, /set ELASTICSEARCH_URL to the URL of a running server, or provide Java 17 or newer/);
  assert.ok(!existsSync(join(machine.root, 'mvn.log')) && !existsSync(machine.cache));
});

test('the Maven client fetches the pinned artifact, which is unpacked into the cache and found there later', async (t) => {
  const machine = withMaven(t, (own) => zip(own, wholeZip));
  const lines: string[] = [];
  const options = { ...(await optionsFor(machine)), progress: (line: string) => void lines.push(line) };
  const home = join(machine.cache, 'elasticsearch-8.19.21', 'elasticsearch');
  const expected = { kind: 'distribution', home, javaHome: '/opt/java', version: '8.19.21' };
  assert.deepEqual(await resolveElasticsearch(options), { ...expected, source: 'fetched' });
  assert.match(
    readFileSync(join(machine.root, 'mvn.log'), 'utf8'),
    /^-q -B \S+:maven-dependency-plugin:3\.6\.1:copy -Dartifact=org\.elasticsearch\.distribution\.integ-test-zip:elasticsearch:8\.19\.21:zip -DoutputDirectory=\S+\n$/,
  );
  assert.deepEqual(
    lines.map((line) => line.replace(machine.cache, '…')),
    [
      'fetching Elasticsearch 8.19.21 with mvn',
      'unpacking Elasticsearch 8.19.21',
      'Elasticsearch 8.19.21 is in …/elasticsearch-8.19.21/elasticsearch',
    ],
  );
  const modes = ['config', 'config/users', 'bin/elasticsearch'].map((name) => statSync(join(home, name)).mode & 0o777);
  assert.deepEqual(modes, [0o755, 0o644, 0o755], 'readable for the account that runs it');
  assert.equal(readFileSync(join(home, 'lib', `${top}.jar`), 'utf8'), `content of ${jar}`);
  assert.deepEqual(readdirSync(machine.cache), ['elasticsearch-8.19.21']);
  const again = await resolveElasticsearch({ env: machine.env, progress: assert.fail });
  assert.deepEqual(again, { ...expected, source: 'cache' });
});

test('a zip with another checksum than the pinned one is not unpacked', async (t) => {
  const machine = withMaven(t, (own) => zip(own, wholeZip));
  assert.match(
    await refusal({ env: machine.env }),
    /the downloaded zip has the SHA-256 [0-9a-f]{64} instead of 215d5f/,
  );
  assert.deepEqual(readdirSync(machine.cache), []);
});

test('a zip with a link, with a name that leads out of it, or without the parts of a server is refused', async (t) => {
  const cases: [readonly Member[], RegExp][] = [
    [
      [...wholeZip, [`${top}/link`, 0o120777]],
      /cannot be unpacked: elasticsearch-8\.19\.21\/link is not a regular file/,
    ],
    [[...wholeZip, ['../escaped', 0o100644]], /cannot be unpacked: invalid relative path/],
    [wholeZip.filter(([name]) => name !== jar), /the downloaded zip is not the distribution/],
  ];
  for (const [members, expected] of cases) {
    const machine = withMaven(t, (own) => zip(own, members));
    assert.match(await refusal(await optionsFor(machine)), expected);
    assert.deepEqual(readdirSync(machine.cache), []);
  }
});

test('without the Maven client the file comes from the place that the repository layout gives it', async (t) => {
  const machine = emptyMachine(t);
  machine.command('java', javaScript('/opt/java', 17));
  const source = zip(machine, wholeZip);
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? '');
    response.end(readFileSync(source));
  }).listen(0, '127.0.0.1');
  t.after(() => server.close());
  await once(server, 'listening');
  const repository = `http://127.0.0.1:${(server.address() as AddressInfo).port}/maven2`;
  const env = { ...machine.env, MAVEN_REPOSITORY_URL: repository };
  const found = await resolveElasticsearch({ ...(await optionsFor(machine)), env });
  assert.equal(found.kind === 'distribution' && found.source, 'fetched');
  assert.deepEqual(asked, [`/maven2${artifactPath}`]);
});

test('what stopped the Maven client and the repository is said in one sentence', async (t) => {
  const machine = emptyMachine(t);
  machine.command('java', javaScript('/opt/java', 17));
  const server = createServer((_, response) => void response.writeHead(404).end('not here')).listen(0, '127.0.0.1');
  t.after(() => server.close());
  await once(server, 'listening');
  const repository = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  assert.match(
    await refusal({ env: { ...machine.env, MAVEN_REPOSITORY_URL: repository } }),
    /there is no mvn; \S+ was answered with status 404/,
  );
  machine.command('mvn', `echo "[ERROR] Could not transfer artifact"; echo "[ERROR] For more information"; exit 1`);
  const nowhere = { ...machine.env, MAVEN_REPOSITORY_URL: 'http://127.0.0.1:1' };
  assert.match(await refusal({ env: nowhere }), /mvn failed: Could not transfer artifact; .*ECONNREFUSED/);
  assert.match(
    await refusal({ env: machine.env }),
    /mvn failed: Could not transfer artifact, and MAVEN_REPOSITORY_URL names no repository/,
  );
  machine.command('mvn', 'exit 0');
  assert.match(await refusal({ env: nowhere }), /mvn left no elasticsearch-8\.19\.21\.zip; /);
  assert.deepEqual(readdirSync(machine.cache), []);
});

test('a connection that is cut leaves no half file behind', async (t) => {
  const machine = emptyMachine(t);
  machine.command('java', javaScript('/opt/java', 17));
  const server = createServer((_, response) => {
    response.writeHead(200, { 'content-length': 1000 });
    response.write('half', () => response.destroy());
  }).listen(0, '127.0.0.1');
  t.after(() => server.close());
  await once(server, 'listening');
  const repository = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  assert.match(
    await refusal({ env: { ...machine.env, MAVEN_REPOSITORY_URL: repository } }),
    /fetching it failed \(there is no mvn; aborted\)/,
  );
  assert.deepEqual(readdirSync(machine.cache), []);
});

test('a damaged folder in the cache is replaced, and two that fetch at once both get a whole one', async (t) => {
  const machine = withMaven(t, (own) => zip(own, wholeZip));
  const home = join(machine.cache, 'elasticsearch-8.19.21', 'elasticsearch');
  mkdirSync(join(home, 'bin'), { recursive: true });
  writeFileSync(join(home, 'bin', 'elasticsearch'), 'half');
  const options = await optionsFor(machine);
  const both = await Promise.all([resolveElasticsearch(options), resolveElasticsearch(options)]);
  for (const found of both) assert.equal(found.kind === 'distribution' && found.home, home);
  assert.equal(readFileSync(join(home, 'lib', `${top}.jar`), 'utf8'), `content of ${jar}`);
  assert.deepEqual(readdirSync(machine.cache), ['elasticsearch-8.19.21']);
});
