import {
  addressesOf,
  filtersOf,
  type Gateway,
  type HttpFilter,
  type Manager,
  overridesOf,
  type Route,
  runsOn,
} from './model.ts';
import type { Fault, Rule } from './rule.ts';
import type { Setting } from './setting.ts';

/** A connection manager whose traffic skilltape records. */
export type Recorded = { manager: Manager; processor: HttpFilter; position: number };

/** The metadata namespace that skilltape answers in. */
export const answerNamespace = 'skilltape';

/** Metadata of a route by which skilltape knows a request for one that it sent itself. */
export const releaseKey = 'x-skilltape-release-listener';

export function recordedOf(gateway: Gateway): Recorded[] {
  return askingOf(gateway).filter(({ manager, processor }) => !isReleasing(manager, processor));
}

/** Where skilltape sends what was held and approved: it is asked there, and records nothing. */
export function releasingOf(gateway: Gateway): Recorded[] {
  return askingOf(gateway).filter(({ manager, processor }) => isReleasing(manager, processor));
}

function askingOf(gateway: Gateway): Recorded[] {
  return gateway.managers.flatMap((manager) => {
    const processor = processorOf(manager);
    return processor === undefined ? [] : [{ manager, processor, position: manager.filters.indexOf(processor) }];
  });
}

/** One marked route is enough: then the rules of release listeners are for all of it. */
function isReleasing({ routes }: Manager, { name }: HttpFilter): boolean {
  return routes.some((route) => metadataOf(route, name).has(releaseKey));
}

/** What the processor's stream is told of a route, by key: the most specific level that says anything. */
export function metadataOf(route: Route, filterName: string): Map<string, Setting> {
  const lists = overridesOf(route, filterName).map(
    ({ config }) => config.at('overrides', 'grpc_initial_metadata').items,
  );
  const list = lists.find(({ length }) => length > 0) ?? [];
  return new Map(list.map((entry) => [entry.at('key').text.toLowerCase(), entry.at('value')]));
}

/** Of several processors, skilltape is the one whose answers are taken in its namespace. */
function processorOf(manager: Manager): HttpFilter | undefined {
  const all = filtersOf(manager, 'ExternalProcessor');
  const ours = all.find(({ config }) => receivedNamespaces(config).includes(answerNamespace));
  return ours ?? all[0];
}

export function receivedNamespaces(config: Setting): string[] {
  return config.at('metadata_options', 'receiving_namespaces', 'untyped').texts;
}

/** Routes with what they belong to; `isRecorded` says whether the processor runs on it. */
export function recordedRoutes(gateway: Gateway): (Recorded & { route: Route; isRecorded: boolean })[] {
  return recordedOf(gateway).flatMap((recorded) =>
    recorded.manager.routes.map((route) => ({ ...recorded, route, isRecorded: runsOn(route, recorded.processor) })),
  );
}

/** Clusters that lead to Claude: recorded routes go there, or their address or an equal one says so. */
export function upstreamNames(gateway: Gateway): ReadonlySet<string> {
  const routed = recordedRoutes(gateway).filter(({ isRecorded }) => isRecorded);
  const names = new Set(routed.flatMap(({ route }) => route.clusters.map(({ text }) => text)));
  const addresses = new Set([...names].flatMap((name) => addressTexts(gateway.clusters.get(name))));
  for (const [name, cluster] of gateway.clusters) {
    const own = addressTexts(cluster);
    if (own.some((address) => addresses.has(address) || /(^|\.)anthropic\.com:/.test(address))) names.add(name);
  }
  return names;
}

function addressTexts(cluster: Setting | undefined): string[] {
  if (cluster === undefined) return [];
  return addressesOf(cluster).map((address) => {
    const socket = address.at('socket_address');
    const host = socket.at('address').text.toLowerCase();
    return socket.isWritten ? `${host}:${socket.at('port_value').number ?? 0}` : address.at('pipe', 'path').text;
  });
}

/** The clusters of the processor, each once. */
export function processorClusters(gateway: Gateway): Setting[] {
  const names = new Set(recordedOf(gateway).map(({ processor }) => clusterNameOf(processor.config).text));
  return [...names].flatMap((name) => gateway.clusters.get(name) ?? []);
}

export function upstreamClusters(gateway: Gateway): Setting[] {
  return [...upstreamNames(gateway)].flatMap((name) => gateway.clusters.get(name) ?? []);
}

/** Clusters that the keys of identity providers are fetched from. */
export function keyClusters(gateway: Gateway): Setting[] {
  const names = new Set(
    providersOf(gateway).map(({ provider }) => provider.at('remote_jwks', 'http_uri', 'cluster').text),
  );
  return [...names].flatMap((name) => gateway.clusters.get(name) ?? []);
}

export function providersOf(gateway: Gateway): { name: string; provider: Setting; filter: HttpFilter }[] {
  return recordedOf(gateway).flatMap(({ manager }) =>
    filtersOf(manager, 'JwtAuthentication').flatMap((filter) =>
      filter.config.at('providers').entries.map(([name, provider]) => ({ name, provider, filter })),
    ),
  );
}

export function clusterNameOf(extProc: Setting): Setting {
  return extProc.at('grpc_service', 'envoy_grpc', 'cluster_name');
}

/** A rule about one setting of each recorded connection manager. */
export function onManagers(
  rule: Omit<Rule, 'find'> & {
    at(config: Setting): Setting;
    isFault(setting: Setting, recorded: Recorded): boolean;
    found(setting: Setting): string;
    change: string;
  },
): Rule {
  const { at, isFault, found, change, ...about } = rule;
  const find = (gateway: Gateway) =>
    recordedOf(gateway)
      .map((recorded) => ({ recorded, setting: at(recorded.manager.config) }))
      .filter(({ setting, recorded }) => isFault(setting, recorded))
      .map(({ setting }) => ({ at: setting, found: found(setting), change }));
  return { ...about, find };
}

/** A rule about one setting of the processor's filter. */
export function onProcessor(
  rule: Omit<Rule, 'find'> & {
    at(config: Setting): Setting;
    isFault(setting: Setting): boolean;
    found(setting: Setting): string;
    change: string;
  },
): Rule {
  const { at, isFault, found, change, ...about } = rule;
  const find = (gateway: Gateway) =>
    recordedOf(gateway)
      .map(({ processor }) => at(processor.config))
      .filter(isFault)
      .map((setting) => ({ at: setting, found: found(setting), change }));
  return { ...about, find };
}

const httpOptions = 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions';

/** A rule for each of some clusters. */
export function onClusters(
  clustersOf: (gateway: Gateway) => Setting[],
  { find, ...about }: Omit<Rule, 'find'> & { find(cluster: Setting): Fault[] },
): Rule {
  return {
    ...about,
    find: (gateway) => {
      const clusters = new Map(clustersOf(gateway).map((cluster) => [cluster.at('name').text, cluster]));
      return [...clusters.values()].flatMap((cluster) =>
        find(cluster).map((fault) => ({ ...fault, found: `cluster ${cluster.at('name').text}: ${fault.found}` })),
      );
    },
  };
}

export function optionsOf(cluster: Setting): Setting {
  return cluster.at('typed_extension_protocol_options', httpOptions);
}

/** How a setting reads in a sentence. */
export function written(setting: Setting): string {
  const { value } = setting;
  return setting.isWritten
    ? String(typeof value === 'object' ? JSON.stringify(value) : value).slice(0, 100)
    : 'not set';
}
