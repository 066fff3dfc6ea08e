import { resourcesOf } from './resources.ts';
import type { Setting } from './setting.ts';

/** An HTTP filter as the connection manager has it. */
export type HttpFilter = {
  setting: Setting;
  name: string;
  /** Name of the message that configures it, such as `ExternalProcessor`. */
  type: string;
  config: Setting;
  /** Off unless a route turns it on. */
  isOff: boolean;
};

/** One route that leads to a cluster. */
export type Route = {
  setting: Setting;
  /** The `route` part of it. */
  action: Setting;
  label: string;
  /** With the path of each name; of a weighted route several. */
  clusters: readonly Setting[];
  /** From the most specific to the least: the route, its virtual host, the table. */
  levels: readonly Setting[];
};

/** An HTTP connection manager with its filters and routes. */
export type Manager = {
  listener: Setting;
  filterChain: Setting;
  config: Setting;
  filters: readonly HttpFilter[];
  routes: readonly Route[];
};

/** A configuration in the words of this check, whatever the form it came in. */
export type Gateway = {
  root: Setting;
  admin: Setting;
  layeredRuntime: Setting;
  overload: Setting;
  /** How Envoy keeps its clients of the processor. */
  grpcClients: Setting;
  clusters: ReadonlyMap<string, Setting>;
  managers: readonly Manager[];
  /** Filters that pass whole connections on (`tcp_proxy`), by the name of their cluster. */
  tcpTargets: readonly Setting[];
  /** What the file refers to and does not have. */
  unseen: readonly Setting[];
};

const managerType = 'HttpConnectionManager';

/** Reads a bootstrap file or a config dump. */
export function gatewayOf(root: Setting): Gateway {
  const resources = resourcesOf(root);
  const unseen: Setting[] = [...resources.unseen];
  const managers: Manager[] = [];
  const tcpTargets: Setting[] = [];
  for (const listener of resources.listeners) {
    for (const filterChain of [...listener.at('filter_chains').items, listener.at('default_filter_chain')]) {
      for (const filter of filterChain.at('filters').items) {
        const { type, config } = filter.at('typed_config').unpacked;
        if (type === managerType) managers.push(managerOf({ listener, filterChain, config }, resources, unseen));
        if (type === 'TcpProxy') tcpTargets.push(...clustersOf(config));
      }
    }
  }
  const clusters = new Map(resources.clusters.map((cluster) => [cluster.at('name').text, cluster]));
  const { admin, layeredRuntime, overload, grpcClients } = resources;
  return { root, admin, layeredRuntime, overload, grpcClients, clusters, managers, tcpTargets, unseen };
}

function managerOf(
  { listener, filterChain, config }: Pick<Manager, 'listener' | 'filterChain' | 'config'>,
  resources: ReturnType<typeof resourcesOf>,
  unseen: Setting[],
): Manager {
  const filters = config.at('http_filters').items.map((setting): HttpFilter => {
    const name = setting.at('name').text;
    const discovered = resources.filters.get(name);
    const inFile = setting.at('typed_config');
    if (!inFile.isWritten && setting.at('config_discovery').isWritten && discovered === undefined) {
      unseen.push(setting.at('config_discovery'));
    }
    const { type, config: inner } = (inFile.isWritten ? inFile : (discovered ?? inFile)).unpacked;
    return { setting, name, type, config: inner, isOff: setting.at('disabled').isOn };
  });
  const table = tableOf(config, resources, unseen);
  return { listener, filterChain, config, filters, routes: table === undefined ? [] : routesOf(table, unseen) };
}

function tableOf(config: Setting, resources: ReturnType<typeof resourcesOf>, unseen: Setting[]): Setting | undefined {
  if (config.at('route_config').isWritten) return config.at('route_config');
  const name = config.at('rds', 'route_config_name').text;
  const found = resources.routeTables.get(name);
  if (found === undefined) unseen.push(config.at('rds').isWritten ? config.at('rds') : config.at('scoped_routes'));
  return found;
}

function routesOf(table: Setting, unseen: Setting[]): Route[] {
  if (table.at('vhds').isWritten) unseen.push(table.at('vhds'));
  return table.at('virtual_hosts').items.flatMap((host) => {
    if (host.at('matcher').isWritten) unseen.push(host.at('matcher'));
    return host.at('routes').items.flatMap((setting): Route[] => {
      const action = setting.at('route');
      if (!action.isWritten) return [];
      const label = setting.at('name').text || JSON.stringify(setting.at('match').value ?? {});
      const weighted = action.at('weighted_clusters', 'clusters').items;
      return [{ setting, action, label, clusters: clustersOf(action), levels: [...weighted, setting, host, table] }];
    });
  });
}

/** The clusters that a route or a TCP proxy names. */
function clustersOf(action: Setting): Setting[] {
  const weighted = action.at('weighted_clusters', 'clusters').items.map((one) => one.at('name'));
  return [action.at('cluster'), ...weighted].filter(({ text }) => text !== '');
}

/** What the levels of a route say of one filter, the most specific first. */
export function overridesOf(route: Route, filterName: string): { isOff: boolean; config: Setting }[] {
  return route.levels.flatMap((level) => {
    const written = level.at('typed_per_filter_config').entries.find(([name]) => name === filterName)?.[1];
    if (written === undefined) return [];
    const { type, config } = written.unpacked;
    if (type !== 'FilterConfig') return [{ isOff: isOffBy(type, config), config }];
    const inner = config.at('config').unpacked;
    return [{ isOff: config.at('disabled').isOn || isOffBy(inner.type, inner.config), config: inner.config }];
  });
}

function isOffBy(type: string, config: Setting): boolean {
  // Envoy's rbac filter has no word for it: one without rules is off.
  return config.at('disabled').isOn || (type === 'RBACPerRoute' && !config.at('rbac').isWritten);
}

/** Whether a filter runs on a route: the most specific word counts, and without one the filter's own. */
export function runsOn(route: Route, filter: HttpFilter): boolean {
  const [override] = overridesOf(route, filter.name);
  return override === undefined ? !filter.isOff : !override.isOff;
}

export function filtersOf(manager: Manager, type: string): HttpFilter[] {
  return manager.filters.filter((filter) => filter.type === type);
}

/** Where a cluster leads: hosts and socket paths. */
export function addressesOf(cluster: Setting): Setting[] {
  return cluster
    .at('load_assignment', 'endpoints')
    .items.flatMap((group) => group.at('lb_endpoints').items)
    .map((host) => host.at('endpoint', 'address'));
}
