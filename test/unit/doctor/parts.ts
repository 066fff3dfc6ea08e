import { readFileSync } from 'node:fs';
import { parse } from 'yaml';

export type Part = { [key: string]: unknown };

/** Parts of a configuration, found by what they are, so that an example names a part and not its place. */
export type Parts = {
  root: Part;
  admin: Part;
  listener: Part;
  chain: Part;
  manager: Part;
  filters: Part[];
  processorFilter: Part;
  processor: Part;
  jwtFilter: Part;
  jwt: Part;
  provider: Part;
  mark: Part;
  lockFilter: Part;
  lock: Part;
  injectorFilter: Part;
  injector: Part;
  logs: Part[];
  log: Part;
  table: Part;
  host: Part;
  route: Part;
  /** The processor's settings of the route. */
  override: Part;
  processorCluster: Part;
  upstreamCluster: Part;
  keyCluster: Part;
};

const shippedFile = new URL('../../../envoy/envoy.yaml', import.meta.url);

/** The shipped configuration as plain data in which nothing is shared. */
export function shipped(): Part {
  const data: unknown = parse(readFileSync(shippedFile, 'utf8'), { merge: false, maxAliasCount: -1 });
  return JSON.parse(JSON.stringify(data)) as Part;
}

export function partsOf(root: Part): Parts {
  const resources = root.static_resources as Part;
  const listener = (resources.listeners as Part[])[0] as Part;
  const chain = (listener.filter_chains as Part[])[0] as Part;
  const manager = configOf((chain.filters as Part[])[0] as Part);
  const filters = manager.http_filters as Part[];
  const filter = (type: string, at = 0) => filters.filter((one) => typeOf(one) === type).at(at) as Part;
  const processorFilter = filter('ExternalProcessor');
  const table = manager.route_config as Part;
  const host = (table.virtual_hosts as Part[])[0] as Part;
  const route = (host.routes as Part[])[0] as Part;
  const logs = manager.access_log as Part[];
  const jwtFilter = filter('JwtAuthentication');
  const provider = Object.values(configOf(jwtFilter).providers as Part)[0] as Part;
  const clusters = resources.clusters as Part[];
  const cluster = (name: unknown) => clusters.find((one) => one.name === name) as Part;
  const lockFilter = filter('RBAC', 1);
  return {
    ...{ root, admin: root.admin as Part, listener, chain, manager, filters, processorFilter, jwtFilter, provider },
    ...{ lockFilter, logs, table, host, route, injectorFilter: filter('CredentialInjector') },
    processor: configOf(processorFilter),
    jwt: configOf(jwtFilter),
    mark: configOf(filter('RBAC')),
    lock: configOf(lockFilter),
    injector: configOf(filter('CredentialInjector')),
    log: configOf(logs[0] as Part),
    override: (route.typed_per_filter_config as Part)[String(processorFilter.name)] as Part,
    processorCluster: cluster('skilltape'),
    upstreamCluster: cluster((route.route as Part).cluster),
    keyCluster: cluster(((provider.remote_jwks as Part).http_uri as Part).cluster),
  };
}

export function configOf(filter: Part): Part {
  return filter.typed_config as Part;
}

function typeOf(filter: Part): string {
  return String(configOf(filter)?.['@type']).split('.').at(-1) ?? '';
}

/** Puts `patch` over `target`: mappings are merged, all else is replaced, `undefined` takes a key away. */
export function put(target: Part, patch: Part): void {
  for (const [key, value] of Object.entries(patch)) {
    const old = target[key];
    if (value === undefined) delete target[key];
    else if (isMapping(value) && isMapping(old)) put(old, value);
    else target[key] = value;
  }
}

function isMapping(value: unknown): value is Part {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
