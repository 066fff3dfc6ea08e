import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { loadConfig } from '../../../extproc/config/load.ts';
import { envoyPlanOf, type ProcessorAddress } from '../../../extproc/envoy/plan.ts';
import { renderEnvoy } from '../../../extproc/envoy/render.ts';
import { envoyAnsweredHeader } from '../../../extproc/exchange/envoy-answer.ts';
import { connectionPlan, envoyPlan } from '../../builders/envoy-plan.ts';

type Cluster = {
  type: string;
  load_assignment: { endpoints: { lb_endpoints: { endpoint: { address: unknown } }[] }[] };
  transport_socket?: { typed_config: { sni: string } };
};

function clusterOf(processors: readonly ProcessorAddress[]): Cluster {
  const text = renderEnvoy(envoyPlan({ processors }));
  const { static_resources: resources } = parse(text, { merge: false, maxAliasCount: -1 });
  return resources.clusters[0] as Cluster;
}

function addressesOf({ load_assignment: { endpoints } }: Cluster): unknown[] {
  return endpoints.flatMap(({ lb_endpoints: hosts }) => hosts.map(({ endpoint }) => endpoint.address));
}

test('each worker is an endpoint of the one cluster', () => {
  const cluster = clusterOf([{ socket: '/run/x.sock' }, { socket: '/run/x-2.sock' }]);
  assert.deepEqual(addressesOf(cluster), [{ pipe: { path: '/run/x.sock' } }, { pipe: { path: '/run/x-2.sock' } }]);
  assert.equal(cluster.type, 'STATIC');
});

test('over TCP the workers share host and certificate, and a name with several ports is resolved for all of them', () => {
  const target = { serverName: 'skilltape.internal', caFile: '/ca', certificateFile: '/c', privateKeyFile: '/k' };
  const at = (host: string, port: number) => ({ tcp: { ...target, host, port } });
  const two = clusterOf([at('skilltape.internal', 9443), at('skilltape.internal', 9444)]);
  assert.deepEqual(
    addressesOf(two),
    [9443, 9444].map((port) => ({ socket_address: { address: 'skilltape.internal', port_value: port } })),
  );
  assert.equal(two.type, 'STRICT_DNS');
  assert.equal(two.transport_socket?.typed_config.sni, 'skilltape.internal');
  assert.equal(clusterOf([at('skilltape.internal', 9443)]).type, 'LOGICAL_DNS');
  assert.equal(clusterOf([at('10.0.0.5', 9443), at('10.0.0.5', 9444)]).type, 'STATIC');
});

test('the shipped configuration is what the shipped skilltape.yaml renders to', () => {
  const root = new URL('../../../', import.meta.url);
  const text = renderEnvoy(envoyPlanOf(loadConfig(fileURLToPath(new URL('deploy/skilltape.yaml', root)), {})));
  const shipped = readFileSync(new URL('envoy/envoy.yaml', root), 'utf8');
  const remedy = 'run skilltape envoy --config deploy/skilltape.yaml render --out envoy/envoy.yaml';
  assert.equal(text, shipped, remedy);
});

type Filter = { name: string; disabled?: boolean; typed_config: Record<string, unknown> };

function filtersOf(text: string): Filter[] {
  const [{ filter_chains: chains }] = parse(text, { merge: false, maxAliasCount: -1 }).static_resources.listeners;
  return chains[0].filters[0].typed_config.http_filters;
}

function routesOf(text: string): { name: string; typed_per_filter_config: Record<string, unknown> }[] {
  const [{ filter_chains: chains }] = parse(text, { merge: false, maxAliasCount: -1 }).static_resources.listeners;
  return chains[0].filters[0].typed_config.route_config.virtual_hosts[0].routes;
}

test('each connection has one credential, off by default, and its route alone turns it on', () => {
  const credential = { file: '/sds/a.yaml', header: 'authorization' as const };
  const names = ['claude', 'sandbox', 'research'];
  const connections = names.map((name) => connectionPlan(name, name === 'research' ? { credential } : {}));
  const text = renderEnvoy(envoyPlan({ connections }));
  const injectors = filtersOf(text).filter(({ typed_config: config }) =>
    /CredentialInjector$/.test(`${config['@type']}`),
  );
  assert.deepEqual(
    injectors.map(({ name, disabled }) => [name, disabled]),
    names.map((name) => [`skilltape.credential.${name}`, true]),
  );
  assert.match(JSON.stringify(injectors[2]), /"header":"authorization","header_value_prefix":"Bearer "/);
  for (const { name, typed_per_filter_config: config } of routesOf(text)) {
    const enabled = Object.keys(config).filter((key) => key.startsWith('skilltape.credential.'));
    assert.deepEqual(enabled, [`skilltape.credential.${name}`]);
  }
});

