import { isIP } from 'node:net';
import type { ProcessorAddress, TlsTarget } from './plan.ts';

/** With a prefix each: a connection and a provider may have the same name, or that of the processor's cluster. */
export function upstreamClusterName(connection: string): string {
  return `upstream_${connection}`;
}

export function providerClusterName(provider: string): string {
  return `provider_${provider}`;
}

/** Every held request and every running answer holds one request of a cluster: the defaults of 1024 would refuse the rest. */
const thresholds = [{ max_connections: 8192, max_pending_requests: 8192, max_requests: 8192, max_retries: 1024 }];

/** A cluster of one server; plain HTTP is for providers on this machine alone. */
export function clusterOf(name: string, target: TlsTarget, isTls = true): unknown {
  const address = { socket_address: { address: target.host, port_value: target.port } };
  return {
    name,
    type: 'LOGICAL_DNS',
    connect_timeout: '5s',
    circuit_breakers: { thresholds },
    load_assignment: { cluster_name: name, endpoints: [{ lb_endpoints: [{ endpoint: { address } }] }] },
    ...(isTls && { transport_socket: upstreamTls(target) }),
  };
}

/** TLS in which the server must show a certificate for the name that it was asked for, by an authority of the file. */
export function upstreamTls({ serverName, caFile }: TlsTarget, own: object = {}): unknown {
  return {
    name: 'envoy.transport_sockets.tls',
    typed_config: {
      '@type': 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext',
      sni: serverName,
      common_tls_context: {
        tls_params: { tls_minimum_protocol_version: 'TLSv1_2' },
        ...own,
        validation_context: {
          trusted_ca: { filename: caFile },
          match_typed_subject_alt_names: [
            { san_type: isIP(serverName) ? 'IP_ADDRESS' : 'DNS', matcher: { exact: serverName } },
          ],
        },
      },
    },
  };
}

export function processorAddress(processor: ProcessorAddress): unknown {
  if ('socket' in processor) return { pipe: { path: processor.socket } };
  return { socket_address: { address: processor.tcp.host, port_value: processor.tcp.port } };
}
