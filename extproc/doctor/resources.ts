import type { Setting } from './setting.ts';

/** The parts of a configuration, out of a bootstrap file or out of the sections of a config dump. */
export type Resources = {
  admin: Setting;
  layeredRuntime: Setting;
  overload: Setting;
  grpcClients: Setting;
  listeners: Setting[];
  clusters: Setting[];
  routeTables: Map<string, Setting>;
  /** Filters that came by extension discovery, by name. */
  filters: Map<string, Setting>;
  unseen: Setting[];
};

export function resourcesOf(root: Setting): Resources {
  return root.at('configs').isWritten ? ofDump(root) : ofBootstrap(root);
}

function ofBootstrap(root: Setting): Resources {
  const resources = root.at('static_resources');
  const dynamic = root.at('dynamic_resources');
  const unseen = [dynamic.at('lds_config'), dynamic.at('cds_config')].filter(({ isWritten }) => isWritten);
  return {
    ...{ admin: root.at('admin'), layeredRuntime: root.at('layered_runtime'), overload: root.at('overload_manager') },
    grpcClients: root.at('grpc_async_client_manager_config'),
    listeners: resources.at('listeners').items,
    clusters: resources.at('clusters').items,
    routeTables: new Map(),
    filters: new Map(),
    unseen,
  };
}

/** Sections are known by their type; in a dump that was cut down with `?resource=` some are missing, and then said so. */
function ofDump(root: Setting): Resources {
  const sections = root.at('configs').items;
  const section = (type: string) => sections.find((one) => one.type === type) ?? root.at('configs', type);
  const bootstrap = section('BootstrapConfigDump').at('bootstrap');
  const inFile = ofBootstrap(bootstrap);
  const listeners = inSection(section('ListenersConfigDump'), {
    listener: ['static_listeners'],
    'active_state.listener': ['dynamic_listeners'],
  });
  const clusters = inSection(section('ClustersConfigDump'), {
    cluster: ['static_clusters', 'dynamic_active_clusters'],
  });
  const tables = inSection(section('RoutesConfigDump'), {
    route_config: ['static_route_configs', 'dynamic_route_configs'],
  });
  const filters = inSection(section('EcdsConfigDump'), { ecds_filter: ['ecds_filters'] });
  return {
    ...{ admin: inFile.admin, layeredRuntime: inFile.layeredRuntime, overload: inFile.overload },
    grpcClients: inFile.grpcClients,
    // The bootstrap of a dump has the static ones too; each is checked once.
    listeners: section('ListenersConfigDump').isWritten ? listeners : inFile.listeners,
    clusters: section('ClustersConfigDump').isWritten ? clusters : inFile.clusters,
    routeTables: new Map(tables.map((table) => [table.at('name').text, table])),
    filters: new Map(filters.map((filter) => [filter.at('name').text, filter.at('typed_config')])),
    unseen: ['BootstrapConfigDump', 'ListenersConfigDump', 'ClustersConfigDump']
      .filter((type) => !section(type).isWritten)
      .map((type) => root.at('configs', type)),
  };
}

function inSection(section: Setting, places: Record<string, readonly string[]>): Setting[] {
  return Object.entries(places).flatMap(([inner, lists]) =>
    lists
      .flatMap((list) => section.at(list).items)
      .map((entry) => entry.at(...inner.split('.')))
      .filter(({ isWritten }) => isWritten),
  );
}