test('every injector stands behind the lock, and the pinned headers before ext_proc', () => {
  const pinned = connectionPlan('claude', { pinnedHeaders: { 'anthropic-workspace-id': 'wrkspc_1' } });
  const text = renderEnvoy(envoyPlan({ connections: [pinned, connectionPlan('other')] }));
  const names = filtersOf(text).map(({ name }) => name);
  assert.deepEqual(names.slice(-6), [
    ...['skilltape.pinned_headers', 'envoy.filters.http.ext_proc', 'skilltape.released'],
    ...['skilltape.credential.claude', 'skilltape.credential.other', 'envoy.filters.http.router'],
  ]);
  const [other, claude] = routesOf(text);
  assert.match(JSON.stringify(claude), /"key":"anthropic-workspace-id","value":"wrkspc_1"/);
  assert.doesNotMatch(JSON.stringify(other), /wrkspc_1/);
});

test('of two routes the one with the longer prefix stands first', () => {
  const prefixes = ['/a', '/', '/a/b', '/a-b'];
  const connections = prefixes.map((routePrefix, at) => connectionPlan(`c${at}`, { routePrefix }));
  const names = routesOf(renderEnvoy(envoyPlan({ connections }))).map(({ name }) => name);
  assert.ok(names.indexOf('c2') < names.indexOf('c0'));
  assert.equal(names.at(-1), 'c1');
});

test('with one provider Envoy is asked for it by name, with several for whichever issued the token', () => {
  const { identityProviders } = envoyPlan();
  const [idp] = identityProviders;
  assert.ok(idp);
  const jwt = (text: string) =>
    filtersOf(text).find(({ name }) => name === 'envoy.filters.http.jwt_authn')?.typed_config as {
      providers: Record<string, { payload_in_metadata: string; failed_status_in_metadata: string }>;
      rules: { requires: unknown }[];
    };
  const requires = (text: string) => jwt(text).rules.map((rule) => rule.requires);
  assert.deepEqual(requires(renderEnvoy(envoyPlan())), [
    { requires_any: { requirements: [{ provider_name: 'idp' }, { allow_missing_or_failed: {} }] } },
  ]);
  const two = renderEnvoy(envoyPlan({ identityProviders: [idp, { ...idp, name: 'ci', issuer: 'https://ci' }] }));
  assert.deepEqual(requires(two), [{ allow_missing_or_failed: {} }]);
  const keys = Object.values(jwt(two).providers).flatMap((each) => [
    each.payload_in_metadata,
    each.failed_status_in_metadata,
  ]);
  assert.deepEqual(keys, ['payload_idp', 'failed_idp', 'payload_ci', 'failed_ci']);
});

type MetadataFilter = { matcher: { value: { string_match: object } } };

test('the release listener is rendered where a connection streams its holds, for that connection alone', () => {
  const connections = [connectionPlan('claude'), connectionPlan('sandbox')];
  const listenersOf = (text: string) => parse(text, { merge: false, maxAliasCount: -1 }).static_resources.listeners;
  assert.equal(listenersOf(renderEnvoy(envoyPlan({ connections }))).length, 1);
  const release = { socket: '/run/release.sock', connections: connections.slice(1) };
  const [gateway, listener, ...more] = listenersOf(renderEnvoy(envoyPlan({ connections, release })));
  assert.deepEqual(more, []);
  assert.deepEqual(listener.address, { pipe: { path: '/run/release.sock', mode: 0o600 } });
  const managerOf = (of: typeof listener) => of.filter_chains[0].filters[0].typed_config;
  const manager = managerOf(listener);
  assert.deepEqual(
    manager.http_filters.map(({ name }: Filter) => name),
    ['envoy.filters.http.ext_proc', 'skilltape.released', 'skilltape.credential.sandbox', 'envoy.filters.http.router'],
  );
  // What Envoy answers by itself is marked so, and no upstream can mark what it answers.
  const [{ headers_to_add: marks }] = manager.local_reply_config.mappers;
  assert.deepEqual(
    marks.map(({ header }: { header: object }) => header),
    [{ key: envoyAnsweredHeader, value: '%RESPONSE_CODE_DETAILS%' }],
  );
  assert.deepEqual(manager.route_config.response_headers_to_remove, [envoyAnsweredHeader]);
  const [route, ...others] = manager.route_config.virtual_hosts[0].routes;
  assert.deepEqual(others, []);
  const known = managerOf(gateway).route_config.virtual_hosts[0].routes[0];
  assert.deepEqual([route.match, route.route], [known.match, known.route]);
  assert.deepEqual(
    manager.route_config.request_headers_to_remove,
    managerOf(gateway).route_config.request_headers_to_remove,
  );
  const [file, reports] = manager.access_log;
  const [fileOfCallers, reportsOfCallers] = managerOf(gateway).access_log;
  assert.deepEqual(file, fileOfCallers);
  // The same as of callers, but of what was let through here.
  const matched = ({ filter }: { filter: { and_filter: { filters: { metadata_filter: MetadataFilter }[] } } }) =>
    filter.and_filter.filters[0]?.metadata_filter.matcher.value.string_match;
  assert.deepEqual([matched(reportsOfCallers), matched(reports)], [{ exact: 'allow' }, { exact: 'released' }]);
  const unmatched = (text: unknown) => JSON.stringify(text).replace(/"exact":"\w+"/, '');
  assert.equal(unmatched(reports), unmatched(reportsOfCallers));
});
