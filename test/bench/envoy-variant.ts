import { parse, stringify } from 'yaml';

/** What one variant's Envoy has of its own; everything else is the gateway's. */
export type EnvoyPlaces = {
  adminSocket: string;
  accessLogFile: string;
  processorSocket: string;
  /** Without it no exchange reaches a processor. */
  hasProcessor: boolean;
};

type Filter = { name: string };
type Manager = {
  http_filters: Filter[];
  access_log: { typed_config: { path: string } }[];
  route_config: { virtual_hosts: { routes: { typed_per_filter_config?: Record<string, unknown> }[] }[] };
};
type Configuration = {
  admin: { address: { pipe: { path: string } } };
  static_resources: {
    listeners: { filter_chains: { filters: { typed_config: Manager }[] }[] }[];
    clusters: { name: string; load_assignment: unknown }[];
  };
};

const filterName = 'envoy.filters.http.ext_proc';
/** The lock behind it, which opens for its verdict alone. */
const lockName = 'skilltape.released';

/** The rendered configuration of a gateway with other places and, where asked for, without the ext_proc filter. */
export function envoyVariant(rendered: string, places: EnvoyPlaces): string {
  // Plain data, in which what the text says once with an anchor stands at each place of its own.
  const configuration = structuredClone(parse(rendered, { merge: false, maxAliasCount: -1 })) as Configuration;
  const { listeners, clusters } = configuration.static_resources;
  const manager = listeners[0]?.filter_chains[0]?.filters[0]?.typed_config;
  const cluster = clusters.find(({ name }) => name === 'skilltape');
  const accessLog = manager?.access_log[0];
  if (manager === undefined || cluster === undefined || accessLog === undefined) throw unlike();
  configuration.admin.address.pipe.path = places.adminSocket;
  accessLog.typed_config.path = places.accessLogFile;
  const address = { pipe: { path: places.processorSocket } };
  cluster.load_assignment = { cluster_name: 'skilltape', endpoints: [{ lb_endpoints: [{ endpoint: { address } }] }] };
  if (!places.hasProcessor) removeFilter(manager);
  return stringify(configuration, { aliasDuplicateObjects: false, lineWidth: 0 });
}

function removeFilter(manager: Manager): void {
  const others = manager.http_filters.filter(({ name }) => name !== filterName && name !== lockName);
  if (others.length !== manager.http_filters.length - 2) throw unlike();
  manager.http_filters = others;
  for (const { routes } of manager.route_config.virtual_hosts) {
    for (const route of routes) delete route.typed_per_filter_config?.[filterName];
  }
}

function unlike(): Error {
  return new Error('the rendered Envoy configuration is not the one that the benchmark knows');
}
