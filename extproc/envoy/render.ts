import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import type { Document } from 'yaml';
import { parseDocument } from 'yaml';

/** An upstream or identity provider reached over TLS, verified by name. */
export type TlsTarget = {
  host: string;
  port: number;
  serverName: string;
  caFile: string;
};

/** Where Envoy reaches skilltape: a unix socket, or over TCP with a certificate of its own (mutual TLS). */
export type ProcessorAddress =
  | { socket: string }
  | { tcp: TlsTarget & { certificateFile: string; privateKeyFile: string } };

/** What differs between the shipped configuration and a rendered one: places and ports, nothing else. */
export type RenderOptions = {
  listener: { address: string; port: number };
  adminSocket: string;
  accessLogFile: string;
  /** Holds gateway_certificate.yaml and claude_credential.yaml. */
  sdsDirectory: string;
  /** One for each worker. */
  processors: readonly ProcessorAddress[];
  identityProvider: TlsTarget & {
    issuer: string;
    audience: string;
    jwksUri: string;
  };
  /** The connection `claude` takes every path; others stand before it under `/<name>/`. */
  connections: readonly (TlsTarget & { name: string })[];
};

type Path = readonly (string | number)[];

const shippedFile = new URL('../../envoy/envoy.yaml', import.meta.url);
const listener: Path = ['static_resources', 'listeners', 0];
const filterChain: Path = [...listener, 'filter_chains', 0];
const manager: Path = [...filterChain, 'filters', 0, 'typed_config'];
const routes: Path = [...manager, 'route_config', 'virtual_hosts', 0, 'routes'];
const clusters: Path = ['static_resources', 'clusters'];
const endpointAddress: Path = ['load_assignment', 'endpoints', 0, 'lb_endpoints', 0, 'endpoint', 'address'];

/** `envoy/envoy.yaml` with other places and ports, as YAML text. */
export function renderEnvoy(options: RenderOptions): string {
  const document = parseDocument(readFileSync(shippedFile, 'utf8'), {
    merge: false,
  });
  document.setIn(['admin', 'address', 'pipe', 'path'], options.adminSocket);
  document.setIn([...listener, 'address', 'socket_address'], {
    address: options.listener.address,
    port_value: options.listener.port,
  });
  document.setIn([...manager, 'access_log', 0, 'typed_config', 'path'], options.accessLogFile);
  setSecretPaths(document, options.sdsDirectory);
  setIdentityProvider(document, options.identityProvider);
  setProcessors(document, options.processors);
  setConnections(document, options.connections);
  return document.toString({ lineWidth: 0 });
}

function filterPath(document: Document, name: string): Path {
  const filters = document.getIn([...manager, 'http_filters']) as {
    items: { get(key: string): unknown }[];
  };
  const index = filters.items.findIndex((filter) => filter.get('name') === name);
  if (index < 0) throw new Error(`envoy/envoy.yaml has no filter ${name}`);
  return [...manager, 'http_filters', index, 'typed_config'];
}

function setSecretPaths(document: Document, directory: string): void {
  const tls = [...filterChain, 'transport_socket', 'typed_config', 'common_tls_context'];
  const injector = filterPath(document, 'envoy.filters.http.credential_injector');
  const sources: [Path, string][] = [
    [[...tls, 'tls_certificate_sds_secret_configs', 0, 'sds_config'], 'gateway_certificate.yaml'],
    [[...injector, 'credential', 'typed_config', 'credential', 'sds_config'], 'claude_credential.yaml'],
  ];
  for (const [path, file] of sources) {
    document.setIn([...path, 'path_config_source'], {
      path: `${directory}/${file}`,
      watched_directory: { path: directory },
    });
  }
}

