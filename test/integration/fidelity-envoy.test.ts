import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { parse } from 'yaml';
import { parseConfig } from '../../extproc/config/parse.ts';
import { envoyPlanOf } from '../../extproc/envoy/plan.ts';
import { renderEnvoy } from '../../extproc/envoy/render.ts';
import { runChild } from '../../extproc/tools/child.ts';
import { resolveTool } from '../../extproc/tools/resolve.ts';
import { connectionPlan, envoyPlan } from '../builders/envoy-plan.ts';
import { createAuthority, writeCertificate } from '../fakes/certificates.ts';

const shipped = readFileSync(new URL('../../envoy/envoy.yaml', import.meta.url), 'utf8');
const readme = readFileSync(new URL('../../envoy/README.md', import.meta.url), 'utf8');

/** Every directory that the shipped file names. */
const prefixes = ['/etc/skilltape', '/run/skilltape', '/var/log/skilltape', '/etc/ssl/certs'];

/** The example of docs/connections.md, as it renders. */
function exampleOfTheGuide(): string {
  const guide = readFileSync(new URL('../../docs/connections.md', import.meta.url), 'utf8');
  const [, example = ''] = /```yaml\n(.*?)```/s.exec(guide) ?? [];
  const reading = parseConfig(`dataDirectory: data\nlisten: { socket: extproc.sock }\n${example}`, '/etc/skilltape');
  assert.ok(reading.ok);
  return renderEnvoy(envoyPlanOf(reading.config));
}

/** Several providers, dialects, pinned headers, and the processor over TCP. */
function richest(): string {
  const [idp] = envoyPlan().identityProviders;
  assert.ok(idp);
  const caFile = '/etc/ssl/certs/ca-certificates.crt';
  const upstream = { host: '2001:db8::1', port: 9, serverName: 'claude.internal', caFile };
  const credential = { file: '/etc/skilltape/sds/claude_credential.yaml', header: 'authorization' as const };
  const pinnedHeaders = { 'anthropic-workspace-id': 'wrkspc_$1' };
  const connection = connectionPlan('claude', { upstream, credential, pinnedHeaders });
  const address = { host: 'skilltape.internal', port: 9443, serverName: 'skilltape.internal', caFile };
  const own = { certificateFile: '/etc/skilltape/tls/gateway.crt', privateKeyFile: '/etc/skilltape/tls/gateway.key' };
  const jwksUri = 'http://127.0.0.1:9/keys';
  return renderEnvoy(
    envoyPlan({
      certificateFile: '/etc/skilltape/sds/gateway_certificate.yaml',
      processors: [{ tcp: { ...address, ...own } }, { tcp: { ...address, port: 9444, ...own } }],
      identityProviders: [
        { ...idp, caFile },
        { ...idp, name: 'ci', issuer: 'http://127.0.0.1:9', jwksUri, caFile },
      ],
      connections: [connection, { ...connection, name: 'other', routePrefix: '/a/b', pinnedHeaders: {} }],
    }),
  );
}

const configurations: [name: string, text: () => string][] = [
  ['envoy.yaml as shipped', () => shipped],
  ['what the example of docs/connections.md renders to', exampleOfTheGuide],
  ['what a configuration with everything renders to', richest],
];

for (const [name, textOf] of configurations) {
  test(`${name}, with the files that README.md describes, is valid for Envoy`, (t) => assertValid(t, textOf()));
}

