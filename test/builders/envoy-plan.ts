import type { Document, YAMLSeq } from 'yaml';
import type { ConnectionPlan, EnvoyPlan } from '../../extproc/envoy/plan.ts';

const upstream = { host: '127.0.0.1', port: 9, serverName: 'localhost', caFile: '/ca.pem' };

/** A connection at `/<name>`, or at `/` when it is `claude`. */
export function connectionPlan(name: string, change: Partial<ConnectionPlan> = {}): ConnectionPlan {
  return {
    ...{ name, upstream, pinnedHeaders: {}, routePrefix: name === 'claude' ? '/' : `/${name}` },
    credential: { file: `/sds/${name}_credential.yaml`, header: 'x-api-key' },
    ...change,
  };
}

export function envoyPlan(change: Partial<EnvoyPlan> = {}): EnvoyPlan {
  return {
    ...{ listener: { address: '127.0.0.1', port: 0 }, adminSocket: '/a.sock', accessLogFile: '/a.log' },
    ...{ certificateFile: '/sds/gateway_certificate.yaml', processors: [{ socket: '/a-processor.sock' }] },
    identityProviders: [
      {
        ...{ name: 'idp', issuer: 'https://127.0.0.1:9', audiences: ['skilltape'], jwksCacheMs: 600_000 },
        ...{ jwksUri: 'https://127.0.0.1:9/jwks', caFile: '/ca.pem' },
      },
    ],
    connections: [connectionPlan('claude')],
    ...change,
  };
}

/** The list of routes in a rendered configuration, to be changed in place. */
export function routesIn(document: Document): YAMLSeq {
  const chain = ['static_resources', 'listeners', 0, 'filter_chains', 0, 'filters', 0, 'typed_config'];
  return document.getIn([...chain, 'route_config', 'virtual_hosts', 0, 'routes']) as YAMLSeq;
}
