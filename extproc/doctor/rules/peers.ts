import { addressesOf } from '../model.ts';
import {
  keyClusters,
  onClusters,
  optionsOf,
  processorClusters,
  providersOf,
  upstreamClusters,
  written,
} from '../recorded.ts';
import type { Fault, Rule } from '../rule.ts';
import type { Setting } from '../setting.ts';

/** Traps of who stands on the other side: of the processor, of Claude, of the identity provider. */
export const peerRules: readonly Rule[] = [
  onClusters(processorClusters, {
    id: 'processor-unprotected',
    severity: 'critical',
    invariants: [2, 5],
    title: 'Whoever answers at the address is the processor',
    why: 'Over TCP without certificates on both sides anything on the network can release requests, and anyone can write records.',
    find: (cluster) => {
      if (addressesOf(cluster).every((address) => address.at('pipe').isWritten)) return [];
      const tls = cluster.at('transport_socket', 'typed_config');
      const at = cluster.at('transport_socket');
      const change = 'a unix socket, or the transport_socket of envoy/README.md (the processor over TCP)';
      if (!tls.isWritten) return [{ at, found: 'it is reached over TCP without TLS', change }];
      const context = tls.at('common_tls_context');
      const isShown =
        context.at('tls_certificates').items.length > 0 ||
        context.at('tls_certificate_sds_secret_configs').items.length > 0;
      if (isShown && isVerified(cluster)) return [];
      return [
        { at, found: isShown ? 'its certificate is not checked' : 'Envoy shows no certificate of its own', change },
      ];
    },
  }),
  onClusters(upstreamClusters, {
    id: 'upstream-plain',
    severity: 'critical',
    invariants: [6],
    title: 'Claude is reached without TLS',
    why: 'Prompts, answers and the credential can be read and changed on the way.',
    find: (cluster) => {
      const at = cluster.at('transport_socket');
      if (at.isWritten || addressesOf(cluster).every((address) => address.at('pipe').isWritten)) return [];
      return [
        {
          at,
          found: 'transport_socket is not set',
          change: 'the transport_socket of the cluster claude in envoy/envoy.yaml',
        },
      ];
    },
  }),
  onClusters((gateway) => [...upstreamClusters(gateway), ...keyClusters(gateway)], {
    id: 'upstream-not-verified',
    severity: 'critical',
    invariants: [6],
    title: 'Anyone may pose as the upstream or the identity provider',
    why: 'Envoy checks no certificate unless it is told by whom and for which name: without both, who is on the way gets the credential, or chooses the keys that tokens are verified with.',
    find: (cluster) => {
      const context = cluster.at('transport_socket', 'typed_config');
      if (!context.isWritten || isVerified(cluster)) return [];
      const at = context.at('common_tls_context', 'validation_context');
      return [
        {
          at,
          found: `the name in the certificate of ${cluster.at('name').text} is not checked`,
          change:
            'validation_context: { trusted_ca: ..., match_typed_subject_alt_names: [{ san_type: DNS, matcher: { exact: <host> } }] }',
        },
      ];
    },
  }),
  onClusters((gateway) => [...upstreamClusters(gateway), ...keyClusters(gateway)], {
    id: 'upstream-without-sni',
    severity: 'warning',
    invariants: [],
    title: 'The upstream is not told which name is meant',
    why: 'Without sni a server with many names shows the certificate of another, and the connection fails.',
    find: (cluster) => {
      const context = cluster.at('transport_socket', 'typed_config');
      const isAuto =
        optionsOf(cluster).at('upstream_http_protocol_options', 'auto_sni').isOn || context.at('auto_host_sni').isOn;
      if (!context.isWritten || isAuto || context.at('sni').text !== '') return [];
      return [
        {
          at: context.at('sni'),
          found: `sni of ${cluster.at('name').text} is not set`,
          change: 'sni: the host name of the upstream',
        },
      ];
    },
  }),
  onClusters((gateway) => [...upstreamClusters(gateway), ...keyClusters(gateway), ...processorClusters(gateway)], {
    id: 'tls-old',
    severity: 'warning',
    invariants: [6],
    title: 'Old versions of TLS are taken',
    why: 'TLS 1.0 and 1.1 are broken and no longer needed.',
    find: (cluster) => oldTls(cluster.at('transport_socket')),
  }),
  {
    id: 'keys-over-http',
    severity: 'critical',
    invariants: [5],
    title: 'Keys of the identity provider come without TLS',
    why: 'Who can change the answer on the way can sign tokens for anyone.',
    find: (gateway) =>
      providersOf(gateway).flatMap(({ name, provider }): Fault[] => {
        const uri = provider.at('remote_jwks', 'http_uri');
        const cluster = gateway.clusters.get(uri.at('cluster').text);
        if (!uri.isWritten || cluster === undefined || cluster.at('transport_socket').isWritten) return [];
        return [
          {
            at: uri,
            found: `provider ${name}: its cluster has no transport_socket`,
            change: 'the transport_socket of the cluster of the identity provider in envoy/envoy.yaml',
          },
        ];
      }),
  },
];

/** By an authority, and for a name: with one of them alone any certificate of any owner passes. */
function isVerified(cluster: Setting): boolean {
  const context = cluster.at('transport_socket', 'typed_config');
  const common = context.at('common_tls_context');
  const combined = common.at('combined_validation_context');
  const validation = combined.isWritten ? combined.at('default_validation_context') : common.at('validation_context');
  if (common.at('validation_context_sds_secret_config').isWritten) return true;
  const isTrusted =
    combined.at('validation_context_sds_secret_config').isWritten ||
    validation.at('trusted_ca').isWritten ||
    validation.at('system_root_certs').isWritten;
  const isAny =
    validation.at('trust_chain_verification').choice(['VERIFY_TRUST_CHAIN', 'ACCEPT_UNTRUSTED']) === 'ACCEPT_UNTRUSTED';
  const isNamed =
    validation.at('match_typed_subject_alt_names').items.length > 0 ||
    validation.at('match_subject_alt_names').items.length > 0 ||
    context.at('auto_sni_san_validation').isOn ||
    optionsOf(cluster).at('upstream_http_protocol_options', 'auto_san_validation').isOn;
  return isTrusted && !isAny && isNamed;
}

export function oldTls(socket: Setting): Fault[] {
  const at = socket.at('typed_config', 'common_tls_context', 'tls_params', 'tls_minimum_protocol_version');
  if (!/^(TLSv1_0|TLSv1_1)$/.test(at.choice(['TLS_AUTO', 'TLSv1_0', 'TLSv1_1', 'TLSv1_2', 'TLSv1_3']))) return [];
  return [
    { at, found: `tls_minimum_protocol_version is ${written(at)}`, change: 'tls_minimum_protocol_version: TLSv1_2' },
  ];
}
