import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { type Document, parseDocument, type YAMLMap, type YAMLSeq } from 'yaml';
import { clusterOf, processorAddress, providerClusterName, upstreamClusterName, upstreamTls } from './clusters.ts';
import {
  credentialComment,
  credentialFilter,
  pinnedHeadersFilter,
  pinnedHeadersName,
  secretSource,
} from './credentials.ts';
import type { EnvoyPlan, ProcessorAddress } from './plan.ts';
import { providersOf, requirementOf } from './providers.ts';
import { releaseComment, releasedEnds, releaseListener } from './release.ts';
import { routesOf } from './routes.ts';

type Path = readonly (string | number)[];

/** The frame: what is shipped, which is also what its own configuration renders to. */
const frameFile = new URL('../../envoy/envoy.yaml', import.meta.url);
const listener: Path = ['static_resources', 'listeners', 0];
const filterChain: Path = [...listener, 'filter_chains', 0];
const manager: Path = [...filterChain, 'filters', 0, 'typed_config'];
const filters: Path = [...manager, 'http_filters'];
const clusters: Path = ['static_resources', 'clusters'];

/**
 * The whole configuration of Envoy, as YAML text: `envoy/envoy.yaml` with the places, providers, routes, credentials and
 * clusters of the plan. What stands in that file and nowhere here is the same in every rendered one.
 */
export function renderEnvoy(plan: EnvoyPlan): string {
  const frame = parseDocument(readFileSync(frameFile, 'utf8'), { merge: false });
  frame.setIn(['admin', 'address', 'pipe', 'path'], plan.adminSocket);
  frame.setIn([...listener, 'address', 'socket_address'], {
    address: plan.listener.address,
    port_value: plan.listener.port,
  });
  frame.setIn([...manager, 'access_log', 0, 'typed_config', 'path'], plan.accessLogFile);
  const tls = [...filterChain, 'transport_socket', 'typed_config', 'common_tls_context'];
  setNode(frame, [...tls, 'tls_certificate_sds_secret_configs'], [secretSource(plan.certificateFile)]);
  setJwtAuthentication(frame, plan);
  setConnectionFilters(frame, plan);
  setNode(frame, [...manager, 'route_config', 'virtual_hosts', 0, 'routes'], routesOf(plan.connections));
  setReleaseListener(frame, plan);
  setClusters(frame, plan);
  return frame.toString({ lineWidth: 0 });
}

function setNode(frame: Document, path: Path, value: unknown): void {
  frame.setIn(path, frame.createNode(value, { aliasDuplicateObjects: false }));
}

function setJwtAuthentication(frame: Document, { identityProviders }: EnvoyPlan): void {
  const path = [...filters, positionOf(frame, 'envoy.filters.http.jwt_authn'), 'typed_config'];
  setNode(frame, [...path, 'providers'], providersOf(identityProviders));
  setNode(frame, [...path, 'rules', 0, 'requires'], requirementOf(identityProviders));
}

/** One injector for each connection, and the filter of pinned headers where a connection has some. */
function setConnectionFilters(frame: Document, { connections }: EnvoyPlan): void {
  const list = frame.getIn(filters) as YAMLSeq<YAMLMap>;
  list.items = list.items.filter((item) => {
    const name = String(item.get('name'));
    return !name.startsWith('skilltape.credential.') && name !== pinnedHeadersName;
  });
  const node = (value: unknown) => frame.createNode(value, { aliasDuplicateObjects: false }) as YAMLMap;
  if (connections.some(({ pinnedHeaders }) => Object.keys(pinnedHeaders).length > 0)) {
    list.items.splice(positionOf(frame, 'envoy.filters.http.ext_proc'), 0, node(pinnedHeadersFilter));
  }
  const injectors = connections.map((connection) => node(credentialFilter(connection)));
  const [first] = injectors;
  if (first !== undefined) first.commentBefore = credentialComment;
  list.items.splice(positionOf(frame, 'envoy.filters.http.router'), 0, ...injectors);
}

/** Behind the listener of callers, in the place of the frame's own. */
function setReleaseListener(frame: Document, plan: EnvoyPlan): void {
  const list = frame.getIn(['static_resources', 'listeners']) as YAMLSeq;
  const plain = (path: Path) => (frame.getIn(path) as YAMLMap).toJS(frame) as never;
  const accessLogs = [plain([...manager, 'access_log', 0]), releasedEnds(plain([...manager, 'access_log', 1]))];
  const headersToRemove = plain([...manager, 'route_config', 'request_headers_to_remove']);
  const rendered = releaseListener(plan, { accessLogs, headersToRemove });
  list.items.splice(1, Number.POSITIVE_INFINITY, ...(rendered === null ? [] : [spaced(frame, rendered)]));
  const [, node] = list.items as YAMLMap[];
  if (node !== undefined) node.commentBefore = releaseComment;
}

function positionOf(frame: Document, name: string): number {
  const list = frame.getIn(filters) as YAMLSeq<YAMLMap>;
  const position = list.items.findIndex((filter) => filter.get('name') === name);
  if (position < 0) throw new Error(`envoy/envoy.yaml has no filter ${name}`);
  return position;
}

function setClusters(frame: Document, { processors, connections, identityProviders }: EnvoyPlan): void {
  setProcessors(frame, [...clusters, 0], processors);
  const list = frame.getIn(clusters) as YAMLSeq;
  const others = [
    ...connections.map(({ name, upstream }) => clusterOf(upstreamClusterName(name), upstream)),
    ...identityProviders.map(({ name, jwksUri, caFile }) => {
      const { protocol, hostname, port } = new URL(jwksUri);
      const host = hostname.replace(/^\[|\]$/g, '');
      const isTls = protocol === 'https:';
      const target = { host, port: Number(port || (isTls ? 443 : 80)), serverName: host, caFile };
      return clusterOf(providerClusterName(name), target, isTls);
    }),
  ];
  list.items.splice(1, Number.POSITIVE_INFINITY, ...others.map((each) => spaced(frame, each)));
}

/** With an empty line before it, as the file has it between clusters. */
function spaced(frame: Document, value: unknown): unknown {
  const node = frame.createNode(value, { aliasDuplicateObjects: false }) as YAMLMap;
  node.spaceBefore = true;
  return node;
}

/** The endpoints of the cluster `skilltape`. Over TCP they differ in port alone; the first one's TLS is that of all. */
function setProcessors(frame: Document, cluster: Path, processors: readonly ProcessorAddress[]): void {
  const endpoints = processors.map((processor) => ({ endpoint: { address: processorAddress(processor) } }));
  setNode(frame, [...cluster, 'load_assignment', 'endpoints', 0, 'lb_endpoints'], endpoints);
  const [first] = processors;
  frame.setIn([...cluster, 'type'], 'STATIC');
  frame.deleteIn([...cluster, 'transport_socket']);
  if (first === undefined || 'socket' in first) return;
  // A LOGICAL_DNS cluster takes one endpoint.
  const dns = processors.length === 1 ? 'LOGICAL_DNS' : 'STRICT_DNS';
  if (!isIP(first.tcp.host)) frame.setIn([...cluster, 'type'], dns);
  const { certificateFile, privateKeyFile } = first.tcp;
  const certificate = {
    certificate_chain: { filename: certificateFile },
    private_key: { filename: privateKeyFile },
  };
  const own = { alpn_protocols: ['h2'], tls_certificates: [certificate] };
  setNode(frame, [...cluster, 'transport_socket'], upstreamTls(first.tcp, own));
}