/** The endpoints of the cluster `skilltape`. Over TCP they differ in host and port; the first one's TLS is that of all. */
function setProcessors(document: Document, processors: readonly ProcessorAddress[]): void {
  const cluster: Path = [...clusters, 0];
  const addresses = processors.map((processor) =>
    'socket' in processor
      ? { pipe: { path: processor.socket } }
      : { socket_address: { address: processor.tcp.host, port_value: processor.tcp.port } },
  );
  const endpoints = addresses.map((address) => ({ endpoint: { address } }));
  document.setIn([...cluster, 'load_assignment', 'endpoints', 0, 'lb_endpoints'], document.createNode(endpoints));
  const [first] = processors;
  if (first === undefined || 'socket' in first) return;
  const { certificateFile, privateKeyFile } = first.tcp;
  const tls = { alpn_protocols: ['h2'], tls_certificates: [certificateOf(certificateFile, privateKeyFile)] };
  // A LOGICAL_DNS cluster takes one endpoint.
  const dns = processors.length === 1 ? 'LOGICAL_DNS' : 'STRICT_DNS';
  if (!isIP(first.tcp.host)) document.setIn([...cluster, 'type'], dns);
  const transport = {
    name: 'envoy.transport_sockets.tls',
    typed_config: {
      '@type': 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext',
      common_tls_context: tls,
    },
  };
  document.setIn([...cluster, 'transport_socket'], document.createNode(transport));
  setTlsNames(document, cluster, first.tcp);
}

function certificateOf(certificateFile: string, privateKeyFile: string): unknown {
  return { certificate_chain: { filename: certificateFile }, private_key: { filename: privateKeyFile } };
}

function setIdentityProvider(document: Document, provider: RenderOptions['identityProvider']): void {
  const path = [...filterPath(document, 'envoy.filters.http.jwt_authn'), 'providers', 'idp'];
  document.setIn([...path, 'issuer'], provider.issuer);
  document.setIn([...path, 'audiences'], [provider.audience]);
  document.setIn([...path, 'remote_jwks', 'http_uri', 'uri'], provider.jwksUri);
  setTarget(document, [...clusters, 2], provider);
}

function setConnections(document: Document, connections: RenderOptions['connections']): void {
  const others = connections.filter(({ name }) => name !== 'claude');
  for (const connection of connections) {
    const isDefault = connection.name === 'claude';
    if (!isDefault)
      document.addIn(clusters, document.createNode({ ...plain(document, [...clusters, 1]), name: connection.name }));
    const clusterIndex = isDefault ? 1 : 3 + others.indexOf(connection);
    document.setIn([...clusters, clusterIndex, 'load_assignment', 'cluster_name'], connection.name);
    setTarget(document, [...clusters, clusterIndex], connection);
  }
  const template = plain(document, [...routes, 0]);
  const rendered = [...others, ...connections.filter(({ name }) => name === 'claude')];
  document.setIn(
    routes,
    rendered.map((connection) => routeTo(template, connection)),
  );
}

function routeTo(template: Record<string, unknown>, connection: { name: string; serverName: string }): unknown {
  const isDefault = connection.name === 'claude';
  return {
    ...template,
    name: connection.name,
    match: { prefix: isDefault ? '/' : `/${connection.name}/` },
    route: {
      ...(template.route as object),
      cluster: connection.name,
      host_rewrite_literal: connection.serverName,
      ...(isDefault ? {} : { prefix_rewrite: '/' }),
    },
    typed_per_filter_config: {
      'envoy.filters.http.ext_proc': {
        '@type': 'type.googleapis.com/envoy.extensions.filters.http.ext_proc.v3.ExtProcPerRoute',
        overrides: {
          grpc_initial_metadata: [
            { key: 'x-skilltape-connection', value: connection.name },
            // skilltape reads the path as the upstream will, without the prefix that `prefix_rewrite` takes off.
            ...(isDefault ? [] : [{ key: 'x-skilltape-path-prefix', value: `/${connection.name}` }]),
          ],
        },
      },
    },
  };
}

function setTarget(document: Document, cluster: Path, target: TlsTarget): void {
  document.setIn([...cluster, ...endpointAddress], {
    socket_address: { address: target.host, port_value: target.port },
  });
  setTlsNames(document, cluster, target);
}

/** By which name the server is known, and who vouches for it. */
function setTlsNames(document: Document, cluster: Path, target: TlsTarget): void {
  const tls = [...cluster, 'transport_socket', 'typed_config'];
  document.setIn([...tls, 'sni'], target.serverName);
  document.setIn([...tls, 'common_tls_context', 'validation_context'], {
    trusted_ca: { filename: target.caFile },
    match_typed_subject_alt_names: [
      { san_type: isIP(target.serverName) ? 'IP_ADDRESS' : 'DNS', matcher: { exact: target.serverName } },
    ],
  });
}

/** A copy of one part as plain data, aliases resolved against the whole document. */
function plain(document: Document, path: Path): Record<string, unknown> {
  let value: unknown = document.toJS();
  for (const key of path) value = (value as Record<string | number, unknown>)[key];
  return value as Record<string, unknown>;
}
