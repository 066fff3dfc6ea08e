import { addressesOf, type Gateway, type HttpFilter, type Manager } from '../model.ts';
import { clusterNameOf, recordedOf } from '../recorded.ts';
import type { Setting } from '../setting.ts';

type Part = Record<string, unknown>;

/** What stands at the processor's place in one scratch configuration. */
export type ProcessorPlace =
  /** The endpoints of the configuration itself. */
  | { kind: 'as-configured' }
  | { kind: 'socket'; path: string }
  /** The cluster is not there at all. */
  | { kind: 'missing' }
  /** Neither is any filter but the router: what a request meets that nothing protects. */
  | { kind: 'unprotected' };

export type ScratchOptions = {
  gateway: Gateway;
  place: ProcessorPlace;
  upstreamPort: number;
  jwks: string;
  /** Of the credential that is put in: an SDS file. */
  credentialFile: string;
  adminSocket: string;
};

/** A socket that is never there. */
const nowhere = '/nonexistent/skilltape-doctor.sock';
const routerType = 'Router';

/**
 * The configuration for an Envoy that reaches nothing but this machine: every recorded connection manager with its filters
 * and routes, on a free port of the loopback address; upstreams lead to `upstreamPort`, other clusters nowhere.
 */
export function scratchConfig(options: ScratchOptions): Part {
  const { gateway } = options;
  const layers = gateway.layeredRuntime.at('layers').items.filter((layer) => layer.at('static_layer').isWritten);
  return {
    node: { id: 'skilltape-doctor', cluster: 'skilltape-doctor' },
    admin: { address: { pipe: { path: options.adminSocket, mode: 0o600 } } },
    ...(layers.length > 0 && { layered_runtime: { layers: layers.map(({ value }) => value) } }),
    static_resources: {
      listeners: recordedOf(gateway).map(({ manager }, at) => listenerOf(manager, at, options)),
      clusters: clustersOf(options),
    },
  };
}

function listenerOf(manager: Manager, at: number, options: ScratchOptions): Part {
  const config = copy(manager.config);
  for (const key of ['rds', 'scoped_routes', 'access_log', 'tracing', 'routeConfig', 'accessLog']) delete config[key];
  const filters = manager.filters
    .filter(({ type }) => options.place.kind !== 'unprotected' || type === routerType)
    .flatMap((filter) => filterOf(filter, options));
  const typed = { ...config, http_filters: filters, route_config: tableOf(manager, options), stat_prefix: 'doctor' };
  return {
    name: listenerName(at),
    address: { socket_address: { address: '127.0.0.1', port_value: 0 } },
    filter_chains: [{ filters: [{ name: 'envoy.filters.network.http_connection_manager', typed_config: typed }] }],
  };
}

/** Listeners stand in the order of the connection managers. */
export function listenerName(at: number): string {
  return `doctor-${at}`;
}

function filterOf({ name, type, config, isOff }: HttpFilter, options: ScratchOptions): Part[] {
  const typed = copy(config);
  if (type === 'CredentialInjector') {
    const source = { path_config_source: { path: options.credentialFile }, resource_api_version: 'V3' };
    const generic = config.at('credential', 'typed_config');
    const credential = { ...copy(generic), credential: { name: 'doctor', sds_config: source } };
    // Another kind of credential is fetched from somewhere; nothing here may be asked.
    if (generic.type !== 'Generic') return [];
    typed.credential = { ...copy(config.at('credential')), typed_config: credential };
  }
  if (type === 'JwtAuthentication') {
    typed.providers = Object.fromEntries(
      config.at('providers').entries.map(([key, provider]) => {
        const own = copy(provider);
        for (const source of ['remote_jwks', 'remoteJwks', 'localJwks']) delete own[source];
        return [key, { ...own, local_jwks: { inline_string: options.jwks } }];
      }),
    );
  }
  return [{ name, typed_config: typed, ...(isOff && { disabled: true }) }];
}

function tableOf({ routes }: Manager, { place }: ScratchOptions): Part {
  const table = routes[0]?.levels.at(-1);
  if (table === undefined) return {};
  const config = copy(table);
  const hosts = (config.virtual_hosts ?? config.virtualHosts ?? []) as Part[];
  for (const host of hosts) {
    delete host.require_tls;
    delete host.requireTls;
    if (place.kind !== 'unprotected') continue;
    // Settings of filters that are not there.
    for (const level of [host, ...((host.routes ?? []) as Part[])]) delete level.typed_per_filter_config;
  }
  if (place.kind === 'unprotected') delete config.typed_per_filter_config;
  return config;
}

function clustersOf({ gateway, place, upstreamPort }: ScratchOptions): Part[] {
  const processors = new Set(recordedOf(gateway).map(({ processor }) => clusterNameOf(processor.config).text));
  const upstreams = new Set(
    recordedOf(gateway).flatMap(({ manager }) =>
      manager.routes.flatMap(({ clusters }) => clusters.map(({ text }) => text)),
    ),
  );
  return [...gateway.clusters].flatMap(([name, cluster]): Part[] => {
    if (processors.has(name)) return processorCluster(name, cluster, place);
    if (upstreams.has(name))
      return [staticCluster(name, { socket_address: { address: '127.0.0.1', port_value: upstreamPort } })];
    return [staticCluster(name, { pipe: { path: nowhere } })];
  });
}

function processorCluster(name: string, cluster: Setting, place: ProcessorPlace): Part[] {
  if (place.kind === 'missing') return [];
  if (place.kind === 'as-configured') return addressesOf(cluster).length > 0 ? [copy(cluster)] : [];
  const config = copy(cluster);
  for (const key of [
    'transport_socket',
    'transportSocket',
    'transport_socket_matches',
    'loadAssignment',
    'eds_cluster_config',
    'lb_subset_config',
  ]) {
    delete config[key];
  }
  const path = place.kind === 'socket' ? place.path : nowhere;
  return [{ ...config, ...staticCluster(name, { pipe: { path } }) }];
}

function staticCluster(name: string, address: Part): Part {
  const endpoints = [{ lb_endpoints: [{ endpoint: { address } }] }];
  return { name, type: 'STATIC', connect_timeout: '1s', load_assignment: { cluster_name: name, endpoints } };
}

function copy(setting: Setting): Part {
  return structuredClone(setting.value ?? {}) as Part;
}