async function assertValid(t: TestContext, configuration: string): Promise<void> {
  const envoy = await resolveTool('envoy', { env: process.env });
  const directory = mkdtempSync(join(tmpdir(), 'skilltape-envoy-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const moved = (text: string) =>
    prefixes.reduce((all, prefix) => all.replaceAll(prefix, `${directory}${prefix}`), text);
  const put = (file: string, text: string) => {
    mkdirSync(dirname(moved(file)), { recursive: true });
    writeFileSync(moved(file), text, { mode: 0o600 });
  };
  for (const prefix of [...prefixes, '/etc/skilltape/tls']) mkdirSync(moved(prefix), { recursive: true });
  const authority = await createAuthority('test');
  put('/etc/ssl/certs/ca-certificates.crt', authority.certificatePem);
  const certificate = await authority.issue({ commonName: 'gateway', dnsNames: ['gateway.example'] });
  const files = await writeCertificate(moved('/etc/skilltape/tls'), 'gateway', certificate);
  put('/etc/skilltape/tls/internal-ca.pem', authority.certificatePem);
  for (const name of ['gateway_certificate', 'claude_credential']) {
    const example = readme.split(`# ${name}.yaml\n`)[1]?.split('```')[0];
    assert.ok(example, `README.md shows ${name}.yaml`);
    const text = example
      .replace('/etc/skilltape/tls/gateway.crt', files.certificateFile)
      .replace('/etc/skilltape/tls/gateway.key', files.privateKeyFile);
    put(`/etc/skilltape/sds/${name}.yaml`, text);
  }
  for (const name of ['research', 'builds']) {
    put(`/etc/skilltape/sds/${name}_credential.yaml`, secretOf(readme).replaceAll('claude_', `${name}_`));
  }
  const configFile = join(directory, 'envoy.yaml');
  writeFileSync(configFile, moved(configuration));
  const result = await runChild(envoy.path, ['--mode', 'validate', '-c', configFile], {
    env: process.env,
    timeoutMs: 60_000,
    cwd: directory,
  });
  assert.equal(result.kind, 'ended');
  assert.equal(result.kind === 'ended' ? result.status : null, 0, JSON.stringify(result));
  assert.match(JSON.stringify(result), / OK/);
}

function secretOf(text: string): string {
  return text.split('# claude_credential.yaml\n')[1]?.split('```')[0] ?? '';
}

type Envoy = {
  static_resources: {
    listeners: { filter_chains: { filters: { typed_config: Manager }[] }[] }[];
    clusters: { name: string }[];
  };
};
type Manager = {
  http_filters: { name: string; typed_config: unknown }[];
  route_config: { virtual_hosts: { routes: Route[] }[] };
};
type Route = {
  name: string;
  match: unknown;
  typed_per_filter_config: Record<string, { overrides: { grpc_initial_metadata: unknown } }>;
};

function managerOf(text: string): Manager {
  const manager = (parse(text) as Envoy).static_resources.listeners[0]?.filter_chains[0]?.filters[0]?.typed_config;
  assert.ok(manager);
  return manager;
}

const chain = [
  ...['header_to_metadata', 'rbac', 'jwt_authn', 'ext_proc'],
  ...['skilltape.released', 'skilltape.credential.claude', 'router'],
];

function rendered(names: string[]): string {
  return renderEnvoy(envoyPlan({ connections: names.map((name) => connectionPlan(name)) }));
}

test('a rendered configuration has every filter of the shipped one, in its order', () => {
  const names = (text: string) => managerOf(text).http_filters.map(({ name }) => name);
  assert.deepEqual(
    names(shipped),
    chain.map((name) => (name.includes('.') ? name : `envoy.filters.http.${name}`)),
  );
  const others = names(rendered(['claude', 'sandbox', 'research']));
  assert.deepEqual(
    others.filter((name) => !['skilltape.credential.sandbox', 'skilltape.credential.research'].includes(name)),
    names(shipped),
  );
  assert.equal(others.length, names(shipped).length + 2);
});

test('filters that render has no business with are rendered as shipped', () => {
  const untouched = ['header_to_metadata', 'rbac', 'ext_proc', 'released', 'router'];
  const picked = (text: string) =>
    managerOf(text).http_filters.filter(({ name }) => untouched.includes(name.split('.').at(-1) ?? ''));
  assert.deepEqual(picked(rendered(['claude', 'sandbox'])), picked(shipped));
});

test('every rendered route names its connection, and the prefix that it takes off', () => {
  const routes = managerOf(rendered(['claude', 'sandbox'])).route_config.virtual_hosts[0]?.routes ?? [];
  const metadata = routes.map(({ name, match, typed_per_filter_config: config }) => [
    name,
    match,
    config['envoy.filters.http.ext_proc']?.overrides.grpc_initial_metadata,
  ]);
  const connection = (value: string) => ({ key: 'x-skilltape-connection', value });
  assert.deepEqual(metadata, [
    [
      'sandbox',
      { prefix: '/sandbox/' },
      [connection('sandbox'), { key: 'x-skilltape-path-prefix', value: '/sandbox' }],
    ],
    ['claude', { prefix: '/' }, [connection('claude')]],
  ]);
});

test('README.md describes the chain in its order', () => {
  const places = chain.map((name) => readme.indexOf(`**\`${name.replace('.claude', '.<connection>')}\`**`));
  assert.ok(
    places.every((place, at) => place > (places[at - 1] ?? 0)),
    `${places}`,
  );
});
