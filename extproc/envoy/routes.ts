import { upstreamClusterName } from './clusters.ts';
import { credentialFilterName, enabledHere, pinnedHeadersName, pinnedHeadersOf } from './credentials.ts';
import type { ConnectionPlan } from './plan.ts';

/** One route for each connection; of two that take a path, the one with the longer prefix stands first. */
export function routesOf(connections: readonly ConnectionPlan[]): unknown[] {
  return inOrder(connections).map((connection) => routeTo(connection, { pinnedHeaders: connection.pinnedHeaders }));
}

/** The same routes on the release listener, marked as such for skilltape; what is pinned was set when the request came. */
export function releaseRoutesOf(connections: readonly ConnectionPlan[]): unknown[] {
  return inOrder(connections).map((connection) => routeTo(connection, { pinnedHeaders: {}, isRelease: true }));
}

function inOrder(connections: readonly ConnectionPlan[]): ConnectionPlan[] {
  return connections.toSorted((one, other) => other.routePrefix.length - one.routePrefix.length);
}

/** Names its connection, without which skilltape refuses, and enables the credential of that one. */
function routeTo(
  { name, upstream, routePrefix }: ConnectionPlan,
  { pinnedHeaders, isRelease = false }: Pick<ConnectionPlan, 'pinnedHeaders'> & { isRelease?: boolean },
): unknown {
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
            ...(isRelease ? [{ key: 'x-skilltape-release-listener', value: 'release' }] : []),
          ],
        },
      },
      ...(Object.keys(pinnedHeaders).length > 0 && { [pinnedHeadersName]: pinnedHeadersOf(pinnedHeaders) }),
      [credentialFilterName(name)]: enabledHere,
    },
  };
}
