import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parse } from 'yaml';
import type { ProcessorAddress } from '../../../extproc/envoy/render.ts';
import { renderEnvoy } from '../../../extproc/envoy/render.ts';

type Cluster = {
  type: string;
  load_assignment: { endpoints: { lb_endpoints: { endpoint: { address: unknown } }[] }[] };
  transport_socket?: { typed_config: { sni: string } };
};

function clusterOf(processors: readonly ProcessorAddress[]): Cluster {
  const target = { host: '127.0.0.1', port: 9, serverName: 'localhost', caFile: '/ca.pem' };
  const text = renderEnvoy({
    listener: { address: '127.0.0.1', port: 0 },
    ...{ adminSocket: '/a.sock', accessLogFile: '/a.log', sdsDirectory: '/sds', processors },
    identityProvider: { ...target, issuer: 'https://127.0.0.1:9', audience: 'x', jwksUri: 'https://127.0.0.1:9/jwks' },
    connections: [{ name: 'claude', ...target }],
  });
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
