import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { describeConfig } from '../../../extproc/config/describe.ts';
import { composePlaces, consoleClientId, consoleOriginOf, issuerOf } from '../../../extproc/demo/compose/places.ts';
import { makeSecrets } from '../../../extproc/demo/compose/secrets.ts';
import { elasticsearchPin, pins } from '../../../extproc/tools/versions.ts';

/** docker-compose.yml cannot be started everywhere; what it says can be checked everywhere. */

type Service = {
  image?: string;
  build?: { context: string; target: string };
  command?: string[];
  entrypoint?: string[];
  environment?: Record<string, string>;
  volumes?: string[];
  networks?: string[];
  ports?: string[];
  depends_on?: Record<string, { condition: string }>;
  healthcheck?: { test: string[] };
  restart?: string;
};
type Compose = { services: Record<string, Service>; networks?: object; volumes?: object };

const root = fileURLToPath(new URL('../../..', import.meta.url));
const read = (name: string) => readFileSync(join(root, name), 'utf8');
const compose = parse(read('docker-compose.yml'), { merge: true }) as Compose;
const overlay = parse(read('deploy/compose/production.yml')) as Compose;
const dockerfile = read('Dockerfile');
const services = Object.entries(compose.services);

type Mount = { source: string; target: string; isReadOnly: boolean };

function mountsOf({ volumes = [] }: Service): Mount[] {
  return volumes.map((text) => {
    const [source = '', target = '', mode] = text.split(':');
    return { source, target, isReadOnly: mode === 'ro' };
  });
}

/** Files of this repository as a service of one of its images names them. */
function ownFiles({ command = [], healthcheck }: Service): string[] {
  const words = [...command, ...(healthcheck?.test ?? [])];
  return words.flatMap((word) => /^\/opt\/skilltape\/(\S+)$/.exec(word)?.[1] ?? []);
}

test('everything that is mounted from the repository is there, and only for reading', () => {
  const mounts = services.flatMap(([, service]) => mountsOf(service)).filter(({ source }) => source.startsWith('.'));
  assert.ok(mounts.length >= 5);
  for (const { source, isReadOnly } of mounts) {
    assert.ok(existsSync(join(root, source)), source);
    assert.ok(isReadOnly, source);
  }
});

