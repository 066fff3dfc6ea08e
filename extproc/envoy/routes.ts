import { upstreamClusterName } from './clusters.ts';
import { credentialFilterName, enabledHere, pinnedHeadersName, pinnedHeadersOf } from './credentials.ts';
import type { ConnectionPlan } from './plan.ts';

/** One route for each connection; of two that take a path, the one with the longer prefix stands first. */
export function routesOf(connections: readonly ConnectionPlan[]): unknown[] {
  return connections.toSorted((one, other) => other.routePrefix.length - one.routePrefix.length).map(routeTo);
}

/** Names its connection, without which skilltape refuses, and enables the credential of that one. */
function routeTo({ name, upstream, routePrefix, pinnedHeaders }: ConnectionPlan): unknown {
  const isRoot = routePrefix === '/';
  return {
    name,
    match: { prefix: isRoot ? '/' : `${routePrefix}/` },
    route: {
      cluster: upstreamClusterName(name),
      host_rewrite_literal: upstream.serverName,
      ...(!isRoot && { prefix_rewrite: '/' }),
      timeout: '0s',
      idle_timeout: '660s',
    },
    typed_per_filter_config: {
      'envoy.filters.http.ext_proc': {
        '@type': 'type.googleapis.com/envoy.extensions.filters.http.ext_proc.v3.ExtProcPerRoute',
        overrides: {
          grpc_initial_metadata: [
            { key: 'x-skilltape-connection', value: name },
            // skilltape reads the path as the upstream will, without the prefix that `prefix_rewrite` takes off.
            ...(isRoot ? [] : [{ key: 'x-skilltape-path-prefix', value: routePrefix }]),
          ],
        },
      },
      ...(Object.keys(pinnedHeaders).length > 0 && { [pinnedHeadersName]: pinnedHeadersOf(pinnedHeaders) }),
      [credentialFilterName(name)]: enabledHere,
    },
  };
}