test('every program that a service runs is in the repository and in its image', () => {
  const copied = [...dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap((match) => match[1]?.split(' ') ?? []);
  const files = services.flatMap(([, service]) => ownFiles(service));
  assert.ok(files.length >= 7);
  for (const file of files) {
    assert.ok(existsSync(join(root, file)), file);
    assert.ok(
      copied.some((folder) => file.startsWith(`${folder}/`)),
      file,
    );
  }
  for (const folder of copied) assert.ok(existsSync(join(root, folder)), folder);
  const stages = [...dockerfile.matchAll(/^FROM \S+ AS (\S+)$/gm)].map((match) => match[1]);
  for (const [name, { build }] of services) if (build) assert.ok(stages.includes(build.target), name);
  assert.equal(stages.at(-1), 'processor', 'what `docker build .` makes');
});

test('images have the versions that the tests run against', () => {
  const imageOf = (name: string) => compose.services[name]?.image;
  assert.equal(imageOf('envoy'), `envoyproxy/envoy:v${pins.envoy.version}`);
  for (const name of ['elasticsearch', 'kibana']) {
    assert.equal(imageOf(name), `docker.elastic.co/${name}/${name}:${elasticsearchPin.version}`);
  }
  assert.match(dockerfile, new RegExp(`^FROM openpolicyagent/opa:${pins.opa.version}-static AS opa$`, 'm'));
  const { dependencies } = JSON.parse(read('package.json')) as { dependencies: { node: string } };
  assert.ok(dockerfile.includes(`FROM node:${dependencies.node.split('.')[0]}-slim AS base`));
});

test('every volume and network that is named is declared, and every declared one is used', () => {
  const volumes = services.flatMap(([, service]) => mountsOf(service)).filter(({ source }) => !source.startsWith('.'));
  assert.deepEqual(
    [...new Set(volumes.map(({ source }) => source))].toSorted(),
    Object.keys(compose.volumes ?? {}).toSorted(),
  );
  const networks = services.flatMap(([, service]) => service.networks ?? []);
  assert.deepEqual([...new Set(networks)].toSorted(), Object.keys(compose.networks ?? {}).toSorted());
});

test('a service waits for services that there are, by their health where they have any', () => {
  for (const [name, { depends_on: dependsOn = {} }] of services) {
    for (const [other, { condition }] of Object.entries(dependsOn)) {
      const service = compose.services[other];
      assert.ok(service !== undefined, `${name} waits for ${other}`);
      const expected = service.healthcheck ? 'service_healthy' : 'service_completed_successfully';
      assert.equal(condition, expected, `${name} waits for ${other}`);
      if (!service.healthcheck) assert.equal(service.restart, undefined, `${other} ends by itself`);
    }
  }
});

test('a service sees its own secrets only, and cannot change them', async () => {
  const made = await makeSecrets(composePlaces);
  const folders = new Set(Object.keys(made).map((name) => `/setup/${name.split('/')[0]}`));
  const setup = compose.services.setup ?? {};
  const written = mountsOf(setup).filter(({ target }) => target.startsWith('/setup/'));
  assert.deepEqual(new Set(written.map(({ target }) => target)), folders);
  for (const folder of folders) assert.ok(dockerfile.includes(folder.slice('/setup/'.length)), folder);
  const readers = services
    .filter(([name]) => name !== 'setup')
    .flatMap(([name, service]) =>
      mountsOf(service)
        .filter(({ target }) => target.startsWith('/setup/'))
        .map(({ source, target, isReadOnly }) => {
          assert.ok(isReadOnly, `${name} ${target}`);
          assert.equal(source, target.slice(1).replace('/', '-'));
          return `${name} ${target}`;
        }),
    );
  assert.deepEqual(readers.toSorted(), [
    'claude /setup/fakes',
    'console /setup/console',
    'elasticsearch /setup/elasticsearch',
    'envoy /setup/envoy',
    'identity-provider /setup/fakes',
    'index-template /setup/install',
    'kibana /setup/kibana',
    'kibana-objects /setup/install',
    'skilltape /setup/skilltape',
    'traffic /setup/fakes',
  ]);
});

test('every file below /setup that a configuration or a command names is made, for the service that names it', async () => {
  const made = new Set(Object.keys(await makeSecrets(composePlaces)).map((name) => `/setup/${name}`));
  made.add('/setup/envoy/envoy.yaml');
  const texts = [
    'docker-compose.yml',
    ...['elasticsearch.yml', 'kibana.yml', 'skilltape.yaml'].map((name) => `deploy/compose/${name}`),
  ];
  const program = 'extproc/demo/compose/template.ts';
  const named = texts.flatMap((name) => read(name).match(/\/setup\/[a-z]+\/[\w.-]+/g) ?? []);
  assert.ok(named.length > 15);
  for (const path of named) assert.ok(made.has(path), path);
  for (const [, name] of read(program).matchAll(/\$\{folder\}\/([\w.]+)/g))
    assert.ok(made.has(`/setup/install/${name}`), name);
});

test('services find each other by the names and ports that their programs use', () => {
  const { identityProvider, claude, gateway, console } = composePlaces;
  for (const { host } of [identityProvider, claude, gateway, console])
    assert.ok(compose.services[host] !== undefined, host);
  for (const { host, port } of [identityProvider, claude, console]) {
    assert.deepEqual(compose.services[host]?.healthcheck?.test.slice(-2), [host, String(port)]);
  }
  assert.ok(compose.services.envoy?.ports?.every((text) => text.endsWith(`:8443:${gateway.port}`)));
  const { identityProviders, index } = parse(read('deploy/compose/skilltape.yaml'));
  assert.equal(identityProviders.idp.issuer, issuerOf(composePlaces));
  for (const url of index.elasticsearch.nodes) assert.ok(compose.services[new URL(url).hostname] !== undefined);
  for (const url of parse(read('deploy/compose/kibana.yml'))['elasticsearch.hosts']) {
    assert.ok(compose.services[new URL(url).hostname] !== undefined);
  }
});

test('the console is the client that the identity provider knows, where people reach it, on the data of the processor', async () => {
  const { console: section } = parse(read('deploy/compose/skilltape.yaml'));
  assert.equal(section.publicUrl, consoleOriginOf(composePlaces));
  assert.equal(section.clientId, consoleClientId);
  assert.equal(section.listen.port, composePlaces.console.port);
  const { console: service = {}, skilltape = {}, 'identity-provider': provider = {} } = compose.services;
  assert.deepEqual(service.ports, [`127.0.0.1:${new URL(section.publicUrl).port}:${section.listen.port}`]);
  assert.deepEqual(service.command, ['console', '--config', '/etc/skilltape/skilltape.yaml']);
  const { port } = composePlaces.identityProvider;
  assert.deepEqual(provider.ports, [`127.0.0.1:${port}:${port}`]);
  const shared = ['/etc/skilltape/skilltape.yaml', '/etc/skilltape/policies', '/var/lib/skilltape'];
  const sharedBy = (one: Service) => mountsOf(one).filter(({ target }) => shared.includes(target));
  assert.equal(sharedBy(service).length, shared.length);
  assert.deepEqual(sharedBy(service), sharedBy(skilltape));
  const made = await makeSecrets(composePlaces);
  assert.equal(made['console/client.secret'], made['fakes/console-client.secret']);
});

test('the processor is healthy when it says that it is ready, on the port that it has by default', () => {
  const defaults = new Map(describeConfig().map((key) => [key.key, key.default]));
  const { test: command } = compose.services.skilltape?.healthcheck ?? {};
  assert.deepEqual(
    command?.slice(-2).map((word) => word.split('/').at(-1)),
    ['ready.ts', defaults.get('operations.port')],
  );
  assert.equal(parse(read('deploy/compose/skilltape.yaml')).operations, undefined);
});

test('the health check of the processor tells ready from not ready and from nobody there', async () => {
  let status = 200;
  const server = createServer((_request, response) => response.writeHead(status).end('{"ready":false}'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const port = String((server.address() as AddressInfo).port);
  const script = join(root, 'extproc/demo/compose/ready.ts');
  const check = async () => {
    const child = spawn(process.execPath, [script, port], { stdio: ['ignore', 'ignore', 'pipe'] });
    const [said, code] = await Promise.all([text(child.stderr), once(child, 'exit').then(([code]) => code)]);
    return [code, said.trim()];
  };
  assert.deepEqual(await check(), [0, '']);
  status = 503;
  assert.deepEqual(await check(), [1, '{"ready":false}']);
  await new Promise((resolve) => server.close(resolve));
  assert.deepEqual(await check(), [1, 'no answer']);
});

test('no password stands in the file, and nothing is open to the network unless it is asked for', () => {
  for (const [name, { environment = {}, ports = [] }] of services) {
    for (const key of Object.keys(environment)) assert.doesNotMatch(key, /password|secret|token|key/i, name);
    for (const port of ports) assert.match(port, /^(127\.0\.0\.1|\$\{GATEWAY_ADDRESS:-127\.0\.0\.1\}):/, name);
  }
});

test('for production the parts that let everybody in are left out, and no other', () => {
  const demoOnly = services.filter(([, service]) => mountsOf(service).some(({ target }) => target === '/setup/fakes'));
  const names = demoOnly.map(([name]) => name).filter((name) => name !== 'setup');
  const leftOut = Object.entries(overlay.services).filter(([, service]) => 'profiles' in service);
  assert.deepEqual(leftOut.map(([name]) => name).toSorted(), names.toSorted());
  for (const [name, { depends_on: dependsOn = {} }] of services) {
    if (names.includes(name)) continue;
    for (const other of Object.keys(dependsOn)) assert.ok(!names.includes(other), `${name} waits for ${other}`);
  }
  for (const [name, service] of Object.entries(overlay.services)) {
    assert.ok(compose.services[name] !== undefined, name);
    for (const { source } of mountsOf(service)) assert.match(source, /^\.\/deploy\/etc(\/|$)/);
  }
});
